// Goal: a counter cannot be washed out: not by another limit's keys, not by fresh keys of its own limit, not by a reload;
// what does give way is counted, and an honest client finds room. Method: the limits and the table as the process has them.
import { describe, expect, test } from "vitest";
import type { Limit } from "../../src/filters/filter.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { ask, limitOf } from "./limit-kit.ts";

const SEED = [0x12345678, 0x9abcdef0] as const;
const ATTACKER = "192.0.2.1";
const LOGIN = { rate: "5/minute", key: "client.address" };

class MovedClock {
  nowMs = 0;
  monotonicMs(): number {
    return this.nowMs;
  }
}

const world = (keysMax?: number) => {
  const clock = new MovedClock();
  return { clock, tables: new RateTables(SEED, clock, keysMax) };
};

function passes(limit: Limit, exchange: Exchange, attempts: number): number {
  let passed = 0;
  for (let attempt = 0; attempt < attempts; attempt++) if (ask(limit, exchange) === null) passed++;
  return passed;
}

const address = (text: string): Exchange => createExchange({ peer: text });
const tenant = (value: string): Exchange => createExchange({ peer: ATTACKER, headers: [["x-tenant", value]] });
/** Of 2001:db8::/32, which has as many /64 as a test can want. */
const network = (at: number): Exchange =>
  address(`2001:db8:${(at >>> 16).toString(16)}:${(at & 0xffff).toString(16)}::1`);

describe("keys that anybody can invent", () => {
  test.each([
    "1/day", // each of these keys is used up at once, and for longer than the login's
    "1000/hour",
    "1000000/second",
  ])("200,000 values of a header, each counted by %s, leave the login's counter as it was", (rate) => {
    const { tables } = world();
    const login = limitOf("login", LOGIN, tables);
    const perTenant = limitOf("perTenant", { rate, key: 'request.headers["x-tenant"]', absent: "deny" }, tables);
    expect(passes(login, address(ATTACKER), 100)).toBe(5);
    for (let at = 0; at < 200_000; at++) ask(perTenant, tenant(`${at}`));
    expect(passes(login, address(ATTACKER), 100)).toBe(0);
    expect(login.report().evictions).toBe(0);
    expect(perTenant.report().evictions).toBeGreaterThan(100_000);
  });

  test("an honest client behind such a flood has its whole burst in every limit, by address and by header", () => {
    const { tables } = world();
    const login = limitOf("login", LOGIN, tables);
    const perTenant = limitOf(
      "perTenant",
      { rate: "10/hour", key: 'request.headers["x-tenant"]', absent: "deny" },
      tables,
    );
    for (let at = 0; at < 200_000; at++) {
      ask(login, address(ATTACKER));
      ask(perTenant, tenant(`${at}`));
    }
    expect(passes(login, address("198.51.100.7"), 10)).toBe(5);
    expect(passes(perTenant, tenant("acme"), 20)).toBe(10);
  });
});

describe("within one limit", () => {
  test("what is used up is not pushed out by fresh keys, however many; what has the most left goes, and is counted", () => {
    const { tables } = world(1_024);
    const login = limitOf("login", LOGIN, tables);
    expect(passes(login, address(ATTACKER), 10)).toBe(5);
    for (let at = 0; at < 50_000; at++) ask(login, network(at));
    expect(passes(login, address(ATTACKER), 10)).toBe(0);
    expect(login.report().evictions).toBeGreaterThan(45_000);
  });

  test("where it is full of keys that are used up, a newcomer is served whole, in place of the one nearest to its next request", () => {
    const { clock, tables } = world(1_024);
    const login = limitOf("login", LOGIN, tables);
    for (let at = 0; at < 10_000; at++) {
      clock.nowMs += 1;
      passes(login, network(at), 6);
    }
    const before = login.report().evictions;
    expect(passes(login, address("198.51.100.7"), 10)).toBe(5);
    expect(login.report().evictions).toBe(before + 1);
    // The latest are used up hardest, and keep their slots.
    for (let at = 9_990; at < 10_000; at++) expect(passes(login, network(at), 1)).toBe(0);
  });

  test("to wash out one counter takes as many used up keys as there are slots, each at the price of a burst", () => {
    const { tables } = world();
    const login = limitOf("login", LOGIN, tables);
    expect(passes(login, address(ATTACKER), 10)).toBe(5);
    for (let at = 0; at < DEFAULTS.rateKeys / 4; at++) passes(login, network(at), 5);
    expect(passes(login, address(ATTACKER), 10)).toBe(0);
  });

  test("keys that a slower limit left behind are used up for as long as the new one says, and hold no slot for longer", () => {
    const { clock, tables } = world(1_024);
    const slow = limitOf("login", { rate: "1/day", key: "client.address" }, tables);
    for (let at = 0; at < 5_000; at++) ask(slow, network(at));
    const login = limitOf("login", LOGIN, tables);
    for (let at = 5_000; at < 10_000; at++) ask(login, network(at));
    clock.nowMs += 60_000;
    expect(passes(login, address(ATTACKER), 10)).toBe(5);
    for (let at = 10_000; at < 20_000; at++) ask(login, network(at));
    expect(passes(login, address(ATTACKER), 10)).toBe(0);
  });
});

describe("shares", () => {
  test("a reload keeps the counters of a limit whose name, key and size it keeps, whatever becomes of its rate and of others", () => {
    const { tables } = world();
    const login = limitOf("login", LOGIN, tables);
    expect(passes(login, address(ATTACKER), 10)).toBe(5);
    limitOf("another", LOGIN, tables);
    expect(passes(limitOf("login", { ...LOGIN, rate: "4/minute" }, tables), address(ATTACKER), 10)).toBe(0);
    expect(passes(limitOf("renamed", LOGIN, tables), address(ATTACKER), 10)).toBe(5);
    const byBoth = { ...LOGIN, key: ["client.address", "route"] };
    expect(passes(limitOf("login", byBoth, tables), address(ATTACKER), 10)).toBe(5);
  });

  test("a share has the size that its limit asks for", () => {
    const { tables } = world();
    const bytes = (keys: number) => tables.share(`${keys}`, keys).bytes;
    expect(bytes(65_536)).toBeLessThan(0.9 * 2 ** 20);
    expect(bytes(1_024)).toBeLessThan(17 * 1024);
    expect(tables.share("a", 1_024)).toBe(tables.share("a", 1_024));
    expect(tables.share("a", 1_024)).not.toBe(tables.share("a", 2_048));
  });

  test("evictions are counted over all threads of a table, and past 2³²", () => {
    const clock = new MovedClock();
    const table = new RateTable(20, SEED, clock);
    const twin = new RateTable(table.share(), SEED, clock);
    new Int32Array(table.share(), 0, 10)[4] = -2;
    for (let at = 0; at < 20; at++) count(table, `${at}`);
    expect(table.evictions).toBe(2 ** 32 - 2);
    for (const each of [table, twin, twin]) count(each, `fresh ${each.evictions}`);
    expect([table.evictions, twin.evictions]).toEqual([2 ** 32 + 1, 2 ** 32 + 1]);
  });
});

function count(table: RateTable, key: string): void {
  table.hash.copy(table.prefix(key));
  table.take(1000, 10_000);
}
