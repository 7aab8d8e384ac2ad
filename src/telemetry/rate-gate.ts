import type { Clock } from "../support/clock.ts";

/**
 * Lets a few log lines a second through. Returns how many were held back since the last one, or null where this one is
 * held back too: a flood of broken connections must not become a flood of lines.
 */
export function createRateGate(clock: Clock, linesPerSecondMax: number): () => number | null {
  let windowEndMs = Number.NEGATIVE_INFINITY;
  let passed = 0;
  let heldBack = 0;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs >= windowEndMs) {
      windowEndMs = nowMs + 1000;
      passed = 0;
    }
    if (passed >= linesPerSecondMax) {
      heldBack++;
      return null;
    }
    passed++;
    const suppressed = heldBack;
    heldBack = 0;
    return suppressed;
  };
}
