import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { Backoff } from "./backoff.ts";

/**
 * A circuit breaker: after some failures in a row nobody waits for an endpoint that is down; one call after a while tries
 * it for all.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #opensAtMs = Number.NEGATIVE_INFINITY;
  #isTrying = false;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#backoff = new Backoff(DEFAULTS.breakerMsMin, DEFAULTS.breakerMsMax, random);
  }

  get isOpen(): boolean {
    return this.#backoff.failures >= DEFAULTS.breakerFailures;
  }

  /** Whether a call may go out now. Each yes is followed by `succeeded` or `failed`. */
  allows(): boolean {
    if (!this.isOpen) return true;
    if (this.#isTrying || this.#clock.monotonicMs() < this.#opensAtMs) return false;
    this.#isTrying = true;
    return true;
  }

  succeeded(): void {
    this.#isTrying = false;
    this.#backoff.succeeded();
  }

  failed(): void {
    this.#isTrying = false;
    this.#opensAtMs = this.#clock.monotonicMs() + this.#backoff.failed();
  }
}
