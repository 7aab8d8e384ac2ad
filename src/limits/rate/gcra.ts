import type { Rate } from "../../support/units.ts";
import { TICK_MS } from "./rate-table.ts";

/** A rate as `RateTable` counts it (GCRA, ITU-T I.371): the time between requests, and how much of it may be used up at once. */
export interface Gcra {
  readonly intervalMs: number;
  readonly toleranceMs: number;
}

/** `burst`: requests that may come at once; the rate's count if absent. Rounded up to the tick: never more than the rate says. */
export function gcraOf({ count, windowSeconds }: Rate, burst: number = count): Gcra {
  const intervalMs = Math.ceil((windowSeconds * 1000) / count / TICK_MS) * TICK_MS;
  return { intervalMs, toleranceMs: burst * intervalMs };
}
