import { CHUNKED } from "../message/body.ts";
import { neverHasBody, WITHOUT_BODY } from "../message/method.ts";
import { NO_LENGTH } from "../message/stream.ts";
import {
  HeadFault,
  isValidHost,
  linesOfRefused,
  type ParsedHeaders,
  parseHeaders,
  parseRequestLine,
  type RequestLine,
} from "./head.ts";
import { KnownBlock } from "./known-block.ts";
import { originForm } from "./target-form.ts";

/** A whole head: where it ends, and its one reading. */
export interface RequestHead {
  readonly line: RequestLine;
  readonly parsed: ParsedHeaders;
  /** Offset of the byte behind the empty line. */
  readonly end: number;
}

/** The header lines of a request: as `parseHeaders`, and with a valid Host or none. */
export function parseRequestHeaders(block: string, countMax: number): ParsedHeaders | HeadFault {
  const parsed = parseHeaders(block, countMax);
  if (parsed instanceof HeadFault || isValidHost(parsed.authority)) return parsed;
  return parsed.headers.count("host") === 0 ? parsed : new HeadFault("host_invalid", "invalid Host");
}

/** What request line and header lines must say together; gives the line with its target in origin form. */
export function checkRequest(line: RequestLine, parsed: ParsedHeaders): RequestLine | HeadFault {
  const { method, target, minor } = line;
  // RFC 9112 section 3.2; before HTTP/1.1 there was none, and health checks still come without.
  if (parsed.authority === "" && minor === 1) return new HeadFault("host_invalid", "no Host");
  if (minor === 0 && parsed.bodyBytes === CHUNKED) {
    return new HeadFault("request_malformed", "Transfer-Encoding in HTTP/1.0");
  }
  const hasBody = parsed.bodyBytes !== NO_LENGTH && parsed.bodyBytes !== 0;
  // That of a GET is the route's to judge; that of a handshake would be taken for the other protocol's bytes.
  if (hasBody && (neverHasBody(method) || (parsed.upgrade === "websocket" && WITHOUT_BODY.has(method)))) {
    return new HeadFault("request_malformed", `body in a ${method} request`);
  }
  const path = originForm(method, target, parsed.authority);
  if (path instanceof HeadFault) return path;
  return path === target ? line : { method, target: path, minor };
}

/** Whether the client lets nothing follow this request on its connection. */
export function isLastRequest(line: RequestLine, parsed: ParsedHeaders): boolean {
  // What a client sends behind CONNECT or Upgrade may be meant for another protocol.
  const isSwitch = parsed.upgrade !== null || line.method === "CONNECT";
  return parsed.close || isSwitch || (line.minor === 0 && !parsed.keepAlive);
}

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const LINE_END = Buffer.from("\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/**
 * A chunked body in a method without one (RFC 9110 section 9.3.1 leaves GET's to clients that know better): an empty one,
 * which some clients send for every request, is none. Read with the head, so that what is judged is known to be there.
 */
function readEmptyBody(
  line: RequestLine,
  parsed: ParsedHeaders,
  buffer: Buffer,
  at: number,
): RequestHead | HeadFault | null {
  const end = at + LAST_CHUNK.length;
  const begun = buffer.subarray(at, end);
  const mayBeEmpty = line.minor === 1 && !parsed.expectContinue && begun.equals(LAST_CHUNK.subarray(0, begun.length));
  if (mayBeEmpty && buffer.length < end) return null;
  const read = mayBeEmpty ? parsed.withoutBody() : parsed;
  const checked = checkRequest(line, read);
  return checked instanceof HeadFault ? checked : { line: checked, parsed: read, end: mayBeEmpty ? end : at };
}

/** `parsed`: the header lines, or what is wrong with them, which counts for less than what is wrong with the first line. */
function readWhole(
  firstLine: string,
  parsed: ParsedHeaders | HeadFault,
  buffer: Buffer,
  end: number,
): RequestHead | HeadFault | null {
  const line = parseRequestLine(firstLine);
  if (line instanceof HeadFault) return line;
  if (parsed instanceof HeadFault) return parsed;
  if (parsed.bodyBytes === CHUNKED && WITHOUT_BODY.has(line.method)) return readEmptyBody(line, parsed, buffer, end);
  const checked = checkRequest(line, parsed);
  return checked instanceof HeadFault ? checked : { line: checked, parsed, end };
}

/** Finds and reads request heads (RFC 9112 sections 2.2 to 5); one per connection, for it remembers the last one. */
export class RequestReader {
  readonly #headBytesMax: number;
  readonly #headersCountMax: number;
  readonly #known = new KnownBlock<ParsedHeaders>();

  constructor(headBytesMax: number, headersCountMax: number) {
    this.#headBytesMax = headBytesMax;
    this.#headersCountMax = headersCountMax;
  }

  /** The head at `at`; null where it is not whole yet. */
  read(buffer: Buffer, at: number): RequestHead | HeadFault | null {
    // RFC 9112 section 2.2: old clients end a body with one line end too many.
    if (buffer[at] === CARRIAGE_RETURN) return this.#readBehindLineEnd(buffer, at);
    const parsed = this.#known.find(buffer, at, this.#headBytesMax);
    if (parsed === null) return this.#readAnew(buffer, at);
    const { lineEnd, blockAt, end } = this.#known;
    const head = readWhole(buffer.toString("latin1", at, lineEnd), parsed, buffer, end);
    return head instanceof HeadFault ? head.with(linesOfRefused(buffer.toString("latin1", blockAt, end - 2))) : head;
  }

  #readAnew(buffer: Buffer, at: number): RequestHead | HeadFault | null {
    const last = Math.min(buffer.length, at + this.#headBytesMax);
    const end = buffer.indexOf(HEAD_END, at) + HEAD_END.length;
    if (end < HEAD_END.length || end > last) return this.#partialFault(buffer.toString("latin1", at, last));
    const lineEnd = buffer.indexOf(LINE_END, at);
    const blockAt = lineEnd + LINE_END.length;
    // Apart from the first line: what is cut out of a string keeps all of it, here for as long as the connection rests.
    const block = buffer.toString("latin1", blockAt, end - LINE_END.length);
    const parsed = parseRequestHeaders(block, this.#headersCountMax);
    if (!(parsed instanceof HeadFault)) this.#known.remember(buffer, blockAt, end, parsed);
    const head = readWhole(buffer.toString("latin1", at, lineEnd), parsed, buffer, end);
    return head instanceof HeadFault ? head.with(linesOfRefused(block)) : head;
  }

  #readBehindLineEnd(buffer: Buffer, at: number): RequestHead | HeadFault | null {
    if (buffer.length < at + 3)
      return buffer.length === at + 2 && buffer[at + 1] !== LINE_FEED ? this.#partialFault("\r") : null;
    if (buffer[at + 1] !== LINE_FEED || buffer[at + 2] === CARRIAGE_RETURN) return this.#partialFault("\r");
    return this.read(buffer, at + 2);
  }

  /** What can never become a valid head is refused at once rather than at the deadline. */
  #partialFault(text: string): HeadFault | null {
    if (/(^|[^\r])\n/.test(text)) return new HeadFault("request_malformed", "bare LF in the header");
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(text)) {
      return new HeadFault("request_malformed", "request that does not start with a method");
    }
    if (text.length < this.#headBytesMax) return null;
    return new HeadFault("head_too_large", `more than ${this.#headBytesMax} bytes`);
  }
}
