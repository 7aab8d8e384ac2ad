import { DEFAULTS } from "../support/defaults.ts";

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
  length = 0;

  /** What the lines at `at` were read as; null where they are others, or not whole yet. */
  find(buffer: Buffer, at: number): Read | null {
    const bytes = this.#bytes;
    const end = at + this.length;
    if (bytes === null || end > buffer.length || bytes.compare(buffer, at, end, 0, this.length) !== 0) return null;
    this.#strangers = 0;
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
    this.length = length;
    this.#read = read;
  }
}
