import { CHUNKED } from "../message/body.ts";
import { HeaderBlock } from "../message/headers.ts";
import { canonicalName, isReserved } from "../message/reserved-names.ts";
import { UNTIL_CLOSE } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { trimBlanks } from "./head.ts";

/** Where decoded bytes go; false asks for a pause, which takes effect after the current read. */
export interface ChunkSink {
  onBody(chunk: Buffer): boolean;
}

/**
 * Size and extensions (RFC 9112 section 7.1.1), without the blanks that the grammar tolerates and that parsers have fallen
 * over. The parts of an extension begin with characters that no part before them can hold, so the match takes linear time.
 */
const CHUNK_HEAD =
  /^([0-9A-Fa-f]{1,12})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"))?)*$/;
const TRAILER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that frame or route a message come too late behind its body (RFC 9110 section 6.5.1), but some parsers obey them. */
function trailerFault(line: string): string | null {
  const name = TRAILER_LINE.exec(line)?.[1];
  if (name === undefined) return "malformed trailer";
  return isReserved(canonicalName(name.toLowerCase())) ? "trailer that belongs into the head" : null;
}

type State = "data" | "chunk-head" | "chunk-data" | "chunk-end" | "trailer" | "done";

/**
 * Decodes one body from the bytes that follow its head: a fixed length, chunked (RFC 9112 section 7.1) or until the
 * connection ends. Chunk extensions are read, bounded and dropped; trailers are read, bounded and kept.
 */
export class BodyDecoder {
  /** What was wrong with the framing; null while it is right. */
  fault: string | null = null;
  #state: State;
  /** Bytes still to come of the body, or of the current chunk. */
  #remaining: number;
  /** A line that a read cut in two. */
  #partial = "";
  /** Trailer lines, with their line ends. */
  #trailers = "";

  constructor(bodyBytes: number) {
    this.#remaining = bodyBytes === UNTIL_CLOSE ? Number.POSITIVE_INFINITY : bodyBytes;
    this.#state = bodyBytes === CHUNKED ? "chunk-head" : bodyBytes === 0 ? "done" : "data";
  }

  get done(): boolean {
    return this.#state === "done";
  }

  /** True where the end of the connection is the body's right end. */
  get endsWithConnection(): boolean {
    return this.#state === "data" && this.#remaining === Number.POSITIVE_INFINITY;
  }

  /** Bytes still announced; Infinity where that is unknown. */
  get remainingBytes(): number {
    if (this.#state === "done") return 0;
    return this.#state === "data" ? this.#remaining : Number.POSITIVE_INFINITY;
  }

  /** What came after the last chunk, or null; for a decoder that is done. */
  get trailers(): HeaderBlock | null {
    if (this.#trailers === "") return null;
    const lines = this.#trailers.split("\r\n").slice(0, -1);
    const names = lines.map((line) => line.slice(0, line.indexOf(":")).toLowerCase());
    const values = lines.map((line) => trimBlanks(line, line.indexOf(":") + 1, line.length));
    return new HeaderBlock(names, values);
  }

  /** Reads from `buffer` at `at`; gives the offset after the last byte that belongs to this body. */
  feed(buffer: Buffer, at: number, sink: ChunkSink): number {
    let offset = at;
    while (offset < buffer.length && this.#state !== "done" && this.fault === null) {
      if (this.#state === "data" || this.#state === "chunk-data") offset = this.#feedData(buffer, offset, sink);
      else offset = this.#feedLine(buffer, offset);
    }
    return offset;
  }

  #feedData(buffer: Buffer, at: number, sink: ChunkSink): number {
    const end = Math.min(buffer.length, at + this.#remaining);
    this.#remaining -= end - at;
    if (this.#remaining === 0) this.#state = this.#state === "data" ? "done" : "chunk-end";
    sink.onBody(at === 0 && end === buffer.length ? buffer : buffer.subarray(at, end));
    return end;
  }

  #feedLine(buffer: Buffer, at: number): number {
    const lineFeed = buffer.indexOf(0x0a, at);
    const end = lineFeed < 0 ? buffer.length : lineFeed + 1;
    const bytesMax = this.#state === "trailer" ? DEFAULTS.trailerBytesMax : DEFAULTS.chunkHeadBytesMax;
    if (this.#partial.length + (end - at) > bytesMax) return this.#fail("chunk head or trailer too long", end);
    const text = this.#partial + buffer.toString("latin1", at, end);
    if (lineFeed < 0) {
      this.#partial = text;
      return end;
    }
    this.#partial = "";
    if (!text.endsWith("\r\n")) return this.#fail("bare LF in chunked framing", end);
    this.#onLine(text.slice(0, -2));
    return end;
  }

  #onLine(line: string): void {
    if (this.#state === "chunk-head") this.#onChunkHead(line);
    else if (this.#state === "chunk-end") {
      if (line !== "") this.fault = "chunk longer than announced";
      this.#state = "chunk-head";
    } else if (line === "") this.#state = "done";
    else {
      this.#trailers += `${line}\r\n`;
      if (this.#trailers.length > DEFAULTS.trailerBytesMax) this.fault = "trailers too long";
      else this.fault = trailerFault(line);
    }
  }

  #onChunkHead(line: string): void {
    const match = CHUNK_HEAD.exec(line);
    if (match === null) {
      this.fault = "malformed chunk size";
      return;
    }
    this.#remaining = Number.parseInt(match[1] ?? "", 16);
    this.#state = this.#remaining === 0 ? "trailer" : "chunk-data";
  }

  #fail(fault: string, end: number): number {
    this.fault = fault;
    return end;
  }
}
