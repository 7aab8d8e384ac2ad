import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Limit } from "../../src/filters/filter.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import type { AnswerFacts } from "../../src/message/taken.ts";
import { createExchange, createPrincipal, type RequestOptions } from "../fixtures/route-context.ts";
import { ask, compileLimit, limitOf } from "./limit-kit.ts";

const tables = () => new RateTables([1, 2], { monotonicMs: () => 0 });
for (const { prepare } of LIMIT_KINDS) await prepare?.();

const limited = (more: Readonly<Record<string, unknown>>): Limit =>
  limitOf("counted", { rate: "10/hour", key: "client.address", ...more }, tables());

function admitted(limit: Limit, options: RequestOptions, attempts = 100): number {
  return Array.from({ length: attempts }, () => ask(limit, createExchange(options))).filter((one) => one === null)
    .length;
}

describe("what a request costs", () => {
  test.each<[unknown, RequestOptions, number]>([
    [5, {}, 2],
    [{ POST: 10, GET: 2, default: 1 }, { method: "POST" }, 1],
    [{ POST: 10, GET: 2, default: 1 }, { method: "GET" }, 5],
    [{ POST: 10, GET: 2, default: 1 }, { method: "DELETE" }, 10],
    [{ GET: 0, default: 1 }, { method: "GET" }, 100],
    [{ from: "query.count", default: 2 }, { query: "?count=5" }, 2],
    [{ from: "query.count", default: 2 }, {}, 5],
  ])("%j of %j", (cost, options, expected) => {
    expect(admitted(limited({ cost }), options)).toBe(expected);
  });

  test("a claim of the caller is known in phase limit alone", () => {
    const limit = limited({ cost: { from: "jwt.weight", default: 1 } });
    expect(limit.phase).toBe("limit");
    expect(admitted(limit, { principal: createPrincipal({ claims: { weight: 3 } }) })).toBe(3);
  });

  test.each(["-100", "0", "1e9", "0x1", "5.5", " 5", "", "99999999999999999999"])(
    "a client that says it costs '%s' pays the usual price and gets nothing back",
    (count) => {
      const limit = limited({ cost: { from: 'request.headers["x-count"]', default: 2 } });
      expect(admitted(limit, { headers: [["x-count", count]] })).toBe(5);
    },
  );

  test("who costs more than the whole burst is denied, is told no time, and uses nothing up", () => {
    const limit = limited({ cost: { from: "query.count", default: 1 } });
    const verdict = ask(limit, createExchange({ query: "?count=11" }));
    expect(verdict).toMatchObject({ reason: "rate_limited", headers: [] });
    expect(admitted(limit, {})).toBe(10);
  });

  test("what is left and when to come back go by the cost", () => {
    const limit = limited({ rate: "60/minute", burst: 10, cost: 4 });
    const exchange = createExchange();
    ask(limit, exchange);
    expect(exchange.rateLimit).toMatchObject({ remaining: 6, resetSeconds: 4 });
    ask(limit, exchange);
    expect((ask(limit, exchange) as Denial).headers).toEqual([["retry-after", "2"]]);
  });

  test.each([
    [{ cost: 11 }, "never passes"],
    [{ cost: { POST: 20, default: 1 } }, "never passes"],
    [{ cost: { from: "body.count", default: 1 } }, "not known yet"],
    [{ cost: { from: "query", default: 1 } }, "needs a name"],
    [{ cost: { from: "nothing.at.all", default: 1 } }, "no attribute"],
  ])("%j is a problem", (more, text) => {
    const { limit, problems } = compileLimit("x", { rate: "10/hour", key: "principal", ...more }, tables());
    expect(limit).toBeNull();
    expect(problems).toEqual([
      { path: expect.stringMatching(/^limits\.x\.cost/), text: expect.stringContaining(text) },
    ]);
  });
});

