// Goal: no key gets more than its quota in a window, whatever the order of requests, costs and gifts back; memory is bounded,
// and no flood of keys makes a spent one fresh. Method: a naive table that remembers every key; floods; a clock that is moved.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Calendar } from "../../../src/limits/quota/calendar.ts";
import { type Count, Counts } from "../../../src/limits/quota/counts.ts";
import { DEFAULTS } from "../../../src/support/defaults.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);

function dailyCounts(keysMax = 1_000, onRoll = () => {}): Counts {
  const calendar = new Calendar({ period: "day", timeZone: "UTC", resetDay: 1 });
  const counts = new Counts("daily", calendar, keysMax, onRoll);
  counts.turn(START_MS);
  return counts;
}

const take = (counts: Counts, key: number, amount: number, limit: number): Count | null =>
  counts.take(key, amount, limit, () => `key ${key}`);

test("a quota of n admits n, and n again when the window is over", () => {
  let rolls = 0;
  const counts = dailyCounts(1_000, () => rolls++);
  const admitted = (): number => Array.from({ length: 9 }, () => take(counts, 7, 1, 5)).filter(Boolean).length;
  expect(admitted()).toBe(5);
  counts.turn(START_MS + DAY_MS - 1);
  expect(admitted()).toBe(0);
  counts.turn(START_MS + DAY_MS);
  expect([admitted(), rolls]).toEqual([5, 2]);
});

test("as a naive table, over any costs, gifts back, resets, windows and changes of the limit", () => {
  const act = fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("take" as const), key: fc.nat(5), amount: fc.nat(7) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("back" as const), nth: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(DAY_MS) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset" as const), key: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("limit" as const), to: fc.nat(30) }) },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 120 }), (acts) => {
      const counts = dailyCounts();
      let naive = new Map<number, number>();
      let taken: { count: Count; amount: number; startMs: number; of: Map<number, number>; life: number }[] = [];
      const lives = new Map<number, number>();
      let nowMs = START_MS;
      let limit = 12;
      for (const one of acts) {
        if (one.kind === "take") {
          const count = take(counts, one.key, one.amount, limit);
          const used = (naive.get(one.key) ?? 0) + one.amount;
          expect(count !== null).toBe(used <= limit);
          if (count === null) continue;
          naive.set(one.key, used);
          const life = lives.get(one.key) ?? 0;
          taken.push({ count, amount: one.amount, startMs: counts.window.startMs, of: naive, life });
        } else if (one.kind === "back") {
          const [entry] = taken.splice(one.nth, 1);
          if (entry === undefined) continue;
          counts.giveBack(entry.count, entry.amount, entry.startMs);
          const { key } = entry.count;
          if (entry.of === naive && entry.life === (lives.get(key) ?? 0)) {
            naive.set(key, (naive.get(key) ?? 0) - entry.amount);
          }
        } else if (one.kind === "pass") {
          nowMs += one.ms;
          const before = counts.window.startMs;
          if (counts.turn(nowMs).startMs !== before) naive = new Map();
        } else if (one.kind === "reset") {
          counts.reset(one.key);
          naive.delete(one.key);
          lives.set(one.key, (lives.get(one.key) ?? 0) + 1);
        } else limit = one.to;
      }
      taken = [];
      for (const [key, used] of naive) expect(counts.find(key)?.used).toBe(used);
    }),
    { numRuns: 300, seed: 12 },
  );
});

