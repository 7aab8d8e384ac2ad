/** Bytes that are taken at once: to ask for few costs as much. */
const BLOCK_BYTES = 2_048;

/** Hexadecimal digits that nobody can guess. */
export class RandomIds {
  readonly #random: (bytes: number) => Buffer;
  #digits = "";
  #at = 0;

  /** `random`: so many random bytes. */
  constructor(random: (bytes: number) => Buffer) {
    this.#random = random;
  }

  traceId(): string {
    return this.#take(32);
  }

  spanId(): string {
    return this.#take(16);
  }

  /** 0 to 1, without 1. */
  ratio(): number {
    return Number.parseInt(this.#take(8), 16) / 2 ** 32;
  }

  #take(digits: number): string {
    if (this.#at + digits > this.#digits.length) {
      this.#digits = this.#random(BLOCK_BYTES).toString("hex");
      this.#at = 0;
    }
    this.#at += digits;
    return this.#digits.slice(this.#at - digits, this.#at);
  }
}
