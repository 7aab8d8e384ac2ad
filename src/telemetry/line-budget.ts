import type { Reason } from "../decision/reason.ts";
import type { Clock } from "../support/clock.ts";
import type { Timers } from "../support/timers.ts";

const SECOND_MS = 1_000;

/**
 * Lets so many lines a second through and counts the others by reason, for a flood of refused requests must not fill the disk. What
 * was left out is told at the end of each second, also where no request follows.
 */
export class LineBudget {
  perSecond: number;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #timers: Timers;
  readonly #tell: (lines: number, reasons: Readonly<Record<string, number>>) => void;
  #endMs = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #leftOut: Map<Reason, number> | null = null;

  constructor(
    clock: Pick<Clock, "monotonicMs">,
    timers: Timers,
    perSecond: number,
    tell: (lines: number, reasons: Readonly<Record<string, number>>) => void,
  ) {
    this.#clock = clock;
    this.#timers = timers;
    this.perSecond = perSecond;
    this.#tell = tell;
  }

  /** Whether there is a line for it. */
  take(reason: Reason): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#endMs) {
      this.#endMs = nowMs + SECOND_MS;
      this.#taken = 0;
    }
    if (this.#taken < this.perSecond) {
      this.#taken++;
      return true;
    }
    if (this.#leftOut === null) {
      this.#leftOut = new Map();
      this.#timers.after(SECOND_MS, () => this.flush());
    }
    this.#leftOut.set(reason, (this.#leftOut.get(reason) ?? 0) + 1);
    return false;
  }

  /** Tells what was left out since the last time. */
  flush(): void {
    const reasons = this.#leftOut;
    this.#leftOut = null;
    if (reasons === null) return;
    const lines = [...reasons.values()].reduce((sum, count) => sum + count, 0);
    this.#tell(lines, Object.fromEntries([...reasons].toSorted(([, a], [, b]) => b - a)));
  }
}
