/** A few dozen lines. */
const CHUNK_BYTES = 64 * 1024;
/** UTF-8 of a UTF-16 unit. */
const BYTES_PER_CHAR_MAX = 3;

/**
 * Lines that gather as bytes. Each is copied at once: a text put together of many pieces would have all of them outlive the
 * request, which costs the collector more than the writing.
 */
export class LineBuffer {
  /** Since the last `take`. */
  bytes = 0;
  lines = 0;
  #full: Buffer[] = [];
  #chunk: Buffer | null = null;
  #at = 0;

  /** Adds a text and the end of its line. */
  add(text: string): void {
    const needed = text.length * BYTES_PER_CHAR_MAX + 1;
    if (this.#chunk === null || this.#chunk.length - this.#at < needed) {
      if (this.#chunk !== null) this.#full.push(this.#chunk.subarray(0, this.#at));
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, needed));
      this.#at = 0;
    }
    const end = this.#at + this.#chunk.write(text, this.#at);
    this.#chunk[end] = 0x0a;
    this.bytes += end + 1 - this.#at;
    this.#at = end + 1;
    this.lines++;
  }

  /** All of it, in one piece; after it there is nothing. */
  take(): Buffer {
    const last = this.#chunk === null ? [] : [this.#chunk.subarray(0, this.#at)];
    const all = Buffer.concat([...this.#full, ...last], this.bytes);
    this.#full = [];
    this.#at = 0;
    this.bytes = 0;
    this.lines = 0;
    return all;
  }
}
