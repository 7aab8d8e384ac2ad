// Goal: a quota of the policy is a hard number in each window of the calendar, tells clients when the next one begins, and
// counts nothing that another limit refuses. Method: compiled entries of `limits` and a clock that is moved.
import { describe, expect, test } from "vitest";
import type { Limit } from "../../src/filters/filter.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { warningsOf } from "../policy/policy-kit.ts";
import { ask, compileLimit, limitOf } from "./limit-kit.ts";

for (const { prepare } of LIMIT_KINDS) await prepare?.();

const START_MS = Date.parse("2026-10-24T22:30:00Z"); // half past midnight in Berlin, on the day that has 25 hours
const TABLES = new RateTables([1, 2], { monotonicMs: () => 0 }, 64);

function setUp(
  definition: Readonly<Record<string, unknown>>,
  outside = outsideContext(),
): { limit: Limit; time: ManualTime } {
  const time = new ManualTime(START_MS);
  return { limit: limitOf("daily", definition, TABLES, { ...outside, clock: time }), time };
}

const alice = (): Exchange => createExchange({ principal: createPrincipal({ id: "alice" }) });
const bob = (): Exchange => createExchange({ principal: createPrincipal({ id: "bob" }) });

function passes(limit: Limit, exchange: () => Exchange, attempts: number): number {
  return Array.from({ length: attempts }, () => ask(limit, exchange())).filter((denial) => denial === null).length;
}

describe("a quota", () => {
  test("is a number for each key, until the zone's clocks show midnight", () => {
    const { limit, time } = setUp({ quota: "5/day", key: "principal", timeZone: "Europe/Berlin" });
    expect([passes(limit, alice, 9), passes(limit, bob, 3)]).toEqual([5, 3]);
    time.pass(24.5 * 3_600_000 - 1);
    expect(passes(limit, alice, 9)).toBe(0);
    time.pass(1);
    expect(passes(limit, alice, 9)).toBe(5);
  });

  test("says in each answer what is left, and until when", () => {
    const { limit } = setUp({ quota: "5/day", key: "principal", timeZone: "Europe/Berlin" });
    const exchange = alice();
    ask(limit, exchange);
    expect(exchange.rateLimit).toMatchObject({ remaining: 4, resetSeconds: 24.5 * 3_600 });
    expect(limit.explain(exchange, "/v1")).toBe(
      "quota 5/day in Europe/Berlin for principal okta/alice, counted by this process, 4 left",
    );
  });

  test("that is used up is 429 quota_exceeded, and Retry-After leads to the window's end", () => {
    const { limit, time } = setUp({ quota: "1/hour", key: "principal" });
    ask(limit, alice());
    time.pass(500);
    const exchange = alice();
    const denial = ask(limit, exchange);
    expect(denial).toMatchObject({
      reason: "quota_exceeded",
      seen: "the quota is used up for principal okta/alice",
      wanted: "at most 1/hour",
      headers: [["retry-after", "1800"]],
    });
    expect(exchange.rateLimit).toMatchObject({ remaining: 0, resetSeconds: 1800 });
  });

  test("counts nothing that another limit refuses", () => {
    const { limit } = setUp({ quota: "2/day", key: "principal" });
    for (let n = 0; n < 10; n++) {
      const exchange = alice();
      expect(ask(limit, exchange)).toBeNull();
      exchange.giveBack();
    }
    expect(passes(limit, alice, 5)).toBe(2);
  });

  test("that is audited tells clients nothing", () => {
    const { limit } = setUp({ quota: "1/day", key: "principal", mode: "audit" });
    const exchange = alice();
    ask(limit, exchange);
    expect(exchange.rateLimit).toBeNull();
    expect(ask(limit, exchange)?.reason).toBe("quota_exceeded");
    expect(exchange.rateLimit).toBeNull();
  });

  test("goes on over a reload that raises it, and begins anew where it is another one", () => {
    const outside = outsideContext();
    const time = new ManualTime(START_MS);
    const load = (definition: Readonly<Record<string, unknown>>): Limit =>
      limitOf("daily", definition, TABLES, { ...outside, clock: time });
    expect(passes(load({ quota: "5/day", key: "principal" }), alice, 9)).toBe(5);
    expect(passes(load({ quota: "7/day", key: "principal" }), alice, 9)).toBe(2);
    expect(passes(load({ quota: "3/day", key: "principal" }), alice, 9)).toBe(0);
    expect(passes(load({ quota: "3/week", key: "principal" }), alice, 9)).toBe(3);
  });

  test("takes no memory of the tables that rates share", () => {
    expect(setUp({ quota: "5/day", key: "principal" }).limit.keys).toBe(0);
  });
});

describe("the words", () => {
  const problems = (definition: Readonly<Record<string, unknown>>): readonly string[] =>
    compileLimit("daily", definition, TABLES).problems.map(({ text }) => text);

  test.each([
    [{ quota: "5/day", resetDay: 2 }, "a quota by day begins anew each day; expected no 'resetDay'"],
    [{ quota: "5/hour", resetDay: 1 }, "a quota by hour begins anew each hour; expected no 'resetDay'"],
    [{ quota: "5/week", resetDay: 8 }, "a week has days 1 (Monday) to 7"],
  ])("%j is a problem", (definition, text) => {
    expect(problems({ key: "principal", ...definition })).toEqual([text]);
  });

  test.each([
    [{ quota: "5/second" }, "expected a quota: COUNT/hour, /day, /week, /month, as in 10000/day"],
    [{ quota: "0/day" }, "expected a quota"],
    [{ quota: 5 }, "expected a quota"],
    [{ quota: "5/day", timeZone: "Europe/Atlantis" }, "expected a time zone"],
    [{ quota: "5/month", resetDay: 32 }, "<=31"],
    [{ quota: "5/day", burst: 5 }, "unknown key 'burst'"],
  ])("%j is none of the language", (definition, text) => {
    expect(() => problems({ key: "principal", ...definition })).toThrow(text);
  });

  test("without a state folder check says what is lost, where that is more than an hour", async () => {
    const policy = (quota: string, state = ""): string => `version: 1
service: orders
${state}
listeners: [{ name: inbound, address: "127.0.0.1:8443", upstream: app }]
upstreams: { app: { address: "http://127.0.0.1:3000" } }
limits: { daily: { quota: ${quota}, key: client.address } }
defaults: { limit: [daily] }
routes: [{ path: /, public: true }]
`;
    const lost = /without 'state' a restart forgets what was counted/;
    expect((await warningsOf(policy("5/day"))).filter((line) => lost.test(line))).toHaveLength(1);
    expect((await warningsOf(policy("5/hour"))).filter((line) => lost.test(line))).toEqual([]);
    const state = "state: { directory: /var/lib/postern }";
    expect((await warningsOf(policy("5/day", state))).filter((line) => lost.test(line))).toEqual([]);
  });
});
