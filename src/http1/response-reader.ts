import type { ResponseLimits } from "../message/stream.ts";
import { HeadFault, type ParsedHeaders, parseHeaders, parseStatusLine, type StatusLine } from "./head.ts";
import { KnownBlock } from "./known-block.ts";

/** A whole head: where it ends, and its one reading. */
export interface ResponseHead {
  readonly line: StatusLine;
  readonly parsed: ParsedHeaders;
  /** Offset of the byte behind the empty line. */
  readonly end: number;
}

const HEAD_END = Buffer.from("\r\n\r\n");

/** Finds and reads the heads of answers (RFC 9112 sections 4 and 5); one per connection, for it remembers the last one. */
export class ResponseReader {
  readonly #limits: ResponseLimits;
  readonly #known = new KnownBlock<ParsedHeaders>();

  constructor(limits: ResponseLimits) {
    this.#limits = limits;
  }

  /** The head at `at`; null where it is not whole yet, or what is wrong with it. */
  read(buffer: Buffer, at: number): ResponseHead | string | null {
    const parsed = this.#known.find(buffer, at, this.#limits.headBytesMax);
    if (parsed === null) return this.#readAnew(buffer, at);
    const { lineEnd, end } = this.#known;
    return readWhole(buffer.toString("latin1", at, lineEnd), parsed, end);
  }

  #readAnew(buffer: Buffer, at: number): ResponseHead | string | null {
    const last = Math.min(buffer.length, at + this.#limits.headBytesMax);
    const end = buffer.indexOf(HEAD_END, at) + HEAD_END.length;
    if (end < HEAD_END.length || end > last) return partialFault(buffer.toString("latin1", at, last), this.#limits);
    const text = buffer.toString("latin1", at, end - 2);
    const blockAt = text.indexOf("\r\n") + 2;
    const parsed = parseHeaders(text.slice(blockAt), this.#limits.headersCountMax);
    if (!(parsed instanceof HeadFault)) this.#known.remember(buffer, at + blockAt, end, parsed);
    return readWhole(text.slice(0, blockAt - 2), parsed, end);
  }
}

function readWhole(firstLine: string, parsed: ParsedHeaders | HeadFault, end: number): ResponseHead | string {
  const line = parseStatusLine(firstLine);
  if (line === null) return "malformed status line";
  return parsed instanceof HeadFault ? parsed.seen : { line, parsed, end };
}

/** What can never become a valid head is refused at once rather than at the deadline. */
function partialFault(text: string, { headBytesMax }: ResponseLimits): string | null {
  if (text.length >= headBytesMax) return "response head too large";
  if (/(^|[^\r])\n/.test(text)) return "bare LF in the response head";
  return "HTTP/1.".startsWith(text.slice(0, 7)) ? null : "not an HTTP/1.1 response";
}
