/** Bytes that are taken at once: to ask for few costs as much. */
const BLOCK_BYTES = 16_384;
/**
 * Of those, so many are made digits at once. Ids are slices of the digits, which stay as long as any request that has one: many
 * of them would be copied by each collection, and soon be with what lasts.
 */
const PIECE_BYTES = 256;

/** Hexadecimal digits that nobody can guess. */
export class RandomIds {
  readonly #random: (bytes: number) => Buffer;
  #block: Buffer = Buffer.alloc(0);
  /** Where the piece stands that `#digits` is of. */
  #start = -PIECE_BYTES;
  #digits = "";
  #at = 0;

  /** `random`: so many random bytes. */
  constructor(random: (bytes: number) => Buffer) {
    this.#random = random;
  }

  traceId(): string {
    const at = this.#take(32);
    return this.#digits.slice(at, at + 32);
  }

  spanId(): string {
    const at = this.#take(16);
    return this.#digits.slice(at, at + 16);
  }

  /** 0 to 1, without 1. */
  ratio(): number {
    const at = this.#take(8);
    return this.#block.readUInt32BE(this.#start + at / 2) / 2 ** 32;
  }

  /** Where so many digits stand that nobody had. */
  #take(digits: number): number {
    if (this.#at + digits > this.#digits.length) {
      this.#start += PIECE_BYTES;
      if (this.#start >= this.#block.length) {
        this.#block = this.#random(BLOCK_BYTES);
        this.#start = 0;
      }
      this.#digits = this.#block.toString("hex", this.#start, this.#start + PIECE_BYTES);
      this.#at = 0;
    }
    this.#at += digits;
    return this.#at - digits;
  }
}
