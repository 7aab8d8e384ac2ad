import type { Clock } from "../support/clock.ts";
import type { Timers } from "../support/timers.ts";

/** Who hears of what was held back where no further line would say so. */
export interface LeftOut {
  readonly timers: Timers;
  tell(lines: number): void;
}

const WINDOW_MS = 1_000;

/**
 * Lets a few log lines a second through. Returns how many were held back since the last one, or null where this one is
 * held back too: a flood of broken connections must not become a flood of lines. At its end `leftOut` hears of the last ones.
 */
export function createRateGate(clock: Clock, linesPerSecondMax: number, leftOut?: LeftOut): () => number | null {
  let windowEndMs = Number.NEGATIVE_INFINITY;
  let passed = 0;
  let heldBack = 0;
  let cancel: (() => void) | null = null;
  const end = (): void => {
    const lines = heldBack;
    heldBack = 0;
    cancel = null;
    leftOut?.tell(lines);
  };
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs >= windowEndMs) {
      windowEndMs = nowMs + WINDOW_MS;
      passed = 0;
    }
    if (passed >= linesPerSecondMax) {
      heldBack++;
      // By then a flood that goes on has had its next line, which tells.
      cancel ??= leftOut?.timers.after(2 * WINDOW_MS, end) ?? null;
      return null;
    }
    passed++;
    const suppressed = heldBack;
    heldBack = 0;
    cancel?.();
    cancel = null;
    return suppressed;
  };
}
