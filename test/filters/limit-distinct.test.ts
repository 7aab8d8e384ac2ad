// Goal: a guard counts different values for each caller, on routes that have them, over reloads. Method: compiled entries of
// `limits`, a clock that is moved, and policies through the loader.
import { describe, expect, test } from "vitest";
import type { Limit } from "../../src/filters/filter.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import type { AnswerFacts } from "../../src/message/taken.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { policyWith, problemsOf } from "../policy/policy-kit.ts";
import { ask, limitOf } from "./limit-kit.ts";

for (const { prepare } of LIMIT_KINDS) await prepare?.();

const TABLES = new RateTables([1, 2], { monotonicMs: () => 0 }, 64);
const QUERY = { distinct: { of: "query.id", per: "principal", limit: 3, window: "10m" } };

function setUp(definition: Readonly<Record<string, unknown>> = QUERY, outside = outsideContext()) {
  const time = new ManualTime(Date.parse("2026-12-01T10:00:00Z"));
  return { limit: limitOf("objects", definition, TABLES, { ...outside, clock: time }), time, outside };
}

const ENDED: AnswerFacts = {
  status: 200,
  callOutcome: "ok",
  requestBodyBytes: 0,
  responseBodyBytes: 0,
  upstreamMs: 1,
  denied: false,
};

const asking = (query: string, id = "alice"): Exchange => createExchange({ query, principal: createPrincipal({ id }) });

const passes = (limit: Limit, queries: readonly string[]): boolean[] =>
  queries.map((query) => ask(limit, asking(query)) === null);

describe("a guard", () => {
  test("lets each caller ask for so many different values, and for these again", () => {
    const { limit } = setUp();
    expect(passes(limit, ["?id=1", "?id=2", "?id=3", "?id=4", "?id=1", "?id=3"])).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
    ]);
    expect(ask(limit, asking("?id=4", "bob"))).toBeNull();
    expect(ask(limit, asking("?id=9"))).toMatchObject({
      reason: "distinct_exceeded",
      wanted: "at most 3 different query.id in 600 s",
    });
    expect(limit.report()).toMatchObject({ kind: "distinct", denied: 2, near: 1, evictions: 0 });
    expect(limit.topCallers()).toMatchObject([{ key: "principal okta/alice", denied: 2 }]);
  });

  test("says when there is room, and then there is", () => {
    const { limit, time } = setUp();
    passes(limit, ["?id=1", "?id=2", "?id=3"]);
    time.pass(60_000);
    const seconds = Number(ask(limit, asking("?id=4"))?.headers[0]?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(540);
    time.pass(seconds * 1_000);
    expect(ask(limit, asking("?id=4"))).toBeNull();
  });

  test("counts nothing of a request without the value, and refuses one that has it twice", () => {
    const { limit } = setUp();
    expect(
      passes(
        limit,
        Array.from({ length: 9 }, () => "?x=1"),
      ),
    ).not.toContain(false);
    expect(ask(limit, asking("?id=1&id=2"))).toMatchObject({ reason: "limit_key_missing" });
    expect(passes(limit, ["?id=1", "?id=2", "?id=3"])).toEqual([true, true, true]);
  });

  test("gives back what another limit refuses", () => {
    const { limit } = setUp();
    for (let at = 0; at < 20; at++) {
      const exchange = asking(`?id=${at}`);
      expect(ask(limit, exchange)).toBeNull();
      exchange.giveBack();
    }
    expect(passes(limit, ["?id=a", "?id=b", "?id=c", "?id=d"])).toEqual([true, true, true, false]);
  });

  test("keeps what a second request asked for while the first one waited to be refused", () => {
    const { limit } = setUp();
    const seen: unknown[] = [];
    for (let at = 0; at < 20; at++) {
      const waits = asking(`?id=${at}`);
      if (ask(limit, waits) !== null) break;
      const passing = asking(`?id=${at}`);
      expect(ask(limit, passing)).toBeNull();
      seen.push(at);
      waits.giveBack();
      passing.end();
    }
    expect(seen).toHaveLength(3);
    expect(ask(limit, asking("?id=20"))).toMatchObject({ reason: "distinct_exceeded" });
  });

  test("remembers no request that is over", () => {
    const { limit } = setUp();
    for (const end of [(one: Exchange) => one.settle(ENDED), (one: Exchange) => one.giveBack()]) {
      const first = asking("?id=1");
      ask(limit, first);
      ask(limit, asking("?id=1"));
      end(first);
    }
    const again = asking("?id=2");
    ask(limit, again);
    again.giveBack();
    expect(passes(limit, ["?id=3", "?id=4", "?id=5"])).toEqual([true, true, false]);
  });

  test("goes on over a reload that changes its limit", () => {
    const { limit, time, outside } = setUp();
    passes(limit, ["?id=1", "?id=2", "?id=3"]);
    const wider = { distinct: { ...QUERY.distinct, limit: 4 } };
    const next = limitOf("objects", wider, TABLES, { ...outside, clock: time });
    expect(passes(next, ["?id=4", "?id=5", "?id=1"])).toEqual([true, false, true]);
  });
});

describe("a guard of the policy", () => {
  const problems = (limit: string, path = "/orders/{orderId}"): Promise<readonly string[]> =>
    problemsOf(
      policyWith(`limits:\n  objects: ${limit}\nroutes: [{ path: "${path}", public: true, limit: [objects] }]`),
    );
  const GUARD = "{ distinct: { of: path.orderId, per: client.address, limit: 50, window: 10m } }";

  test("counts on routes that have the parameter, and is a problem on others", async () => {
    expect(await problems(GUARD)).toEqual([]);
    expect((await problems(GUARD, "/orders")).join()).toContain("'objects' cannot count here");
  });

  test.each([
    ["{ distinct: { of: nothing, per: principal, limit: 50, window: 10m } }", "nothing"],
    ["{ distinct: { of: path.orderId, per: jwt.tenant, limit: 50, window: 10m } }", "expected 'absent'"],
    ["{ distinct: { of: path.orderId, per: principal, limit: 0, window: 10m } }", "expected at least 1"],
    ["{ distinct: { of: path.orderId, per: principal, limit: 50, window: 30d } }", "expected from 1s to 7d"],
    ["{ distinct: { of: path.orderId, limit: 50, window: 10m } }", "'per' is missing"],
    [
      "{ distinct: { of: path.orderId, per: principal, limit: 50, window: 10m }, maxBytes: 1KiB }",
      "expected from 64KiB",
    ],
  ])("%s is a problem", async (limit, text) => {
    expect((await problems(limit)).join("\n")).toContain(text);
  });
});
