import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Limit } from "../../src/filters/filter.ts";
import { limitFilter } from "../../src/filters/limit/compile.ts";
import { rateSchema } from "../../src/filters/limit/schema.ts";
import { RateTable, TICK_MS } from "../../src/limits/rate/rate-table.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { UNIX_PEER } from "../../src/message/address.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { sharedClock } from "../../src/support/clock.ts";
import { compileFilter, createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { ask, compileLimit, limitOf } from "./limit-kit.ts";

const SEED = [0x12345678, 0x9abcdef0] as const;

class MovedClock {
  nowMs = 1_000_000.123;
  monotonicMs(): number {
    return this.nowMs;
  }
}

function setUp(
  definition: Readonly<Record<string, unknown>>,
  keys = 1024,
): { limit: Limit; clock: MovedClock; tables: RateTables } {
  const clock = new MovedClock();
  const tables = new RateTables(SEED, clock, keys);
  return { limit: limitOf("perCaller", definition, tables), clock, tables };
}

/** How many requests of `attempts` pass. */
function passes(limit: Limit, exchange: () => Exchange, attempts: number, template = "/v1"): number {
  let passed = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (ask(limit, exchange(), template) === null) passed++;
  }
  return passed;
}

const from =
  (peer: string): (() => Exchange) =>
  () =>
    createExchange({ peer });

