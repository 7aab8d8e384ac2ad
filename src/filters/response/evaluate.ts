import type { HeaderLine } from "../../decision/verdict.ts";
import { namedByConnection } from "../../message/connection-options.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import { HOP_BY_HOP } from "../../message/reserved-names.ts";
import { isForbiddenTrailer } from "../../message/trailers.ts";
import type { ResponseRules } from "../filter.ts";

/**
 * Headers of the service's answer → header lines for the client: `name: value\r\n` each, to be written as latin1.
 * Without framing (Content-Length, Transfer-Encoding, Connection): `respond` writes it. `secure`: TLS protects the
 * client's connection. For an answer of postern's own, pass NO_HEADERS and get what the rules add.
 */
export type ResponseRewrite = (headers: HeaderBlock, secure: boolean) => string;

/** What the body is, how it may be kept, and how a call of gRPC went: it leaves under any closed list. */
const ALWAYS_ALLOWED = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-range",
  "content-type",
  "date",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "vary",
] as const;

/** What becomes of a name: off, or a positive number, the bit of the default that it makes unnecessary. */
const OFF = -1;

/** A route's rules → its rewrite, once. */
export function buildResponseRewrite(rules: ResponseRules): ResponseRewrite {
  const fates = new Map<string, number>();
  const defaults = rules.defaultHeaders.length;
  const optional = [...rules.defaultHeaders, ...rules.setHeadersSecure];
  optional.forEach(([name], at) => {
    fates.set(name, 1 << at);
  });
  for (const name of [...HOP_BY_HOP, ...rules.removeHeaders]) fates.set(name, OFF);
  for (const [name] of rules.setHeaders) fates.set(name, OFF);
  const allowed = allowedBy(rules);
  const { edits } = rules;
  const always = [...rules.setHeaders, ...rules.addHeaders].map(lineOf).join("");
  const added = rememberBySet((present) => always + linesWithout(rules.defaultHeaders, present, 0));
  const addedSecure = rememberBySet(
    (present) => added(present) + linesWithout(rules.setHeadersSecure, present, defaults),
  );

  const rewrite = (received: HeaderBlock, secure: boolean): string => {
    const headers = edits.length === 0 ? received : edits.reduce((block, one) => one.edit(block, secure), received);
    const { names, values } = headers;
    const named = namedByConnection(headers);
    let present = 0;
    let lines = "";
    for (let at = 0; at < names.length; at++) {
      const name = names[at] ?? "";
      const fate = fates.get(name);
      if (fate === OFF || named?.has(name) || allowed?.has(name) === false) continue;
      if (fate !== undefined) present |= fate;
      lines += `${name}: ${values[at]}\r\n`;
    }
    return lines + (secure ? addedSecure(present) : added(present));
  };
  const rewriteSecure = (headers: HeaderBlock): string => rewrite(headers, true);
  const rewritePlain = (headers: HeaderBlock): string => rewrite(headers, false);
  return (headers, secure) => headers.linesBy(secure ? rewriteSecure : rewritePlain);
}

/** Trailers of the service's answer → lines for the client: what the rules take off or set is off here too. */
export function buildResponseTrailerRewrite(rules: ResponseRules): (trailers: HeaderBlock) => string {
  const off = new Set([...HOP_BY_HOP, ...rules.removeHeaders, ...rules.setHeaders.map(([name]) => name)]);
  const allowed = allowedBy(rules);
  const isOff = (name: string): boolean => off.has(name) || isForbiddenTrailer(name) || allowed?.has(name) === false;
  return ({ names, values }) => names.map((name, at) => (isOff(name) ? "" : `${name}: ${values[at]}\r\n`)).join("");
}

function allowedBy({ allowHeaders }: ResponseRules): ReadonlySet<string> | null {
  return allowHeaders === null ? null : new Set([...allowHeaders, ...ALWAYS_ALLOWED]);
}

const lineOf = ([name, value]: HeaderLine): string => `${name}: ${value}\r\n`;

function linesWithout(lines: readonly HeaderLine[], present: number, firstBit: number): string {
  return lines
    .filter((_, at) => (present & (1 << (at + firstBit))) === 0)
    .map(lineOf)
    .join("");
}

/** Results by set of names present; as many as sets of a handful of defaults, so bounded by the policy. */
function rememberBySet(make: (present: number) => string): (present: number) => string {
  const made = new Map<number, string>();
  return (present) => {
    let lines = made.get(present);
    if (lines === undefined) {
      lines = make(present);
      made.set(present, lines);
    }
    return lines;
  };
}

const rewrites = new WeakMap<ResponseRules, ResponseRewrite>();

/** Like `buildResponseRewrite`, for callers that hold only the rules; the rewrite is built once for each. */
export function rewriteResponse(headers: HeaderBlock, rules: ResponseRules, secure: boolean): string {
  let rewrite = rewrites.get(rules);
  if (rewrite === undefined) {
    rewrite = buildResponseRewrite(rules);
    rewrites.set(rules, rewrite);
  }
  return rewrite(headers, secure);
}
