import { Denial } from "../decision/verdict.ts";
import type { Timed } from "../support/deadlines.ts";
import type { TransactionDeps } from "./transaction-deps.ts";

/** The time that the policy gives a whole exchange with the service, from its first attempt. */
export class DurationLimit implements Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #deps: TransactionDeps;
  readonly #onOver: (denial: Denial) => void;

  constructor(deps: TransactionDeps, onOver: (denial: Denial) => void) {
    this.#deps = deps;
    this.#onOver = onOver;
  }

  /** `maxMs`: Infinity for none. Another start changes nothing. */
  start(maxMs: number): void {
    if (maxMs === Number.POSITIVE_INFINITY || this.deadlineMs !== Number.POSITIVE_INFINITY) return;
    this.deadlineMs = this.#deps.clock.monotonicMs() + maxMs;
    this.#deps.deadlines.add(this);
  }

  stop(): void {
    if (this.deadlineMs !== Number.POSITIVE_INFINITY) this.#deps.deadlines.remove(this);
  }

  onDeadline(): void {
    this.#deps.deadlines.remove(this);
    this.#onOver(new Denial("stream_duration_exceeded", null, "an exchange that goes on", "its end"));
  }
}
