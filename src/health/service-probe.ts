import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Probe, ProbeAnswer } from "./probe.ts";

/**
 * A probe of the service's own that anybody may ask for: whoever asks meanwhile, and a moment later, gets the same answer, so
 * that no flood at the port reaches the service.
 */
export class ServiceProbe {
  readonly #probe: Probe;
  readonly #clock: Clock;
  #answer: Promise<ProbeAnswer> | null = null;
  /** Monotonic milliseconds; Infinity while it is asked. */
  #freshUntilMs = Number.POSITIVE_INFINITY;

  constructor(probe: Probe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  ask(): Promise<ProbeAnswer> {
    if (this.#answer !== null && this.#clock.monotonicMs() < this.#freshUntilMs) return this.#answer;
    this.#freshUntilMs = Number.POSITIVE_INFINITY;
    this.#answer = this.#probe().then((answer) => {
      this.#freshUntilMs = this.#clock.monotonicMs() + DEFAULTS.serviceProbeFreshMs;
      return answer;
    });
    return this.#answer;
  }
}