describe("only failures or successes count", () => {
  const ended = (status: number, more: Partial<AnswerFacts> = {}): AnswerFacts => ({
    status,
    requestBodyBytes: 0,
    responseBodyBytes: 0,
    callOutcome: "none",
    upstreamMs: 1,
    denied: false,
    ...more,
  });

  /** How many of 100 requests pass that each end so before the next begins. */
  function passing(limit: Limit, facts: AnswerFacts): number {
    let passed = 0;
    for (let at = 0; at < 100; at++) {
      const exchange: Exchange = createExchange();
      if (ask(limit, exchange) === null) passed++;
      exchange.end();
      exchange.settle(facts);
    }
    return passed;
  }

  test.each<[string, AnswerFacts, number]>([
    ["failures", ended(200), 100],
    ["failures", ended(304), 100],
    ["failures", ended(101), 100],
    ["failures", ended(401, { denied: true }), 10],
    ["failures", ended(404), 10],
    ["failures", ended(502), 10],
    ["failures", ended(200, { callOutcome: "ok" }), 100],
    ["failures", ended(200, { callOutcome: "failed" }), 10],
    ["failures", ended(200, { callOutcome: "unknown" }), 10],
    // A stream that its client has seen enough of.
    ["failures", ended(200, { callOutcome: "unknown", responseBodyBytes: 12 }), 100],
    ["successes", ended(200, { callOutcome: "ok" }), 10],
    ["successes", ended(200, { callOutcome: "failed" }), 100],
    ["successes", ended(200, { callOutcome: "unknown", responseBodyBytes: 12 }), 10],
    ["successes", ended(200), 10],
    ["successes", ended(302), 10],
    ["successes", ended(403), 100],
    ["successes", ended(503, { denied: true }), 100],
    ["successes", ended(499, { denied: true }), 100],
  ])("%s: an answer of %j", (count, facts, expected) => {
    expect(passing(limited({ count }), facts)).toBe(expected);
  });

  test.each(["failures", "successes"])("%s: leaving before the answer keeps nothing from being counted", (count) => {
    expect(passing(limited({ count }), ended(499))).toBe(10);
    expect(passing(limited({ count }), ended(0))).toBe(10);
  });

  test("a thousand guesses at once are no more than one after the other", () => {
    const limit = limited({ count: "failures" });
    const exchanges = Array.from({ length: 1000 }, () => createExchange());
    expect(exchanges.filter((exchange) => ask(limit, exchange) === null)).toHaveLength(10);
    for (const exchange of exchanges) exchange.settle(ended(401));
    expect(ask(limit, createExchange())).toBeInstanceOf(Denial);
  });

  test("an honest client whose requests succeed is back at its whole burst when they are answered", () => {
    const limit = limited({ count: "failures" });
    const exchanges = Array.from({ length: 10 }, () => createExchange());
    for (const exchange of exchanges) expect(ask(limit, exchange)).toBeNull();
    for (const exchange of exchanges) exchange.settle(ended(200));
    expect(admitted(limit, {})).toBe(10);
  });
});

describe("a quota", () => {
  const quota = (more: Readonly<Record<string, unknown>>): Limit =>
    limitOf("counted", { quota: "10/day", key: "client.address", ...more }, tables());

  test("has costs as a rate has", () => {
    expect(admitted(quota({ cost: { POST: 5, default: 1 } }), { method: "POST" })).toBe(2);
  });

  test("counts failures alone where asked, and a request that is under way until it is answered", () => {
    const limit = quota({ count: "failures" });
    const exchanges = Array.from({ length: 12 }, () => createExchange());
    expect(exchanges.filter((exchange) => ask(limit, exchange) === null)).toHaveLength(10);
    const ended = {
      status: 200,
      callOutcome: "none",
      requestBodyBytes: 0,
      responseBodyBytes: 0,
      upstreamMs: 1,
      denied: false,
    } as const;
    for (const exchange of exchanges) exchange.settle(ended);
    expect(admitted(limit, {})).toBe(10);
  });

  test("without a key goes by 'absent'", () => {
    expect(ask(quota({ key: "jwt.tenant", absent: "deny" }), createExchange())?.reason).toBe("limit_key_missing");
    expect(admitted(quota({ key: "jwt.tenant", absent: "unlimited" }), {})).toBe(100);
  });
});