describe("the rate", () => {
  test("exactly the burst passes at once, then one for each emission interval", () => {
    const { limit, clock } = setUp({ rate: "10/second", burst: 20, key: "client.address" });
    expect(passes(limit, from("192.0.2.1"), 50)).toBe(20);
    clock.nowMs += 99;
    expect(passes(limit, from("192.0.2.1"), 5)).toBe(0);
    clock.nowMs += 1;
    expect(passes(limit, from("192.0.2.1"), 5)).toBe(1);
    clock.nowMs += 300;
    expect(passes(limit, from("192.0.2.1"), 5)).toBe(3);
    clock.nowMs += 3_600_000;
    expect(passes(limit, from("192.0.2.1"), 50)).toBe(20);
  });

  test.each([
    ["1/second", 1],
    ["3/second", 3],
    ["7/minute", 7],
    ["1000000/second", 100_000],
    ["1000/hour", 1000],
    ["1/day", 30],
  ])("the burst of %s is exact, though its interval is no round number", (rate, burst) => {
    const { limit } = setUp({ rate, burst, key: "client.address" });
    expect(passes(limit, from("192.0.2.1"), burst + 10)).toBe(burst);
  });

  test("the burst defaults to the count of the rate", () => {
    const { limit } = setUp({ rate: "50/second", key: "client.address" });
    expect(passes(limit, from("192.0.2.1"), 100)).toBe(50);
  });

  test("it agrees with a token bucket that is kept naively, whatever the times between requests", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 200 }),
        (intervalMs, burst, waits) => {
          const clock = new MovedClock();
          const table = new RateTable(16, SEED, clock);
          const prefix = table.prefix("twin");
          let tokensMs = burst * intervalMs;
          for (const wait of waits) {
            clock.nowMs += wait;
            tokensMs = Math.min(burst * intervalMs, tokensMs + wait);
            const expected = tokensMs >= intervalMs;
            table.hash.copy(prefix);
            expect(table.take(intervalMs, burst * intervalMs) > 0).toBe(expected);
            if (expected) tokensMs -= intervalMs;
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("refused requests do not make the wait longer", () => {
    const { limit, clock } = setUp({ rate: "1/second", key: "client.address" });
    expect(passes(limit, from("192.0.2.1"), 1000)).toBe(1);
    clock.nowMs += 1000;
    expect(passes(limit, from("192.0.2.1"), 10)).toBe(1);
  });

  test("a clock that goes back gives nothing away and breaks nothing", () => {
    const { limit, clock } = setUp({ rate: "10/second", key: "client.address" });
    expect(passes(limit, from("192.0.2.1"), 10)).toBe(10);
    clock.nowMs -= 500;
    expect(passes(limit, from("192.0.2.1"), 10)).toBe(0);
    clock.nowMs += 600;
    expect(passes(limit, from("192.0.2.1"), 10)).toBe(1);
  });
});

describe("the answer", () => {
  test("a denial names the limit's place, says when to come back, rounded up, and what was seen", () => {
    const { limit, clock } = setUp({ rate: "1/minute", key: "client.address" });
    const exchange = createExchange({ peer: "192.0.2.1" });
    expect(ask(limit, exchange)).toBeNull();
    expect(exchange.rateLimit).toMatchObject({
      policy: { name: "perCaller", quota: 1, windowSeconds: 60, scope: "process" },
      remaining: 0,
      resetSeconds: 60,
      before: null,
    });
    clock.nowMs += 500;
    const denial = ask(limit, exchange);
    expect(denial).toMatchObject({
      reason: "rate_limited",
      headers: [["retry-after", "60"]],
      seen: "the burst is used up for client.address 192.0.2.1",
      wanted: "at most 1/minute, burst 1",
    });
    expect((denial as Denial).place?.path).toBe("limits.perCaller");
    clock.nowMs += 59_499.5;
    expect((ask(limit, exchange) as Denial).headers).toEqual([["retry-after", "1"]]);
  });

  test("the fields tell each limit that the request met", () => {
    const { limit: wide, tables } = setUp({ rate: "100/second", burst: 200, key: "client.address" });
    const narrow = limitOf("narrow", { rate: "10/second", key: "client.address" }, tables);
    const exchange = createExchange();
    ask(wide, exchange);
    ask(narrow, exchange);
    expect(exchange.rateLimit).toMatchObject({
      policy: { name: "narrow" },
      remaining: 9,
      before: { policy: { name: "perCaller", quota: 200, windowSeconds: 2 }, remaining: 199, resetSeconds: 1 },
    });
  });

  test("a limit that only audits counts and denies for the log, and tells clients nothing", () => {
    const { limit } = setUp({ rate: "1/second", key: "client.address", mode: "audit" });
    const exchange = createExchange();
    expect(limit.enforcePercent).toBe(0);
    expect(ask(limit, exchange)).toBeNull();
    expect(ask(limit, exchange)).toBeInstanceOf(Denial);
    expect(exchange.rateLimit).toBeNull();
  });
});

describe("the key", () => {
  const perHeader = { rate: "5/second", key: 'request.headers["X-Tenant"]', absent: "deny" };
  const tenant = (...values: string[]) => createExchange({ headers: values.map((value) => ["x-tenant", value]) });

  test("addresses are counted apart, and IPv6 by its /64", () => {
    const { limit } = setUp({ rate: "5/second", key: "client.address" });
    expect(passes(limit, from("192.0.2.1"), 10)).toBe(5);
    expect(passes(limit, from("192.0.2.2"), 10)).toBe(5);
    expect(passes(limit, from("2001:db8:0:1::1"), 10)).toBe(5);
    expect(passes(limit, from("2001:db8:0:1:ffff::2"), 10)).toBe(0);
    expect(passes(limit, from("2001:db8:0:2::1"), 10)).toBe(5);
    expect(passes(limit, from("::ffff:192.0.2.1"), 10)).toBe(0);
  });

  test("behind a trusted proxy the client is counted, not the proxy", () => {
    const { limit } = setUp({ rate: "5/second", key: "client.address" });
    const behindProxy = (): Exchange => {
      const exchange = createExchange({ peer: "10.0.0.1" });
      exchange.clientAddress = createExchange({ peer: "192.0.2.9" }).clientAddress;
      return exchange;
    };
    expect(passes(limit, behindProxy, 10)).toBe(5);
    expect(passes(limit, from("10.0.0.1"), 10)).toBe(5);
    expect(passes(limit, from("192.0.2.9"), 10)).toBe(0);
  });

  test("callers are counted apart, two authenticators' equal ids too", () => {
    const { limit } = setUp({ rate: "5/second", key: "principal" });
    const as = (authenticator: string, id: string) => () =>
      createExchange({ principal: createPrincipal({ authenticator, id }) });
    expect(passes(limit, as("okta", "alice"), 10)).toBe(5);
    expect(passes(limit, as("okta", "bob"), 10)).toBe(5);
    expect(passes(limit, as("keys", "alice"), 10)).toBe(5);
    expect(passes(limit, as("okta", "alice"), 10)).toBe(0);
  });

  test("without a caller the address is counted, apart from limits by address", () => {
    const { limit } = setUp({ rate: "5/second", key: "principal" });
    expect(passes(limit, from("192.0.2.1"), 10)).toBe(5);
    expect(passes(limit, from("192.0.2.2"), 10)).toBe(5);
  });

  test("leaving a header out gains nothing, nor does an empty one", () => {
    const { limit } = setUp(perHeader);
    expect(ask(limit, createExchange())).toMatchObject({
      reason: "limit_key_missing",
      place: { path: "limits.perCaller.key" },
      seen: 'request.headers["x-tenant"] (absent)',
    });
    expect(ask(limit, tenant(""))).toBeInstanceOf(Denial);
    expect(passes(limit, () => tenant("acme"), 10)).toBe(5);
  });

  test("parts of a key cannot be shifted into one another", () => {
    const { limit } = setUp({
      rate: "1/second",
      key: ['request.headers["a"]', 'request.headers["b"]'],
      absent: "deny",
    });
    const pair = (a: string, b: string) =>
      createExchange({
        headers: [
          ["a", a],
          ["b", b],
        ],
      });
    expect(ask(limit, pair("xy", "z"))).toBeNull();
    expect(ask(limit, pair("x", "yz"))).toBeNull();
    expect(ask(limit, pair("xy", "z"))).toBeInstanceOf(Denial);
  });

  test("routes are counted apart where the key says so, and a list of parts counts every combination", () => {
    const { limit } = setUp({ rate: "5/second", key: ["route", "client.address"] });
    expect(passes(limit, from("192.0.2.1"), 10, "/a")).toBe(5);
    expect(passes(limit, from("192.0.2.1"), 10, "/b")).toBe(5);
    expect(passes(limit, from("192.0.2.2"), 10, "/a")).toBe(5);
    expect(passes(limit, from("192.0.2.1"), 10, "/a")).toBe(0);
  });

  test("the value of a header stands in no log, for it may be a credential", () => {
    const { limit } = setUp({ rate: "1/second", key: 'request.headers["x-api-key"]', absent: "deny" });
    const exchange = createExchange({ headers: [["x-api-key", "hunter2hunter2"]] });
    ask(limit, exchange);
    const denial = ask(limit, exchange);
    expect(JSON.stringify(denial) + limit.explain(exchange, "/v1")).not.toContain("hunter2");
    expect(limit.explain(exchange, "/v1")).toContain('request.headers["x-api-key"] (not shown)');
  });

  test("a limit by address or header stands in admit, one by caller or route waits until they are known", () => {
    const phase = (key: unknown) => setUp({ rate: "1/second", key, absent: "deny" }).limit.phase;
    expect(phase("client.address")).toBe("admit");
    expect(phase(["client.address", 'request.headers["x"]'])).toBe("admit");
    expect(phase("principal")).toBe("limit");
    expect(phase(["client.address", "route"])).toBe("limit");
  });

  test("the peer of a Unix socket is one client", () => {
    const { limit } = setUp({ rate: "2/second", key: "client.address" });
    const local = (): Exchange => {
      const exchange = createExchange();
      exchange.clientAddress = UNIX_PEER;
      return exchange;
    };
    expect(passes(limit, local, 5)).toBe(2);
  });
});

describe("the table", () => {
  test("two limits of one key stay apart, and a reload that compiles the same name keeps its counts", () => {
    const { limit, tables } = setUp({ rate: "5/second", key: "client.address" });
    const other = limitOf("other", { rate: "5/second", key: "client.address" }, tables);
    expect(passes(limit, from("192.0.2.1"), 10)).toBe(5);
    expect(passes(other, from("192.0.2.1"), 10)).toBe(5);
    const reloaded = limitOf("perCaller", { rate: "5/second", key: "client.address" }, tables);
    expect(passes(reloaded, from("192.0.2.1"), 10)).toBe(0);
  });

  test("a reload from a slow to a fast rate does not leave a client waiting by the slow one", () => {
    const { limit, tables, clock } = setUp({ rate: "1/day", key: "client.address" });
    expect(passes(limit, from("192.0.2.1"), 2)).toBe(1);
    const faster = limitOf("perCaller", { rate: "10/second", key: "client.address" }, tables);
    const verdict = ask(faster, createExchange({ peer: "192.0.2.1" }));
    expect(verdict instanceof Denial ? verdict.headers : []).toEqual([["retry-after", "1"]]);
    clock.nowMs += 100;
    expect(passes(faster, from("192.0.2.1"), 5)).toBe(1);
  });

  test("keys whose time has passed are free again, and lose nothing by it", () => {
    const clock = new MovedClock();
    const table = new RateTable(64, SEED, clock);
    const take = (key: string): number => {
      table.hash.copy(table.prefix(key));
      return table.take(100, 1000);
    };
    for (let at = 0; at < 64; at++) take(`${at}`);
    expect(table.liveKeys()).toBeGreaterThan(40);
    const { evictions } = table;
    clock.nowMs += 100;
    expect(table.liveKeys()).toBe(0);
    for (let at = 64; at < 100; at++) take(`${at}`);
    expect(table.evictions).toBe(evictions);
  });

  test("another seed puts keys elsewhere, so nobody can work out which keys meet", () => {
    const words = (seed: readonly [number, number], text: string): number[] => {
      const { hash } = new RateTable(16, seed, new MovedClock());
      hash.text(text);
      hash.finish();
      return [hash.high, hash.low];
    };
    expect(words(SEED, "a")).not.toEqual(words([1, 2], "a"));
    const seen = new Set(Array.from({ length: 20_000 }, (_, at) => words(SEED, `key ${at}`).join()));
    expect(seen.size).toBe(20_000);
  });

  test("buckets fill evenly", () => {
    const clock = new MovedClock();
    const table = new RateTable(4096, SEED, clock);
    for (let at = 0; at < 2048; at++) {
      table.hash.copy(table.prefix(`10.0.${at >> 8}.${at & 255}`));
      table.take(1000, 1000);
    }
    expect(table.liveKeys()).toBeGreaterThan(2000);
  });

  test("a key lies in one line of 64 bytes with its counter, and what one thread counted the next one finds", () => {
    const clock = new MovedClock();
    const table = new RateTable(64, SEED, clock);
    const key = table.prefix("a");
    table.hash.copy(key);
    expect(table.take(100, 1000)).toBe(100);
    const words = new Int32Array(table.share());
    const tats = new Float64Array(table.share());
    const at = words.indexOf(table.hash.low, 16);
    expect([...tats.subarray((at >> 4) * 8, (at >> 4) * 8 + 8)]).toContain(table.takenTat);
    const twin = new RateTable(table.share(), SEED, clock);
    for (const [turn, one] of [twin, table, twin].entries()) {
      one.hash.copy(key);
      expect(one.take(100, 1000)).toBe(200 + 100 * turn);
    }
  });

  test("a key that found its line full is found in another, and only where all are full one gives way", () => {
    const clock = new MovedClock();
    const table = new RateTable(20, SEED, clock);
    const take = (key: string): number => {
      table.hash.copy(table.prefix(key));
      return table.take(100, 1000);
    };
    for (let at = 0; at < 20; at++) expect(take(`${at}`)).toBe(100);
    for (let at = 0; at < 20; at++) expect(take(`${at}`)).toBe(200);
    expect([table.liveKeys(), table.evictions]).toEqual([20, 0]);
    expect(take("one more")).toBe(100);
    expect([table.liveKeys(), table.evictions]).toEqual([20, 1]);
  });

  test("a lock that a dead thread left behind is taken over", () => {
    const table = new RateTable(16, SEED, new MovedClock());
    // Behind the header: the one bucket begins with its lock.
    const locks = new Int32Array(table.share(), 64, 1);
    locks[0] = (7 << 21) | 99;
    table.hash.copy(table.prefix("a"));
    expect(table.take(1000, 1000)).toBe(1000);
    expect(locks[0]).toBe(0);
  });

  test("a buffer that is no rate table is refused", () => {
    expect(() => new RateTable(new SharedArrayBuffer(100), SEED, new MovedClock())).toThrow(RangeError);
  });

  test("threads that share the table never let more pass than the limit, nor less", async () => {
    const nowMs = 5000;
    const burst = 3000;
    const table = new RateTable(64, SEED, { monotonicMs: () => nowMs });
    const keys = ["a", "b", "c"];
    const workerData = {
      buffer: table.share(),
      seed: SEED,
      nowMs,
      keys,
      attempts: 4000,
      intervalMs: 1,
      toleranceMs: burst,
    };
    const workers = Array.from(
      { length: 3 },
      () => new Worker(new URL("../fixtures/rate-worker.ts", import.meta.url), { workerData }),
    );
    try {
      await Promise.all(workers.map((worker) => once(worker, "message")));
      const counts = workers.map((worker) => once(worker, "message"));
      for (const worker of workers) worker.postMessage("go");
      const passed = (await Promise.all(counts)).map(([count]) => count as number[]);
      keys.forEach((_, at) => {
        expect(passed.reduce((sum, count) => sum + (count[at] ?? 0), 0)).toBe(burst);
      });
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  });

  test("the shared clock reads the same in every thread", async () => {
    const url = new URL("../../src/support/clock.ts", import.meta.url).href;
    const code = `import(${JSON.stringify(url)}).then(({ sharedClock }) => {
      const { parentPort } = require("node:worker_threads");
      parentPort.postMessage(sharedClock.monotonicMs());
    });`;
    const before = sharedClock.monotonicMs();
    const worker = new Worker(code, { eval: true });
    const [inWorker] = (await once(worker, "message")) as [number];
    const after = sharedClock.monotonicMs();
    await worker.terminate();
    expect(inWorker).toBeGreaterThan(before - 0.5);
    expect(inWorker).toBeLessThan(after + 0.5);
  });
});

describe("the policy", () => {
  test.each([
    { rate: "0/second", key: "client.address" },
    { rate: "5/second" },
    { rate: "5/second", key: [] },
    { rate: "5/second", key: "route", burst: 0 },
    { rate: "5/second", key: "route", burst: 1.5 },
    { rate: "5/second", keys: "route" },
  ])("%j is no limit", (definition) => {
    expect(rateSchema.safeParse(definition).success).toBe(false);
  });

  test("a burst that needs months to come back is a problem", () => {
    const { limit, problems } = compileLimit(
      "slow",
      { rate: "1/day", burst: 100, key: "route" },
      new RateTables(SEED, new MovedClock()),
    );
    expect(limit).toBeNull();
    expect(problems[0]?.path).toBe("limits.slow.burst");
  });

  test.each(['a"b', "a\\b", "ä", "", "a\nb"])("'%s' cannot be a limit's name, for it stands in a header", (name) => {
    const { limit, problems } = compileLimit(
      name,
      { rate: "1/second", key: "principal" },
      new RateTables(SEED, new MovedClock()),
    );
    expect(limit).toBeNull();
    expect(problems).toHaveLength(1);
  });

  test("each named limit becomes a check of its own with the place of its name", () => {
    const { limit, tables } = setUp({ rate: "1/second", key: "principal" });
    const address = limitOf("perAddress", { rate: "1/second", key: "client.address" }, tables);
    const limits = new Map([
      ["perCaller", limit],
      ["perAddress", address],
    ]);
    const { checks, problems } = compileFilter(limitFilter, ["perCaller", "perAddress"], { limits });
    expect(problems).toEqual([]);
    expect(checks.map((check) => [check.name, check.phase, check.place.path])).toEqual([
      ["limit", "limit", "limit[0]"],
      ["limit", "admit", "limit[1]"],
    ]);
    const exchange = createExchange();
    expect(checks[0]?.evaluate(exchange)).toBeNull();
    expect(checks[0]?.evaluate(exchange)).toBeInstanceOf(Denial);
  });

  test("a name that nobody defined gets the nearest one, one that did not compile gets no second problem", () => {
    const { limit } = setUp({ rate: "1/second", key: "principal" });
    const limits = new Map([["perCaller", limit]]);
    const compiled = compileFilter(limitFilter, ["perCaler", "broken"], { limits, definedLimits: ["broken"] });
    expect(compiled.problems).toEqual([
      { path: "limit[0]", text: "no limit 'perCaler' is defined; did you mean 'perCaller'?" },
    ]);
    expect(compileFilter(limitFilter, [], { limits }).problems).toHaveLength(1);
    expect(compileFilter(limitFilter, ["perCaller", "perCaller"], { limits }).problems).toHaveLength(1);
  });
});

test("the tick divides a millisecond into binary fractions", () => {
  expect(1 / TICK_MS).toBe(1_048_576);
});