describe("a million keys", () => {
  test("make no spent key fresh, and hold no more memory than was given", () => {
    const counts = dailyCounts(2_000);
    const spent = Array.from({ length: 50 }, (_, at) => at);
    for (const key of spent) while (take(counts, key, 1, 20) !== null);
    for (let key = 1_000; key < 1_001_000; key++) take(counts, key, 1, 20);
    for (const key of spent) expect(take(counts, key, 1, 20)).toBeNull();
    expect(counts.size).toBeLessThanOrEqual(2_000);
    expect(counts.changes).toBeLessThanOrEqual(2 * 2_000 + DEFAULTS.quotaBatchRows);
    expect(counts.evictions).toBeGreaterThan(990_000);
  });

  test("that come once do not push out those that come often", () => {
    const counts = dailyCounts(2_000);
    const regular = Array.from({ length: 100 }, (_, at) => at);
    for (const key of regular) for (let n = 0; n < 5; n++) take(counts, key, 1, 1_000);
    for (let key = 1_000; key < 1_001_000; key++) take(counts, key, 1, 1_000);
    for (const key of regular) expect(counts.find(key)?.used).toBe(5);
  });

  test("that all spend what they have get that much and no more than the shared counts besides", () => {
    const counts = dailyCounts(2_000);
    let admitted = 0;
    for (let key = 0; key < 1_000_000; key++) while (take(counts, key, 1, 2) !== null) admitted++;
    expect(admitted).toBe((2_000 + DEFAULTS.quotaSharedCounts) * 2);
    expect(take(counts, 0, 1, 2)).toBeNull();
    expect(counts.overflows).toBeGreaterThan(0);
    expect(counts.size).toBe(2_000 + DEFAULTS.quotaSharedCounts);
  });

  test("that ask for more than a quota has hold no place", () => {
    const counts = dailyCounts(2_000);
    for (let key = 0; key < 100_000; key++) expect(take(counts, key, 9, 8)).toBeNull();
    expect(counts.size).toBe(0);
  });

  test("that are refused after one small request give way like others", () => {
    const counts = dailyCounts(2_000);
    for (let key = 0; key < 100_000; key++) {
      take(counts, key, 1, 10);
      expect(take(counts, key, 10, 10)).toBeNull();
    }
    expect(counts.overflows).toBe(0);
  });
});

describe("what goes to the file", () => {
  test("is each change once, and a key that went and came again goes first", () => {
    const counts = dailyCounts(1);
    take(counts, 1, 3, 10);
    take(counts, 1, 2, 10);
    expect(counts.drain(10)).toMatchObject({ keys: Float64Array.of(1), used: Float64Array.of(5), labels: ["key 1"] });
    expect(counts.drain(10)).toBeNull();
    take(counts, 2, 1, 10); // 1 gives way
    take(counts, 1, 1, 10); // and 2 again, before the file has heard of it
    expect(counts.drain(10)).toMatchObject({ gone: Float64Array.of(1), keys: Float64Array.of(1) });
  });

  test("is handed over some at a time, what is gone before all else", () => {
    const counts = dailyCounts(100);
    for (let key = 0; key < 50; key++) take(counts, key, 1, 10);
    while (counts.drain(10) !== null);
    for (let key = 0; key < 50; key++) counts.reset(key);
    for (let key = 0; key < 50; key++) take(counts, key, 1, 10);
    const batches = [];
    for (let batch = counts.drain(30); batch !== null; batch = counts.drain(30)) {
      batches.push([batch.gone.length, batch.keys.length]);
    }
    expect(batches).toEqual([
      [30, 0],
      [20, 30],
      [0, 20],
    ]);
  });

  test("a label goes once", () => {
    const counts = dailyCounts();
    take(counts, 1, 1, 10);
    expect(counts.drain(10)?.labels).toEqual(["key 1"]);
    take(counts, 1, 1, 10);
    expect(counts.drain(10)?.labels).toEqual([null]);
    counts.redo();
    expect(counts.drain(10)?.labels).toEqual(["key 1"]);
  });

  test("what was counted before the file could be read is added to what it has", () => {
    const counts = dailyCounts();
    take(counts, 1, 4, 10);
    counts.restore(1, 6, "key 1", 10);
    counts.restore(2, 10, "key 2", 10);
    expect(counts.find(1)).toMatchObject({ used: 10, isSpent: true });
    expect([take(counts, 1, 1, 10), take(counts, 2, 1, 10)]).toEqual([null, null]);
    expect(counts.drain(10)).toMatchObject({ keys: Float64Array.of(1), used: Float64Array.of(10) });
  });
});
