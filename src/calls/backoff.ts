/** How long to wait before a call that failed is tried again: twice as long each time, within bounds, never in step with others. */
export class Backoff {
  readonly #msMin: number;
  readonly #msMax: number;
  readonly #random: () => number;
  #failures = 0;

  /** `random`: 0 to 1. */
  constructor(msMin: number, msMax: number, random: () => number) {
    this.#msMin = msMin;
    this.#msMax = msMax;
    this.#random = random;
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Another failure; the wait in milliseconds, between half of its length and all of it. */
  failed(): number {
    const wholeMs = Math.min(this.#msMin * 2 ** Math.min(this.#failures, 30), this.#msMax);
    this.#failures++;
    return wholeMs / 2 + (wholeMs / 2) * this.#random();
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
