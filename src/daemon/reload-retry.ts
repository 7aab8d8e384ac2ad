import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";

/**
 * Asks for a reload again where the policy was sound and the system was not: a port that another process still holds
 * becomes free without a file changing. Each wait is twice the one before.
 */
export class ReloadRetry {
  readonly #clock: Clock;
  readonly #request: () => void;
  #waitMs: number = DEFAULTS.reloadRetryMsMin;
  #left: number = DEFAULTS.reloadRetriesMax;
  #timer: NodeJS.Timeout | null = null;
  #atMs: number | null = null;

  constructor(clock: Clock, request: () => void) {
    this.#clock = clock;
    this.#request = request;
  }

  /** When the next attempt is due, by the wall clock; null where none is. */
  get atMs(): number | null {
    return this.#atMs;
  }

  schedule(): void {
    this.stop();
    if (this.#left === 0) return;
    this.#left--;
    const waitMs = this.#waitMs;
    this.#waitMs = Math.min(2 * waitMs, DEFAULTS.reloadRetryMsMax);
    this.#atMs = this.#clock.wallMs() + waitMs;
    this.#timer = setTimeout(() => {
      this.stop();
      this.#request();
    }, waitMs);
    this.#timer.unref();
  }

  /** The last attempt did not fail for the system. */
  reset(): void {
    this.stop();
    this.#waitMs = DEFAULTS.reloadRetryMsMin;
    this.#left = DEFAULTS.reloadRetriesMax;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#atMs = null;
  }
}
