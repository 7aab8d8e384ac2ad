import { DEFAULTS } from "../support/defaults.ts";

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** After so many in a row that were others, only one of a few is remembered: lines that always differ are copied for nothing. */
const STRANGERS_MAX = 8;
const STRANGERS_STEP = 16;

/**
 * The header lines that came last on a connection, with their empty line, and what they were read as. On one that is kept
 * alive the next are often the same, byte by byte, and need not even be decoded.
 */
export class KnownBlock<Read> {
  #bytes: Buffer | null = null;
  #read: Read | null = null;
  #strangers = 0;
  /** In bytes, with the empty line. */
  #length = 0;
  /** Of the head that was found last: where its first line ends, where its header lines begin, and where it ends. */
  lineEnd = 0;
  blockAt = 0;
  end = 0;

  /** What the header lines of the head at `at` were read as; null where they are others, not whole yet, or end too far on. */
  find(buffer: Buffer, at: number, headBytesMax: number): Read | null {
    const bytes = this.#bytes;
    if (bytes === null) return null;
    const lineEnd = buffer.indexOf(CARRIAGE_RETURN, at);
    const blockAt = lineEnd + 2;
    const end = blockAt + this.#length;
    if (lineEnd <= 0 || buffer[lineEnd + 1] !== LINE_FEED || end > Math.min(buffer.length, at + headBytesMax))
      return null;
    if (bytes.compare(buffer, blockAt, end, 0, this.#length) !== 0) return null;
    this.#strangers = 0;
    this.lineEnd = lineEnd;
    this.blockAt = blockAt;
    this.end = end;
    return this.#read;
  }

  /** The lines of `buffer` from `start` to behind their empty line, for the next to be held against. */
  remember(buffer: Buffer, start: number, end: number, read: Read): void {
    const length = end - start;
    if (length > DEFAULTS.headRememberedBytesMax) return;
    if (++this.#strangers > STRANGERS_MAX && this.#strangers % STRANGERS_STEP !== 0) return;
    // Of its own memory: a piece of a shared one would keep all of that for as long as the connection rests.
    if (this.#bytes === null || this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length);
    buffer.copy(this.#bytes, 0, start, end);
    this.#length = length;
    this.#read = read;
  }
}
