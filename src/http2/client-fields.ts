import { trimBlanks } from "../http1/head.ts";
import { CHUNKED } from "../message/body.ts";
import { HeaderBlock } from "../message/headers.ts";
import { type ClientResponse, NO_LENGTH } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { CONNECTION_SPECIFIC } from "./fields.ts";

/** Fields as they came: name, value, name, value, in order, one character a byte (latin1). */
export type RawFields = readonly string[];

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const STATUS = /^[1-5]\d\d$/;
const CONTENT_LENGTH = /^(?:0|[1-9]\d{0,14})$/;
/**
 * A response's head, or text that says what is wrong with it. `ends`: no body follows (END_STREAM).
 */
export function parseResponse(
  raw: RawFields,
  isHead: boolean,
  ends: boolean,
  countMax: number,
): ClientResponse | string {
  const status = statusOf(raw);
  const headers = parseBlock(raw, PSEUDO_LENGTH, countMax);
  if (typeof headers === "string") return headers;
  const lengths = headers.count("content-length");
  const length = headers.get("content-length");
  if (status === null) return "no valid :status";
  if (lengths > 1 || (length !== undefined && !CONTENT_LENGTH.test(length))) return "no valid Content-Length";
  const announcedBytes = length === undefined ? NO_LENGTH : Number(length);
  if (status < 200) {
    return ends ? "informational response that ends" : { status, headers, bodyBytes: 0, announcedBytes };
  }
  if (status === 204 && announcedBytes > 0) return "204 with a body";
  if (isHead || status === 204 || status === 304) return { status, headers, bodyBytes: 0, announcedBytes };
  if (!ends)
    return { status, headers, bodyBytes: announcedBytes === NO_LENGTH ? CHUNKED : announcedBytes, announcedBytes };
  return announcedBytes > 0 ? "end before the announced body" : { status, headers, bodyBytes: 0, announcedBytes: 0 };
}

/** Name and value of `:status`, which comes first and is the only one of its kind (RFC 9113 section 8.3.2). */
const PSEUDO_LENGTH = 2;

/** 101 is no status of HTTP/2 (RFC 9113 section 8.6). */
function statusOf(raw: RawFields): number | null {
  const text = raw[0] === ":status" ? (raw[1] ?? "") : "";
  return STATUS.test(text) && text !== "101" ? Number(text) : null;
}

/** Trailers of either side, or what is wrong with them. */
export function parseTrailers(raw: RawFields): HeaderBlock | string {
  return parseBlock(raw, 0, DEFAULTS.headersCountMax);
}

/** The regular fields; pseudo-header fields have no place among them, for no name of a field has a colon. */
function parseBlock(raw: RawFields, from: number, countMax: number): HeaderBlock | string {
  const names: string[] = [];
  const values: string[] = [];
  for (let at = from; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const value = raw[at + 1] ?? "";
    if (!NAME.test(name) || !VALUE.test(value)) return "field with an invalid name or value";
    if (CONNECTION_SPECIFIC.has(name)) return `connection-specific field '${name}'`;
    names.push(name);
    values.push(trimBlanks(value, 0, value.length));
  }
  return names.length > countMax ? "too many fields" : new HeaderBlock(names, values);
}
