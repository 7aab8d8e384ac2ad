import { DEFAULTS } from "../support/defaults.ts";

/** Of the record: a batch of lines in one piece, and the line that completes it. */
const SLAB_BYTES = DEFAULTS.recordBatchBytes + 64 * 1024;
/** One that is written while the other is filled. */
const SPARE_MAX = 2;
/** UTF-8 of a unit of UTF-16. */
const BYTES_PER_UNIT_MAX = 3;

/** Lines that gather as bytes. What was written is filled again: to touch fresh memory costs a request more than its line. */
export class LineBuffer {
  /** Since the last `take`. */
  bytes = 0;
  lines = 0;
  #full: Buffer[] = [];
  #slab: Buffer | null = null;
  #at = 0;
  readonly #spare: Buffer[] = [];
  readonly #slabBytes: number;

  constructor(slabBytes: number = SLAB_BYTES) {
    this.#slabBytes = slabBytes;
  }

  /** Adds the first `length` bytes of a line, and what ends it. */
  add(line: Buffer, length: number, end: Buffer): void {
    const bytes = length + end.length;
    if (this.#slab === null || this.#slab.length - this.#at < bytes) this.#slab = this.#next(bytes);
    line.copy(this.#slab, this.#at, 0, length);
    this.#slab.set(end, this.#at + length);
    this.bytes += bytes;
    this.#at += bytes;
    this.lines++;
  }

  /** Adds the first `length` bytes, a line with its end. */
  addBytes(line: Buffer, length: number): void {
    if (this.#slab === null || this.#slab.length - this.#at < length) this.#slab = this.#next(length);
    line.copy(this.#slab, this.#at, 0, length);
    this.bytes += length;
    this.#at += length;
    this.lines++;
  }

  /** Adds a line as it stands, its end among it. */
  addText(line: string): void {
    const bytesMax = line.length * BYTES_PER_UNIT_MAX;
    if (this.#slab === null || this.#slab.length - this.#at < bytesMax) this.#slab = this.#next(bytesMax);
    const bytes = this.#slab.write(line, this.#at);
    this.bytes += bytes;
    this.#at += bytes;
    this.lines++;
  }

  /** All of it; after it there is nothing. Its pieces come back by `giveBack` once they are written. */
  take(): readonly Buffer[] {
    const all = this.#slab === null ? this.#full : [...this.#full, this.#slab.subarray(0, this.#at)];
    this.#full = [];
    this.#slab = null;
    this.bytes = 0;
    this.lines = 0;
    return all;
  }

  giveBack(pieces: readonly Buffer[]): void {
    for (const { buffer } of pieces) {
      if (buffer.byteLength === this.#slabBytes && this.#spare.length < SPARE_MAX)
        this.#spare.push(Buffer.from(buffer));
    }
  }

  #next(needed: number): Buffer {
    if (this.#slab !== null) this.#full.push(this.#slab.subarray(0, this.#at));
    this.#at = 0;
    const spare = needed > this.#slabBytes ? undefined : this.#spare.pop();
    return spare ?? Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, needed));
  }
}
