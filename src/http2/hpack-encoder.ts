import { CONNECTION_SPECIFIC } from "./fields.ts";
import { STATIC_TABLE } from "./hpack-static.ts";

/**
 * Writes field blocks (RFC 7541) without a dynamic table: literals that refer to nothing, so that a block is a function of
 * its fields alone and can be remembered. HAProxy and nginx do the same.
 */

/** The first index of each name of the static table. */
const NAME_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(([name], at) => [name, at + 1] as const).reverse(),
);
/** The indexes of whole entries, by value. */
const indexOf = (field: string): ReadonlyMap<string, number> =>
  new Map(STATIC_TABLE.flatMap(([name, value], at) => (name === field ? [[value, at + 1] as const] : [])));
const STATUS_INDEX = indexOf(":status");
const METHOD_INDEX = indexOf(":method");
const SCHEME_INDEX = indexOf(":scheme");
/** Nobody behind us is to keep them in a table that other values can be tried against (RFC 7541 section 7.1.3). */
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);
const WITHOUT_INDEXING = 0x00;
const NEVER_INDEXED = 0x10;
/** Bytes of a literal besides its text, at most: one for its kind and index, two integers. */
const LITERAL_BYTES = 12;

/** Where blocks are written before their length is known; a block is copied out of it whole. */
let scratch = Buffer.allocUnsafeSlow(4_096);
let length = 0;

/**
 * A response's block from header lines (`name: value` with CR LF each, names in lower case). What belongs to a connection
 * stays behind: HTTP/2 clients refuse a whole answer for it. `contentLength`: -1 for none.
 */
export function encodeResponse(status: number, lines: string, contentLength: number): Buffer {
  begin(lines.length);
  addPseudo(STATUS_INDEX, ":status", String(status));
  addLines(lines);
  if (contentLength >= 0) addLiteral("content-length", String(contentLength));
  return Buffer.from(scratch.subarray(0, length));
}

/** A request's block, from lines like those of a response (RFC 9113 section 8.3.1). `contentLength`: -1 for none. */
export function encodeRequest(request: RequestHead, lines: string, contentLength: number): Buffer {
  begin(lines.length + request.method.length + request.authority.length + request.path.length);
  addPseudo(METHOD_INDEX, ":method", request.method);
  addPseudo(SCHEME_INDEX, ":scheme", request.scheme);
  addLiteral(":authority", request.authority);
  addLiteral(":path", request.path);
  addLines(lines);
  if (contentLength >= 0) addLiteral("content-length", String(contentLength));
  return Buffer.from(scratch.subarray(0, length));
}

export interface RequestHead {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly path: string;
}

/** Trailers, from lines like those of a head. */
export function encodeTrailers(lines: string): Buffer {
  begin(lines.length);
  addLines(lines);
  return Buffer.from(scratch.subarray(0, length));
}

/** `encodeResponse`, remembered: answers of one kind differ in nothing for as long as their Date does not. */
export class ResponseBlocks {
  #status = 0;
  #lines = "";
  #contentLength = -1;
  #block: Buffer = Buffer.alloc(0);

  of(status: number, lines: string, contentLength: number): Buffer {
    if (status !== this.#status || contentLength !== this.#contentLength || lines !== this.#lines) {
      this.#status = status;
      this.#lines = lines;
      this.#contentLength = contentLength;
      this.#block = encodeResponse(status, lines, contentLength);
    }
    return this.#block;
  }
}

/** A line has at least five bytes (a name, a colon, a blank, its end), so this is room for whatever may stand there. */
function begin(linesLength: number): void {
  length = 0;
  const needed = linesLength + Math.ceil(linesLength / 5) * LITERAL_BYTES + 64;
  if (scratch.length < needed) scratch = Buffer.allocUnsafeSlow(2 * needed);
}

function addLines(lines: string): void {
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(":", at);
    const end = lines.indexOf("\r\n", colon);
    if (colon < 0 || end < 0) return;
    const name = lines.slice(at, colon);
    at = end + 2;
    if (!CONNECTION_SPECIFIC.has(name)) addLiteral(name, lines.slice(colon + 2, end));
  }
}

function addPseudo(indexes: ReadonlyMap<string, number>, name: string, value: string): void {
  const index = indexes.get(value);
  if (index === undefined) addLiteral(name, value);
  else scratch[length++] = 0x80 | index;
}

function addLiteral(name: string, value: string): void {
  const index = NAME_INDEX.get(name) ?? 0;
  addInteger(SECRET.has(name) ? NEVER_INDEXED : WITHOUT_INDEXING, 0x0f, index);
  if (index === 0) addString(name);
  addString(value);
}

function addString(text: string): void {
  addInteger(0, 0x7f, text.length);
  length += scratch.write(text, length, "latin1");
}

/** RFC 7541 section 5.1. */
function addInteger(kind: number, mask: number, value: number): void {
  if (value < mask) {
    scratch[length++] = kind | value;
    return;
  }
  scratch[length++] = kind | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) scratch[length++] = (rest & 0x7f) | 0x80;
  scratch[length++] = rest;
}
