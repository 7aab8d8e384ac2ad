// Goal: what a caller has spent is what its answers cost, whatever became of the requests; a policy that cannot mean what it
// says is a problem with a place. Method: compiled entries of `limits`, a clock that is moved, and ends of requests.
import { describe, expect, test } from "vitest";
import type { Limit } from "../../src/filters/filter.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { Answer } from "../../src/message/answer.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { AnswerFacts } from "../../src/message/taken.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, warningsOf } from "../policy/policy-kit.ts";
import { ask, limitOf } from "./limit-kit.ts";

for (const { prepare } of LIMIT_KINDS) await prepare?.();

const TABLES = new RateTables([1, 2], { monotonicMs: () => 0 }, 64);
const START_MS = Date.parse("2026-12-01T10:00:00Z");
const TOKENS = { budget: "1000/day", unit: "tokens", key: "principal" };
const SETTLED = { estimate: 100, response: "$.usage.total" };

function setUp(definition: Readonly<Record<string, unknown>>, outside = outsideContext()) {
  const time = new ManualTime(START_MS);
  const limit = limitOf("tokens", definition, TABLES, { ...outside, clock: time });
  return { limit, time, outside };
}

const alice = (method = "GET"): Exchange => createExchange({ method, principal: createPrincipal({ id: "alice" }) });

const DONE: AnswerFacts = {
  status: 200,
  requestBodyBytes: 0,
  responseBodyBytes: 0,
  denied: false,
  callOutcome: "none",
  upstreamMs: 1,
};

/** A request to its end: its answer says `body`, or is cut behind it. */
function spend(limit: Limit, body: string, end: Partial<AnswerFacts> & { cut?: boolean } = {}): Exchange {
  const exchange = alice();
  expect(ask(limit, exchange)).toBeNull();
  const headers = new HeaderBlock(
    ["content-type"],
    [body.startsWith("data:") ? "text/event-stream" : "application/json"],
  );
  for (const watcher of exchange.watchers ?? []) {
    const observer = watcher.watch(new Answer(end.status ?? 200, headers, true));
    observer?.onChunk(Buffer.from(body));
    if (end.cut !== true) observer?.onEnd(null);
  }
  exchange.settle({ ...DONE, ...end });
  return exchange;
}

/** What is left, as a request is told that another limit refuses. */
function left(limit: Limit): number {
  const exchange = alice();
  const denial = ask(limit, exchange);
  exchange.giveBack();
  return denial === null ? (exchange.rateLimit?.remaining ?? 0) : Number(/and (\S+) left/.exec(denial.seen)?.[1]);
}

