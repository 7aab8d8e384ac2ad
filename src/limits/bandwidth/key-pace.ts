import type { Pace, Way } from "../../message/pace.ts";
import type { Timers } from "../../support/timers.ts";
import type { RateTable } from "../rate/rate-table.ts";

export interface PaceFacts {
  readonly table: RateTable;
  readonly timers: Timers;
  /** One of the two, or null for both together. */
  readonly way: Way | null;
  /** Of one byte, and of the bytes that may come at once. */
  readonly byteMs: number;
  readonly toleranceMs: number;
}

/**
 * The bytes of one request among all of its key: they share one bucket, so that more connections are no more bytes. What was
 * read is paid for afterwards: nobody overshoots by more than one read of each request that is under way.
 */
export class KeyPace implements Pace {
  readonly #facts: PaceFacts;
  readonly #high: number;
  readonly #low: number;
  /** False for a limit that only audits. */
  readonly #isEnforced: boolean;
  readonly #onOver: () => void;

  /** Of the key that is finished in the table's hash. `onOver` is called when it has to wait. */
  constructor(facts: PaceFacts, isEnforced: boolean, onOver: () => void) {
    this.#facts = facts;
    this.#high = facts.table.hash.high;
    this.#low = facts.table.hash.low;
    this.#isEnforced = isEnforced;
    this.#onOver = onOver;
  }

  spend(way: Way, bytes: number): number {
    const { table, byteMs, toleranceMs } = this.#facts;
    if (this.#facts.way !== null && this.#facts.way !== way) return 0;
    const waitMs = table.spend(this.#high, this.#low, bytes * byteMs, toleranceMs);
    if (waitMs > 0) this.#onOver();
    return this.#isEnforced ? waitMs : 0;
  }

  after(delayMs: number, run: () => void): () => void {
    return this.#facts.timers.after(Math.ceil(delayMs), run);
  }
}
