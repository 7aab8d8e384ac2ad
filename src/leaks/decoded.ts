/**
 * A text without what its format puts around characters, and where each of its bytes stands in the source. Nothing is copied
 * where there is nothing to decode.
 */
export class Decoded {
  readonly bytes: Buffer;
  /** Bytes of the source that were read; behind them stands what is not whole yet. */
  readonly sourceLength: number;
  /** Stretches: where each begins, in the text and in the source; null where both are the same. */
  readonly #stretches: Stretches | null;

  constructor(bytes: Buffer, sourceLength: number, stretches: Stretches | null) {
    this.bytes = bytes;
    this.sourceLength = sourceLength;
    this.#stretches = stretches;
  }

  /** Where that begins in the source which the byte at `at` was made of; its end, for the end of the text. */
  sourceStart(at: number): number {
    if (this.#stretches === null) return at;
    return at >= this.bytes.length ? this.sourceLength : this.#stretches.startOf(at);
  }

  /** Where that ends which the byte before `at` was made of. */
  sourceEnd(at: number): number {
    return this.#stretches === null || at === 0 ? at : this.#stretches.endOf(at - 1);
  }
}

/** Bytes that stand in the source as they are, or some that were made of others. */
export class Stretches {
  readonly #at: number[] = [];
  readonly #source: number[] = [];
  /** Bytes of the source that all of the stretch was made of; 0 where each byte is itself. */
  readonly #made: number[] = [];

  add(at: number, source: number, made: number): void {
    this.#at.push(at);
    this.#source.push(source);
    this.#made.push(made);
  }

  startOf(at: number): number {
    const index = this.#indexOf(at);
    const source = this.#source[index] ?? 0;
    return this.#made[index] === 0 ? source + at - (this.#at[index] ?? 0) : source;
  }

  endOf(at: number): number {
    const index = this.#indexOf(at);
    const made = this.#made[index] ?? 0;
    return made === 0 ? this.startOf(at) + 1 : (this.#source[index] ?? 0) + made;
  }

  #indexOf(at: number): number {
    let low = 0;
    let high = this.#at.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#at[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Writes a text of what is copied and what is decoded. */
export class DecodedWriter {
  readonly #source: Buffer;
  readonly #out: Buffer;
  readonly #stretches = new Stretches();
  #length = 0;

  constructor(source: Buffer) {
    this.#source = source;
    this.#out = Buffer.allocUnsafe(source.length);
  }

  copy(from: number, to: number): void {
    if (from === to) return;
    this.#stretches.add(this.#length, from, 0);
    this.#length += this.#source.copy(this.#out, this.#length, from, to);
  }

  /** One character, as Unicode has it, of so many bytes from `from` on, which are not fewer than it has as UTF-8. */
  put(char: number, from: number, made: number): void {
    this.#stretches.add(this.#length, from, made);
    if (char < 0x80) this.#out[this.#length++] = char;
    else this.#length += this.#out.write(String.fromCodePoint(char), this.#length, "utf8");
  }

  done(sourceLength: number): Decoded {
    return new Decoded(this.#out.subarray(0, this.#length), sourceLength, this.#stretches);
  }
}
