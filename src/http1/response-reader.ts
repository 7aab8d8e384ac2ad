import type { ResponseLimits } from "../message/stream.ts";
import { HeadFault, type ParsedHeaders, parseHeaders, parseStatusLine, type StatusLine } from "./head.ts";

/** A whole head: where it ends, and its one reading. */
export interface ResponseHead {
  readonly line: StatusLine;
  readonly parsed: ParsedHeaders;
  /** Offset of the byte behind the empty line. */
  readonly end: number;
}

/** Finds and reads the heads of answers (RFC 9112 sections 4 and 5); one per connection, for it remembers the last one. */
export class ResponseReader {
  readonly #limits: ResponseLimits;
  #lastBlock = "";
  #lastParsed: ParsedHeaders | null = null;

  constructor(limits: ResponseLimits) {
    this.#limits = limits;
  }

  /** The head at `at`; null where it is not whole yet, or what is wrong with it. */
  read(buffer: Buffer, at: number): ResponseHead | string | null {
    const text = buffer.toString("latin1", at, Math.min(buffer.length, at + this.#limits.headBytesMax));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return partialFault(text, this.#limits);
    const lineEnd = text.indexOf("\r\n");
    const line = parseStatusLine(text.slice(0, lineEnd));
    if (line === null) return "malformed status line";
    const parsed = this.#parseBlock(text.slice(lineEnd + 2, end + 2));
    return parsed instanceof HeadFault ? parsed.seen : { line, parsed, end: at + end + 4 };
  }

  #parseBlock(block: string): ParsedHeaders | HeadFault {
    if (this.#lastParsed !== null && block === this.#lastBlock) return this.#lastParsed;
    const parsed = parseHeaders(block, this.#limits.headersCountMax);
    if (parsed instanceof HeadFault) return parsed;
    this.#lastBlock = block;
    this.#lastParsed = parsed;
    return parsed;
  }
}

/** What can never become a valid head is refused at once rather than at the deadline. */
function partialFault(text: string, { headBytesMax }: ResponseLimits): string | null {
  if (text.length >= headBytesMax) return "response head too large";
  if (/(^|[^\r])\n/.test(text)) return "bare LF in the response head";
  return "HTTP/1.".startsWith(text.slice(0, 7)) ? null : "not an HTTP/1.1 response";
}
