import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Acquirer } from "./upstream.ts";

/** Those who wait for a connection, first come first served; bounded, and nobody waits longer than `patienceMs`. */
export class WaitingLine {
  readonly #waiting = new Map<Acquirer, Timed>();
  readonly #patienceMs: number;
  readonly #onImpatient: (acquirer: Acquirer) => void;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;

  /** `onImpatient` is called for each who waited in vain; it has left the line then. */
  constructor(patienceMs: number, onImpatient: (acquirer: Acquirer) => void, clock: Clock, deadlines: Deadlines) {
    this.#patienceMs = patienceMs;
    this.#onImpatient = onImpatient;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  get length(): number {
    return this.#waiting.size;
  }

  get isFull(): boolean {
    return this.#waiting.size >= DEFAULTS.upstreamQueueMax;
  }

  join(acquirer: Acquirer): void {
    const timed: Timed = {
      deadlineMs: this.#clock.monotonicMs() + this.#patienceMs,
      onDeadline: () => {
        this.leave(acquirer);
        this.#onImpatient(acquirer);
      },
    };
    this.#waiting.set(acquirer, timed);
    this.#deadlines.add(timed);
  }

  leave(acquirer: Acquirer): void {
    const timed = this.#waiting.get(acquirer);
    if (timed !== undefined) this.#deadlines.remove(timed);
    this.#waiting.delete(acquirer);
  }

  /** The first, who leaves the line; undefined where it is empty. */
  next(): Acquirer | undefined {
    for (const acquirer of this.#waiting.keys()) {
      this.leave(acquirer);
      return acquirer;
    }
    return undefined;
  }
}
