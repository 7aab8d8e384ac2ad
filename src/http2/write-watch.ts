import type { Clock } from "../support/clock.ts";
import type { Timed } from "../support/deadlines.ts";

/**
 * How long the other side has taken nothing of what was written to its socket. That bounds the frames of the connection
 * itself, too, which wait for nobody: answers to PING and SETTINGS, resets, windows.
 */
export class WriteWatch implements Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #onStuck: () => void;

  constructor(timeoutMs: number, clock: Clock, onStuck: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#onStuck = onStuck;
  }

  /** The socket has more than it takes. */
  begin(): void {
    if (this.deadlineMs === Number.POSITIVE_INFINITY) this.deadlineMs = this.#clock.monotonicMs() + this.#timeoutMs;
  }

  /** It has taken all of it. */
  end(): void {
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  onDeadline(): void {
    this.#onStuck();
  }
}
