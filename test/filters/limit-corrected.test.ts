import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Limit } from "../../src/filters/filter.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { ask, limitOf } from "./limit-kit.ts";

interface Rate {
  readonly count: number;
  readonly unit: "second" | "minute" | "hour" | "day";
  readonly burst: number;
}

const UNIT_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function define({ count, unit, burst }: Rate, tables: RateTables): Limit {
  return limitOf("login", { rate: `${count}/${unit}`, burst, key: "client.address" }, tables);
}

const askLogin = (limit: Limit) => ask(limit, createExchange({ peer: "192.0.2.1" }), "/login");

/** Whole seconds that a denied client is told to wait. */
function retryAfter(limit: Limit): number | null {
  const verdict = askLogin(limit);
  if (!(verdict instanceof Denial)) return null;
  return Number(verdict.headers.find(([name]) => name === "retry-after")?.[1]);
}

const rates = fc.record({
  count: fc.integer({ min: 1, max: 50 }),
  unit: fc.constantFrom("second", "minute", "hour", "day" as const),
  burst: fc.integer({ min: 1, max: 20 }),
});

describe("a limit that a reload has corrected", () => {
  test("frees whom the old one had locked out, after no more than a burst of the new one, when it says so", () => {
    const property = fc.property(rates, rates, fc.integer({ min: 0, max: 100_000 }), (before, after, pauseMs) => {
      const clock = { nowMs: 5_000, monotonicMs: () => clock.nowMs };
      const tables = new RateTables([1, 2], clock, 64);
      const old = define(before, tables);
      for (let left = before.burst + 3; left > 0; left--) askLogin(old);
      clock.nowMs += pauseMs;
      const corrected = define(after, tables);
      const seconds = retryAfter(corrected);
      if (seconds === null) return;
      const intervalMs = UNIT_MS[after.unit] / after.count;
      const burstMs = after.burst * intervalMs + DEFAULTS.rateClockSkewMsMax;
      expect(seconds * 1_000).toBeLessThanOrEqual(Math.ceil(burstMs / 1_000) * 1_000);
      // Impatience costs nothing.
      clock.nowMs += (seconds * 1_000) / 2;
      const sooner = retryAfter(corrected);
      if (sooner === null) return;
      clock.nowMs += (seconds * 1_000) / 2;
      expect([before, after, pauseMs, askLogin(corrected)]).toEqual([before, after, pauseMs, null]);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  test("the example: one a day becomes ten a second", () => {
    const clock = { nowMs: 5_000, monotonicMs: () => clock.nowMs };
    const tables = new RateTables([1, 2], clock, 64);
    const old = define({ count: 1, unit: "day", burst: 1 }, tables);
    expect([askLogin(old), retryAfter(old)]).toEqual([null, 86_400]);
    const corrected = define({ count: 10, unit: "second", burst: 10 }, tables);
    expect(retryAfter(corrected)).toBe(1);
    clock.nowMs += 100;
    expect(askLogin(corrected)).toBeNull();
  });
});
