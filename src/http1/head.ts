import type { Reason } from "../decision/reason.ts";
import { CHUNKED } from "../message/body.ts";
import { HeaderBlock, NO_HEADERS } from "../message/headers.ts";
import { isRespelled } from "../message/reserved-names.ts";
import { NO_LENGTH } from "../message/stream.ts";

/**
 * Header lines as RFC 9112 section 5 has them: a token, a colon, a value, CR LF. No blank before the colon, no folding, no
 * bare CR or LF, no NUL. The classes are disjoint, so the match takes linear time.
 */
const HEADER_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/;
/** Visible ASCII; what of it a path or a query may hold is the canonical target's business. */
const TARGET = /^[\x21-\x7e]+$/;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** Digits only, no sign, no padding: `+5`, ` 5`, `005` and `5, 5` have been read in different ways. */
const CONTENT_LENGTH = /^(?:0|[1-9]\d{0,14})$/;
const HOST = /^(?:\[[0-9a-f:.]{2,45}\]|[0-9a-z._-]{1,255})(?::\d{1,5})?$/i;

/** Why a head is refused; `seen` is for the log. */
export class HeadFault {
  readonly reason: Reason;
  readonly seen: string;
  /** What could be read of its header nevertheless: to know whose it was, never to know what it asks for. */
  readonly headers: HeaderBlock;

  constructor(reason: Reason, seen: string, headers: HeaderBlock = NO_HEADERS) {
    this.reason = reason;
    this.seen = seen;
    this.headers = headers;
  }

  with(headers: HeaderBlock): HeadFault {
    return new HeadFault(this.reason, this.seen, headers);
  }
}

/** The header lines of a message with what they say of its framing, read in one pass. */
export class ParsedHeaders {
  readonly headers: HeaderBlock;
  /** Host header as received; empty in responses. */
  readonly authority: string;
  /** Content-Length; CHUNKED; NO_LENGTH where neither is given. */
  readonly bodyBytes: number;
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly expectContinue: boolean;
  /** An Upgrade to WebSocket is judged; to any other protocol it is an offer that is passed over (RFC 9110 section 7.8). */
  readonly upgrade: "websocket" | "offer" | null;

  constructor(
    headers: HeaderBlock,
    authority: string,
    bodyBytes: number,
    connection: string,
    expectContinue: boolean,
    upgrade: ParsedHeaders["upgrade"],
  ) {
    this.headers = headers;
    this.authority = authority;
    this.bodyBytes = bodyBytes;
    this.close = connection !== "" && hasToken(connection, "close");
    this.keepAlive = connection !== "" && hasToken(connection, "keep-alive");
    this.expectContinue = expectContinue;
    this.upgrade = upgrade;
  }

  /** The same, where its chunked body turned out to be empty. */
  withoutBody(): ParsedHeaders {
    const connection = this.close ? "close" : this.keepAlive ? "keep-alive" : "";
    return new ParsedHeaders(this.headers, this.authority, NO_LENGTH, connection, this.expectContinue, this.upgrade);
  }
}

export interface RequestLine {
  readonly method: string;
  readonly target: string;
  /** Minor version: HTTP/1.0 or HTTP/1.1. */
  readonly minor: 0 | 1;
}

/** `GET /orders HTTP/1.1`, without its line end (RFC 9112 section 3). */
export function parseRequestLine(line: string): RequestLine | HeadFault {
  const methodEnd = line.indexOf(" ");
  const targetEnd = line.indexOf(" ", methodEnd + 1);
  if (methodEnd < 1 || targetEnd < 0) return new HeadFault("request_malformed", "request line without three parts");
  const version = line.slice(targetEnd + 1);
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
    const known = /^HTTP\/\d\.\d$/.test(version);
    return new HeadFault(
      known ? "http_version_unsupported" : "request_malformed",
      "HTTP version other than 1.0 or 1.1",
    );
  }
  const method = line.slice(0, methodEnd);
  if (!METHOD.test(method)) return new HeadFault("request_malformed", "method that is no token");
  // The first word of HTTP/2's preface (RFC 9113 section 3.4); in HTTP/1.1 nobody means it.
  if (method === "PRI") return new HeadFault("request_malformed", "method PRI");
  const target = line.slice(methodEnd + 1, targetEnd);
  if (!TARGET.test(target)) return new HeadFault("request_malformed", "request target that is not visible ASCII");
  return { method, target, minor: version === "HTTP/1.1" ? 1 : 0 };
}

export interface StatusLine {
  readonly status: number;
  readonly minor: 0 | 1;
}

/** `HTTP/1.1 200 OK`, without its line end (RFC 9112 section 4); null where it is anything else. */
export function parseStatusLine(line: string): StatusLine | null {
  const match = STATUS_LINE.exec(line);
  if (match === null) return null;
  return { status: Number(match[2]), minor: match[1] === "1" ? 1 : 0 };
}

/**
 * The header lines between the start line and the empty line, each with its CR LF. Refuses everything that two parsers
 * have been seen to read in two ways.
 */
