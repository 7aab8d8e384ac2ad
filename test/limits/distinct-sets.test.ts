import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DistinctSets } from "../../src/limits/distinct/distinct-sets.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";

const WINDOW_MS = 600_000;
const STEP_MS = WINDOW_MS / DEFAULTS.distinctSteps;

function setUp(limit = 50, bytesMax = DEFAULTS.distinctBytes) {
  const sets = new DistinctSets({ windowMs: WINDOW_MS, bytesMax }, [0x1234, 0x5678]);
  const prefix = sets.prefix("objects");
  const feed = (key: string, member: string): void => {
    sets.keyHash.copy(prefix);
    sets.keyHash.text(key);
    sets.memberHash.copy(prefix);
    sets.memberHash.text(member);
  };
  const take = (key: string, member: string, atMs = 0): string | number => {
    feed(key, member);
    return sets.take(limit, atMs);
  };
  const isLet = (key: string, member: string, atMs = 0): boolean => typeof take(key, member, atMs) === "string";
  /** Undoes the `take` of the moment before. */
  const giveBack = (atMs = 0): void => sets.giveBack(sets.addition(), atMs);
  return { sets, take, isLet, giveBack };
}

describe("different members of a key", () => {
  test("are exactly as many as the limit; those that count are let through again and again", () => {
    const { take, isLet } = setUp(50);
    for (let at = 0; at < 50; at++) expect(take("ann", `order-${at}`)).toBe("added");
    for (let at = 50; at < 500; at++) expect(isLet("ann", `order-${at}`)).toBe(false);
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 50; at++) expect(take("ann", `order-${at}`)).toBe("known");
    }
    expect(take("bob", "order-60")).toBe("added");
  });

  test("are told apart, ten thousand of them", () => {
    const { take, sets } = setUp(10_000);
    for (let at = 0; at < 10_000; at++) expect(take("ann", String(at))).toBe("added");
    expect(take("ann", "one more")).toBeLessThan(0);
    expect(sets.bytes).toBeLessThan(10_000 * 8 * 4 + 1024);
  });

  test("count for a window after they were asked for last", () => {
    const { take, isLet } = setUp(2);
    expect(isLet("ann", "a", 0)).toBe(true);
    expect(isLet("ann", "b", WINDOW_MS / 2)).toBe(true);
    expect(isLet("ann", "c", WINDOW_MS)).toBe(false);
    expect(isLet("ann", "a", WINDOW_MS)).toBe(true);
    expect(isLet("ann", "c", WINDOW_MS * 1.5 + 2 * STEP_MS)).toBe(true);
    const waitMs = -Number(take("ann", "d", WINDOW_MS * 1.5 + 2 * STEP_MS));
    expect(waitMs).toBeGreaterThan(WINDOW_MS * 0.4);
    expect(isLet("ann", "d", WINDOW_MS * 1.5 + 2 * STEP_MS + waitMs - 1)).toBe(false);
    expect(isLet("ann", "d", WINDOW_MS * 1.5 + 2 * STEP_MS + waitMs)).toBe(true);
  });

  test("one that was taken up for nothing does not count", () => {
    const { isLet, giveBack } = setUp(1);
    expect(isLet("ann", "a")).toBe(true);
    giveBack();
    expect(isLet("ann", "b")).toBe(true);
    expect(isLet("ann", "a")).toBe(false);
  });

  test("are those of a naive count, whatever is asked and whenever", () => {
    const asks = fc.array(
      fc.record({
        key: fc.constantFrom("ann", "bob"),
        member: fc.nat(9).map(String),
        afterSteps: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(600)),
      }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 6 }), (all, limit) => {
        const { isLet } = setUp(limit);
        const seen = new Map<string, Map<string, number>>();
        let step = 0;
        for (const { key, member, afterSteps } of all) {
          step += afterSteps;
          const own = seen.get(key) ?? new Map<string, number>();
          seen.set(key, own);
          for (const [one, at] of own) if (step - at > DEFAULTS.distinctSteps) own.delete(one);
          const expected = own.has(member) || own.size < limit;
          if (expected) own.set(member, step);
          expect(isLet(key, member, step * STEP_MS + 0.25)).toBe(expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("the time of a member that comes round does not bring it back", () => {
    const { isLet } = setUp(3);
    isLet("ann", "old", 0);
    // The key is in use all the while; after 2^20 steps the old member's time would read as now.
    for (let step = 100; step < 2 ** 20; step += 200) isLet("ann", "kept", step * STEP_MS);
    for (const member of ["a", "b"]) expect(isLet("ann", member, (2 ** 20 - 1) * STEP_MS)).toBe(true);
    expect(isLet("ann", "c", (2 ** 20 - 1) * STEP_MS)).toBe(false);
  });
});

describe("a flood of keys", () => {
  test("stays within the memory, and a key at its limit outlives it", () => {
    const { sets, isLet } = setUp(20, 256 * 1024);
    for (let at = 0; at < 20; at++) isLet("thief", `order-${at}`);
    for (let at = 0; at < 100_000; at++) isLet(`flood-${at}`, "one", at / 1_000);
    expect(sets.bytes).toBeLessThanOrEqual(256 * 1024);
    expect(sets.evictions).toBeGreaterThan(90_000);
    expect(isLet("thief", "order-20", 100)).toBe(false);
    expect(isLet("thief", "order-3", 100)).toBe(true);
  });

  test("of keys that are all at their limit pushes out the one that was seen longest ago, and serves newcomers", () => {
    const { sets, isLet } = setUp(4, 64 * 1024);
    for (let key = 0; key < 1_000; key++) for (let at = 0; at < 4; at++) isLet(`thief-${key}`, String(at), key);
    expect(sets.bytes).toBeLessThanOrEqual(64 * 1024);
    expect(isLet("thief-999", "new", 1_000)).toBe(false);
    expect(isLet("honest", "new", 1_001)).toBe(true);
  });

  test("keys that nobody asks of any more go first", () => {
    const { sets, isLet } = setUp(4, 64 * 1024);
    for (let key = 0; key < 100; key++) isLet(`old-${key}`, "one", 0);
    for (let key = 0; key < 130; key++) isLet(`new-${key}`, "one", WINDOW_MS * 2);
    expect(sets.evictions).toBe(0);
  });
});