describe("a budget", () => {
  test("counts what answers say, and holds the estimate until then", () => {
    const { limit } = setUp({ ...TOKENS, cost: SETTLED });
    const exchange = alice();
    ask(limit, exchange);
    expect(exchange.rateLimit).toMatchObject({ remaining: 900, resetSeconds: 14 * 3_600 });
    expect(limit.explain(exchange, "/v1")).toBe(
      "budget 1000 tokens/day for principal okta/alice, 100 reserved, counted by this process, 900 left",
    );
    exchange.settle(DONE);
    spend(limit, '{"usage":{"total":30}}');
    expect(left(limit)).toBe(870);
  });

  test("is over at its amount: 429 budget_exceeded, what is left, and when there is more", () => {
    const { limit } = setUp({ ...TOKENS, cost: SETTLED });
    spend(limit, '{"usage":{"total":950}}');
    const exchange = alice();
    expect(ask(limit, exchange)).toMatchObject({
      reason: "budget_exceeded",
      seen: "100 wanted and 50 left for principal okta/alice",
      wanted: "at most 1000 tokens/day",
      headers: [["retry-after", String(14 * 3_600)]],
    });
    expect(exchange.rateLimit).toMatchObject({ remaining: 50 });
    expect(limit.report()).toMatchObject({ kind: "budget", denied: 1, scope: "process" });
    expect(limit.topCallers()).toMatchObject([{ key: "principal okta/alice", denied: 1 }]);
  });

  test("begins anew with the window, and what is settled late belongs to the last one", () => {
    const { limit, time } = setUp({ ...TOKENS, cost: SETTLED });
    const late = alice();
    ask(limit, late);
    time.pass(14 * 3_600_000);
    spend(limit, '{"usage":{"total":10}}');
    late.settle(DONE);
    expect(left(limit)).toBe(990);
  });

  test("takes nothing of what another check refuses, nor of what was not forwarded", () => {
    const { limit } = setUp({ ...TOKENS, cost: SETTLED });
    const refused = alice();
    ask(limit, refused);
    refused.giveBack();
    expect(refused.rateLimit).toMatchObject({ remaining: 1000 });
    const denied = alice();
    ask(limit, denied);
    denied.settle({ ...DONE, status: 422, denied: true });
    expect(left(limit)).toBe(1000);
  });

  test("takes of a cut answer the greater of what was seen and the estimate: leaving early is not cheaper", () => {
    const { limit } = setUp({ ...TOKENS, cost: SETTLED });
    spend(limit, 'data: {"usage":{"total":3}}\n\n', { cut: true, status: 499 });
    expect(left(limit)).toBe(900);
    spend(limit, 'data: {"usage":{"total":300}}\n\n', { cut: true, status: 499 });
    expect(left(limit)).toBe(600);
  });

  test("takes of an answer that does not say what the policy says", () => {
    const cases = [
      ["estimate", 200, 900],
      ["estimate", 500, 900],
      ["nothing", 200, 1000],
      ["nothing-on-errors", 200, 900],
      ["nothing-on-errors", 503, 1000],
      ["nothing-on-errors", 499, 900],
    ] as const;
    for (const [otherwise, status, expected] of cases) {
      const { limit } = setUp({ ...TOKENS, cost: { ...SETTLED, otherwise } });
      spend(limit, "{}", { status });
      expect([otherwise, status, left(limit)]).toEqual([otherwise, status, expected]);
    }
  });

  test("gives the estimate of a stuck request to others after a while, and counts it when it ends", () => {
    const { limit, time } = setUp({ ...TOKENS, cost: { ...SETTLED, estimate: 600 }, reservation: "5m" });
    const stuck = alice();
    ask(limit, stuck);
    expect(ask(limit, alice())).toMatchObject({ reason: "budget_exceeded" });
    time.pass(300_000);
    expect(left(limit)).toBe(1000);
    stuck.settle(DONE);
    expect(ask(limit, alice())).toMatchObject({ reason: "budget_exceeded" });
  });

  test("goes on over a reload that changes its amount and its cost", () => {
    const { limit, time, outside } = setUp({ ...TOKENS, cost: SETTLED });
    spend(limit, '{"usage":{"total":900}}');
    const more = { ...TOKENS, budget: "5000/day", cost: { estimate: 1, response: { header: "X-Cost" } } };
    const next = limitOf("tokens", more, TABLES, { ...outside, clock: time });
    expect(left(next)).toBe(4_100);
  });

  test("that only audits tells clients nothing and counts", () => {
    const { limit } = setUp({ ...TOKENS, cost: SETTLED, mode: "audit" });
    const exchange = alice();
    ask(limit, exchange);
    expect(exchange.rateLimit).toBeNull();
    exchange.settle(DONE);
    spend(limit, '{"usage":{"total":900}}');
    expect(ask(limit, alice())).toMatchObject({ reason: "budget_exceeded" });
  });

  test("of money is exact, and one figure may cost a fraction", () => {
    const cost = {
      estimate: 0.05,
      response: [
        { path: "$.usage.in", times: 0.000003 },
        { path: "$.usage.out", times: 0.000015 },
      ],
    };
    const { limit } = setUp({ budget: "0.30/day", unit: "eur", key: "principal", cost });
    for (let at = 0; at < 6; at++) spend(limit, '{"usage":{"in":10000,"out":1000}}'); // 0.045 each
    expect(ask(limit, alice())).toMatchObject({ seen: "0.05 wanted and 0.03 left for principal okta/alice" });
  });

  test("is what a quota is whose answers say what they cost, and each request takes 1 until then", () => {
    const quota = { quota: "1000/day", key: "principal", cost: { response: "$.usage.total" } };
    const { limit } = setUp(quota);
    const under = alice();
    ask(limit, under);
    expect(under.rateLimit).toMatchObject({ remaining: 999, policy: { quota: 1000, unit: "units" } });
    expect(limit.explain(under, "/v1")).toBe(
      "budget 1000 units/day for principal okta/alice, 1 reserved, counted by this process, 999 left",
    );
    under.giveBack();
    spend(limit, '{"usage":{"total":990}}');
    expect(left(limit)).toBe(10);
    spend(limit, '{"usage":{"total":30}}');
    expect(ask(limit, alice())).toMatchObject({ reason: "budget_exceeded" });
    const dear = setUp({ ...quota, cost: { estimate: { POST: 400, default: 2 }, response: "$.usage.total" } }).limit;
    for (const [method, remaining] of [
      ["POST", 600],
      ["GET", 598],
    ] as const) {
      const exchange = alice(method);
      ask(dear, exchange);
      expect(exchange.rateLimit?.remaining).toBe(remaining);
    }
  });

  test("of a fixed cost by method is taken as it is", () => {
    const { limit } = setUp({ budget: "10/day", key: "principal", cost: { POST: 8, default: 1 } });
    const post = alice("POST");
    ask(limit, post);
    post.settle(DONE);
    expect(ask(limit, alice("POST"))).toMatchObject({ reason: "budget_exceeded" });
    expect(ask(limit, alice())).toBeNull();
  });
});