export function parseHeaders(block: string, countMax: number): ParsedHeaders | HeadFault {
  if (!HEADER_LINES.test(block)) return new HeadFault("request_malformed", malformedLine(block));
  const names: string[] = [];
  const values: string[] = [];
  let authority = "";
  let hosts = 0;
  let lengths = 0;
  let bodyBytes = NO_LENGTH;
  let encodings = 0;
  let connection = "";
  let expectations = 0;
  let upgrade: ParsedHeaders["upgrade"] = null;
  for (let at = 0; at < block.length; ) {
    const colon = block.indexOf(":", at);
    const end = block.indexOf("\r\n", colon);
    const name = lowerName(block.slice(at, colon));
    const value = trimBlanks(block, colon + 1, end);
    at = end + 2;
    if (name === RESPELLED) return new HeadFault("request_malformed", "another spelling of a reserved header's name");
    if (names.length === countMax) return new HeadFault("headers_too_many", `more than ${countMax} header lines`);
    names.push(name);
    values.push(value);
    switch (name) {
      case "host":
        hosts++;
        authority = withoutEmptyPort(value);
        break;
      case "content-length":
        lengths++;
        if (!CONTENT_LENGTH.test(value) || block.slice(colon, end).includes("\t")) {
          return new HeadFault("request_malformed", "Content-Length that is no number");
        }
        bodyBytes = Number(value);
        break;
      case "transfer-encoding":
        encodings++;
        if ((value !== "chunked" && value.toLowerCase() !== "chunked") || isPadded(block, colon, end, value)) {
          return new HeadFault("request_malformed", "Transfer-Encoding other than chunked");
        }
        break;
      // Not HTTP, but some parsers obey the second as they do the first, llhttp among them.
      case "connection":
      case "proxy-connection":
        connection = connection === "" ? value.toLowerCase() : `${connection},${value.toLowerCase()}`;
        break;
      case "expect":
        if (value === "") break;
        if (value.toLowerCase() !== "100-continue") return new HeadFault("expectation_failed", "unknown expectation");
        expectations++;
        break;
      case "upgrade":
        if (upgrade !== "websocket") upgrade = hasToken(value.toLowerCase(), "websocket") ? "websocket" : "offer";
        break;
    }
  }
  if (lengths > 1) return new HeadFault("request_malformed", "more than one Content-Length");
  if (encodings > 1) return new HeadFault("request_malformed", "more than one Transfer-Encoding");
  if (lengths + encodings > 1) return new HeadFault("request_malformed", "Content-Length beside Transfer-Encoding");
  if (expectations > 1) return new HeadFault("request_malformed", "more than one Expect");
  if (hosts > 1) return new HeadFault("host_invalid", "more than one Host");
  if (encodings === 1) bodyBytes = CHUNKED;
  return new ParsedHeaders(new HeaderBlock(names, values), authority, bodyBytes, connection, expectations > 0, upgrade);
}

/** The header lines of a whole head that is refused; none where one of them is no line, for where would the next begin? */
export function linesOfRefused(block: string): HeaderBlock {
  if (!HEADER_LINES.test(block)) return NO_HEADERS;
  const lines = block.split("\r\n").slice(0, -1);
  const colons = lines.map((line) => line.indexOf(":"));
  return new HeaderBlock(
    lines.map((line, at) => line.slice(0, colons[at]).toLowerCase()),
    lines.map((line, at) => trimBlanks(line, (colons[at] ?? 0) + 1, line.length)),
  );
}

/** Whether a Host header's value is one that every reader takes the same (RFC 9112 section 3.2). */
export function isValidHost(authority: string): boolean {
  return HOST.test(authority);
}

/** RFC 3986 section 3.2.3: a port may be empty, and is left out when written anew. */
export function withoutEmptyPort(authority: string): string {
  return authority.endsWith(":") ? authority.slice(0, -1) : authority;
}

/** Host header's value → lower-case name without port. */
export function hostName(authority: string): string {
  const colon = authority.lastIndexOf(":");
  const name = colon > 0 && !authority.endsWith("]") ? authority.slice(0, colon) : authority;
  return name.toLowerCase();
}

/** Names seen before, so that a usual header costs one look-up instead of a lower-casing. Bounded: a client cannot fill it. */
const LOWER_NAMES = new Map<string, string>();
const LOWER_NAMES_MAX = 1024;
const LOWER_NAME_BYTES_MAX = 48;

/** Stands for a name that could pass for a reserved one; no header has it, for names are not empty. */
const RESPELLED = "";

function lowerName(name: string): string {
  const known = LOWER_NAMES.get(name);
  if (known !== undefined) return known;
  const lowered = name.toLowerCase();
  const lower = isRespelled(lowered) ? RESPELLED : lowered;
  if (LOWER_NAMES.size < LOWER_NAMES_MAX && name.length <= LOWER_NAME_BYTES_MAX) LOWER_NAMES.set(name, lower);
  return lower;
}

export function trimBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * Whether Transfer-Encoding's value has more around it than the one blank that everybody writes: tabs and blanks there,
 * most of all behind it, make other parsers not know the value. A length with blanks is the same number to all of them.
 */
function isPadded(block: string, colon: number, end: number, value: string): boolean {
  const blanks = end - colon - 1 - value.length;
  return blanks > 1 || (blanks === 1 && block.charCodeAt(colon + 1) !== 0x20);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function hasToken(list: string, token: string): boolean {
  if (list === token) return true;
  return list.split(",").some((part) => part.trim() === token);
}

/** Names the first offence of a refused block, for the log; the line itself may hold a secret and is not shown. */
function malformedLine(block: string): string {
  if (/(^|[^\r])\n/.test(block)) return "bare LF in the header";
  if (/\r(?!\n)/.test(block)) return "bare CR in the header";
  if (block.includes("\0")) return "NUL in the header";
  if (/\r\n[ \t]/.test(block) || /^[ \t]/.test(block)) return "folded header line";
  if (/(?:^|\n)[^:\r\n]*[ \t]+:/.test(block)) return "blank before a header's colon";
  return "header line with an invalid name or value";
}
