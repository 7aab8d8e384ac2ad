import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SharedCounts } from "../../src/limits/quota/shared-counts.ts";

const LIMIT = 1_000;
const HOUR_MS = 3_600_000;

function setUp(keysMax = 64) {
  const identity = { name: "tokens", by: "tenant", period: "hour", timeZone: "UTC", resetDay: 1, keysMax } as const;
  const shared = new SharedCounts(identity, LIMIT, [1, 2], () => {});
  const { counts, reservations } = shared;
  /** Reserves at an hour's minute, as a request does; null where it is refused. */
  const reserve = (key: string, estimate: number, atMs = 0, keptMs = HOUR_MS) => {
    counts.turn(atMs);
    reservations.sweep(atMs, LIMIT);
    const count = counts.take(shared.keyOf(key), estimate, LIMIT, () => key);
    return count === null ? null : reservations.add(count, estimate, atMs + keptMs);
  };
  const used = (key: string): number => counts.find(shared.keyOf(key))?.used ?? 0;
  return { counts, reservations, reserve, used };
}

describe("a reservation", () => {
  test("holds the estimate, and leaves what the request cost", () => {
    const { reserve, used, reservations } = setUp();
    const cheap = reserve("acme", 200);
    expect(used("acme")).toBe(200);
    cheap?.settle(30, LIMIT);
    expect(used("acme")).toBe(30);
    reserve("acme", 200)?.settle(450, LIMIT);
    expect(used("acme")).toBe(480);
    reserve("acme", 200)?.giveBack(LIMIT);
    expect(used("acme")).toBe(480);
    expect(reservations.open.size).toBe(0);
  });

  test("ends once", () => {
    const { reserve, used } = setUp();
    const one = reserve("acme", 200);
    one?.settle(30, LIMIT);
    one?.settle(500, LIMIT);
    one?.giveBack(LIMIT);
    expect(used("acme")).toBe(30);
  });

  test("of a window that is over leaves nothing in the next", () => {
    const { reserve, used, counts } = setUp();
    const late = reserve("acme", 200, HOUR_MS - 1);
    expect(reserve("acme", 100, HOUR_MS)).not.toBeNull();
    late?.settle(900, LIMIT);
    expect(used("acme")).toBe(100);
    const later = reserve("acme", 100, HOUR_MS);
    counts.turn(2 * HOUR_MS);
    later?.giveBack(LIMIT);
    expect(used("acme")).toBe(0);
  });

  test("that nobody settles expires: others may have what it holds, and what it costs counts nevertheless", () => {
    const { reserve, used, reservations } = setUp();
    const stuck = reserve("acme", 900, 0, 60_000);
    expect(reserve("acme", 200, 59_999)).toBeNull();
    expect(reserve("acme", 200, 60_000)).not.toBeNull();
    expect([used("acme"), reservations.expired]).toEqual([200, 1]);
    stuck?.settle(700, LIMIT);
    expect(used("acme")).toBe(900);
  });

  test("whose count gave way to others takes nothing from the one that came after it", () => {
    const { reserve, used } = setUp(4);
    const first = reserve("acme", 200);
    for (let at = 0; at < 64; at++) reserve(`flood-${at}`, 300);
    reserve("acme", 100);
    expect(used("acme")).toBe(100);
    first?.settle(50, LIMIT);
    expect(used("acme")).toBe(100);
    reserve("acme", 10)?.settle(60, LIMIT);
    expect(used("acme")).toBe(160);
  });

  test("that cost more than was left makes the key spent: a flood of keys does not bring it back", () => {
    const { reserve, used } = setUp(8);
    reserve("acme", 10)?.settle(5_000, LIMIT);
    for (let at = 0; at < 1_000; at++) reserve(`flood-${at}`, 1);
    expect(used("acme")).toBe(5_000);
    expect(reserve("acme", 1)).toBeNull();
  });

  test("with others under way overshoots by no more than they cost beyond their estimates", () => {
    const request = fc.record({ estimate: fc.integer({ min: 1, max: 300 }), cost: fc.nat(600), early: fc.boolean() });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (all) => {
        const { reserve, used } = setUp();
        const open: (() => void)[] = [];
        let beyond = 0;
        let spent = 0;
        for (const { estimate, cost, early } of all) {
          const reservation = reserve("acme", estimate);
          if (reservation === null) continue;
          beyond += Math.max(0, cost - estimate);
          spent += cost;
          const settle = (): void => reservation.settle(cost, LIMIT);
          if (early) settle();
          else open.push(settle);
        }
        for (const settle of open.reverse()) settle();
        expect(used("acme")).toBe(spent);
        expect(spent).toBeLessThanOrEqual(LIMIT + beyond);
      }),
    );
  });
});
