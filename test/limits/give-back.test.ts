import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RateTable, TICK_MS } from "../../src/limits/rate/rate-table.ts";

class MovedClock {
  nowMs = 0;
  monotonicMs(): number {
    return this.nowMs;
  }
}

const INTERVAL_MS = 100;
const BURST = 5;

function tableOf(clock: MovedClock) {
  const table = new RateTable(64, [1, 2], clock);
  const prefix = table.prefix("key");
  const take = (units = 1): { used: number; back: () => void } => {
    table.hash.copy(prefix);
    const used = table.take(INTERVAL_MS * units, BURST * INTERVAL_MS);
    const { high, low } = table.hash;
    const { takenTat } = table;
    return { used, back: () => table.giveBack(high, low, INTERVAL_MS * units, takenTat) };
  };
  return { table, take };
}

describe("what is given back", () => {
  test("at once is as if it had never been taken", () => {
    const clock = new MovedClock();
    const { take } = tableOf(clock);
    for (let round = 0; round < 1000; round++) take(1 + (round % BURST)).back();
    for (let at = 0; at < BURST; at++) expect(take().used).toBeGreaterThan(0);
    expect(take().used).toBeLessThan(0);
  });

  test("a request that is held open for long earns its client nothing when it is given back", () => {
    const clock = new MovedClock();
    const { take } = tableOf(clock);
    const held = Array.from({ length: BURST }, () => take());
    clock.nowMs += BURST * INTERVAL_MS;
    for (let at = 0; at < BURST; at++) expect(take().used).toBeGreaterThan(0);
    for (const { back } of held) back();
    expect(take().used).toBeLessThan(0);
  });

  test("never more is admitted than by a bucket in which it never was, whatever comes in between", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("take" as const), units: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant("back" as const), at: fc.nat(20) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 3 * INTERVAL_MS }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = new MovedClock();
        const { take } = tableOf(clock);
        const held: { atMs: number; units: number; isBack: boolean; back: () => void }[] = [];
        for (const one of steps) {
          if (one.kind === "wait") clock.nowMs += one.ms;
          else if (one.kind === "take") {
            const { used, back } = take(one.units);
            if (used > 0) held.push({ atMs: clock.nowMs, units: one.units, isBack: false, back });
          } else {
            const which = held.filter(({ isBack }) => !isBack).at(one.at % Math.max(1, held.length));
            if (which === undefined) continue;
            which.back();
            which.isBack = true;
          }
        }
        // What was admitted and stayed fits a leaky bucket of this size and rate, without what was given back.
        let levelMs = 0;
        let beforeMs = 0;
        for (const { atMs, units, isBack } of held) {
          levelMs = Math.max(0, levelMs - (atMs - beforeMs));
          beforeMs = atMs;
          if (!isBack) levelMs += units * INTERVAL_MS;
          expect(levelMs).toBeLessThanOrEqual(BURST * INTERVAL_MS + TICK_MS);
        }
      }),
      { numRuns: 500 },
    );
  });
});