describe("a budget of the policy", () => {
  const problems = (limit: string): Promise<readonly string[]> =>
    problemsOf(policyWith(`limits:\n  tokens: ${limit}\nroutes: [{ path: /, public: true, limit: [tokens] }]`));

  test.each([
    [
      "{ budget: 1000/day, key: principal, cost: { estimate: 100, response: usage } }",
      "expected where the answer says",
    ],
    [
      "{ budget: 1000/day, key: principal, cost: { estimate: 2000, response: $.n } }",
      "a request that takes 2000 never passes",
    ],
    ["{ budget: 1000/day, key: principal, cost: { estimate: 0, response: $.n } }", "expected"],
    ["{ budget: 1000/year, key: principal, cost: 1 }", "expected a budget: AMOUNT/hour"],
    ["{ budget: 0/day, key: principal, cost: 1 }", "expected a budget: AMOUNT/hour"],
    ["{ budget: -5/day, key: principal, cost: 1 }", "expected a budget: AMOUNT/hour"],
    ["{ budget: 1000/day, key: principal, cost: 1, resetDay: 3 }", "a budget by day begins anew each day"],
    ["{ budget: 1000/day, key: principal, cost: 1, unit: Tokens }", "expected a word in lower case"],
    ["{ budget: 1000/day, key: jwt.tenant, cost: 1 }", "expected 'absent'"],
    ["{ budget: 1000/day, key: principal }", "'cost' is missing"],
    ["{ quota: 1000/day, key: principal, cost: { response: usage } }", "expected where the answer says"],
    ["{ quota: 1000/day, key: principal, cost: { estimate: 2000, response: $.n } }", "2000 never passes"],
    ["{ quota: 1000/day, key: principal, cost: { response: $.n }, count: failures }", "expected no 'count'"],
    ["{ quota: 1000/day, key: principal, cost: { response: $.n }, replicas: 3 }", "expected no 'replicas'"],
    ["{ budget: 1000/day, quota: 1/day, key: principal, cost: 1 }", "both 'budget' and 'quota'"],
  ])("%s is a problem", async (limit, text) => {
    expect((await problems(limit)).join("\n")).toContain(text);
  });

  test.each([
    "{ budget: 10GiB/day, key: client.address, cost: { estimate: 1000, response: { bytes: both } } }",
    "{ budget: 25.50/month, unit: eur, key: principal, resetDay: 15, timeZone: Europe/Berlin, cost: { estimate: 0.02, response: { header: X-Cost } } }",
    "{ budget: 100000000000000/month, key: principal, cost: { estimate: { from: 'request.headers[\"x-max\"]', default: 500 }, response: [$.a, { path: '$.b[0]', times: 2 }] } }",
    "{ budget: 5/hour, key: principal, cost: { estimate: 1, response: { event: $.n }, otherwise: nothing } }",
    "{ budget: 5/hour, key: principal, cost: 0.5 }",
    "{ quota: 5/hour, key: principal, cost: { response: { header: X-Cost }, otherwise: nothing } }",
  ])("%s is none", async (limit) => {
    expect(await problems(limit)).toEqual([]);
  });

  test("without a state folder warns of what a restart forgets", async () => {
    const policy = (period: string): string =>
      policyWith(
        `limits: { tokens: { budget: 9/${period}, key: principal, cost: 1 } }\nroutes: [{ path: /, public: true, limit: [tokens] }]`,
      );
    expect((await warningsOf(policy("day"))).join()).toContain("a restart forgets what was spent");
    expect((await warningsOf(policy("hour"))).join()).not.toContain("restart");
  });
});
