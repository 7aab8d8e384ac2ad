import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Limit } from "../../src/filters/filter.ts";
import { concurrencyKind } from "../../src/filters/limit/kind-concurrency.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { Places } from "../../src/limits/concurrency/places.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { ask, compileLimit, limitOf } from "./limit-kit.ts";

await LIMIT_KINDS.find(({ word }) => word === "concurrency")?.prepare?.();

const DONE = {
  status: 200,
  requestBodyBytes: 0,
  responseBodyBytes: 0,
  callOutcome: "none" as const,
  upstreamMs: 5,
  denied: false,
};

function setUp() {
  const time = new ManualTime(0);
  const places = new Places({ clock: time, timers: time, random: () => 0.5, memory: unlimitedMemory() });
  const tables = new RateTables([1, 2], time, 1024);
  const limit = (definition: Record<string, unknown>, name = "inFlight"): Limit =>
    limitOf(name, definition, tables, { places, clock: time });
  const problems = (definition: Record<string, unknown>): string[] =>
    compileLimit("inFlight", definition, tables, { places }).problems.map(({ text, path }) => `${path}: ${text}`);
  return { time, limit, problems };
}

const by = (id: string): Exchange => createExchange({ principal: createPrincipal({ id }) });

function end(exchange: Exchange): void {
  exchange.end();
  exchange.settle(DONE);
}

describe("places", () => {
  test("of all requests are the service's: 503, and nobody is told of what others hold", () => {
    const limit = setUp().limit({ concurrency: 2 });
    const first = by("a");
    expect(ask(limit, first)).toBeNull();
    expect(ask(limit, by("b"), "/other")).toBeNull();
    expect(ask(limit, by("c"))).toMatchObject({ reason: "concurrency_full", headers: [["retry-after", "1"]] });
    expect(first.rateLimit).toBeNull();
    end(first);
    expect(ask(limit, by("c"))).toBeNull();
  });

  test("of a caller are its own: 429, and it is told what it has left", () => {
    const limit = setUp().limit({ concurrency: 2, key: "principal" });
    const first = by("a");
    ask(limit, first);
    expect(first.rateLimit).toMatchObject({ remaining: 1, policy: { unit: "concurrent-requests", scope: "process" } });
    ask(limit, by("a"));
    expect(ask(limit, by("a"))?.reason).toBe("concurrency_limited");
    expect(ask(limit, by("b"))).toBeNull();
  });

  test("of a route and of an upstream are apart from others'", () => {
    const { limit } = setUp();
    const byRoute = limit({ concurrency: 1, key: "route" });
    expect([ask(byRoute, by("a"), "/x"), ask(byRoute, by("a"), "/y")]).toEqual([null, null]);
    expect(ask(byRoute, by("b"), "/x")?.reason).toBe("concurrency_full");
    const byUpstream = limit({ concurrency: 1, key: "upstream" }, "other");
    const to = (upstream: string): Exchange => {
      const exchange = by("a");
      exchange.upstream = upstream;
      return exchange;
    };
    expect([ask(byUpstream, to("app")), ask(byUpstream, to("ledger"))]).toEqual([null, null]);
    expect(ask(byUpstream, to("app"))).toBeInstanceOf(Denial);
  });

  test("where another limit refuses the request, it has none", () => {
    const limit = setUp().limit({ concurrency: 1 });
    const refused = by("a");
    ask(limit, refused);
    refused.giveBack();
    expect(ask(limit, by("b"))).toBeNull();
  });

  test("a policy with another number keeps what is taken", () => {
    const { limit } = setUp();
    const before = limit({ concurrency: 3 });
    for (let at = 0; at < 3; at++) ask(before, by("a"));
    expect(ask(limit({ concurrency: 4 }), by("a"))).toBeNull();
    expect(ask(limit({ concurrency: 2 }), by("a"))?.seen).toBe("4 under way");
  });

  test("a request without its key is refused, or not limited, as the policy says", () => {
    const { limit } = setUp();
    const key = { concurrency: 1, key: "jwt.tenant" };
    expect(ask(limit({ ...key, absent: "deny" }), by("a"))?.reason).toBe("limit_key_missing");
    const unlimited = limit({ ...key, absent: "unlimited" }, "other");
    for (let at = 0; at < 3; at++) expect(ask(unlimited, by("a"))).toBeNull();
  });
});

describe("the queue", () => {
  test("gives the place that is free to who waits, and a reason of its own to who waited too long", async () => {
    const { limit, time } = setUp();
    const queued = limit({ concurrency: 1, queue: { length: 2, timeout: "500ms" } });
    const holder = by("a");
    ask(queued, holder);
    const first = queued.evaluate(by("b"), "/v1");
    const second = queued.evaluate(by("c"), "/v1");
    end(holder);
    expect(await first).toBeNull();
    time.pass(500);
    expect(await second).toMatchObject({
      reason: "queue_timeout",
      seen: "no place within 500 ms, 0 others wait",
      headers: [["retry-after", "1"]],
    });
  });

  test("delays nobody where the limit is only tried out, or does not count for the request", async () => {
    const { limit } = setUp();
    const audited = limit({ concurrency: 1, queue: {}, mode: "audit" });
    ask(audited, by("a"));
    expect(ask(audited, by("a"))?.reason).toBe("concurrency_full");
    const some = limit({ concurrency: 1, key: "principal", queue: {}, mode: { enforce: "50%" } }, "some");
    const enforced = (id: string): boolean => (some.key?.share(by(id), "/v1") ?? 1) < 0.5;
    const ids = Array.from({ length: 40 }, (_, at) => `caller${at}`);
    for (const id of [ids.find(enforced), ids.find((one) => !enforced(one))] as string[]) {
      ask(some, by(id));
      expect(some.evaluate(by(id), "/v1") instanceof Promise, id).toBe(enforced(id));
    }
  });
});

test("explain, metrics and the admin port say what it is and how it stands", () => {
  const { limit } = setUp();
  const one = limit({ concurrency: 10, key: "principal", queue: { length: 5, timeout: "2s" } });
  for (let at = 0; at < 10; at++) ask(one, by("a"));
  void one.evaluate(by("a"), "/v1");
  expect(one.explain(by("a"), "/v1")).toBe(
    "concurrency 10, 5 wait up to 2000 ms for principal okta/a, counted by this process, 10 under way",
  );
  expect(one.report()).toMatchObject({
    kind: "concurrency",
    scope: "process",
    near: 2,
    denied: 0,
    places: { inFlight: 10, waiting: 1, adapted: [] },
  });
  expect(one.topCallers()[0]).toMatchObject({ key: "principal okta/a", denied: 0 });
  const adaptive = limit({ concurrency: 100, key: "route", adaptive: true }, "other");
  ask(adaptive, by("a"));
  expect(adaptive.report().places?.adapted).toEqual([20]);
  expect(adaptive.explain(by("a"), "/v1")).toBe(
    "concurrency 100, adaptive from 4 for route /v1, counted by this process, 1 under way",
  );
});

describe("problems", () => {
  const { problems } = setUp();
  test("an adaptive number by caller", () => {
    expect(problems({ concurrency: 10, key: "principal", adaptive: true })).toEqual([
      "limits.inFlight.adaptive: how long the service takes says how much it manages, and nothing of one caller; expected a 'key' of route, upstream or none",
    ]);
  });
  test("a least above the most", () => {
    expect(problems({ concurrency: 3, adaptive: true })).toEqual([
      "limits.inFlight.adaptive.min: expected at most the 3 of 'concurrency'",
    ]);
  });
  test("what is no number, no queue and no key", () => {
    const { schema } = concurrencyKind;
    for (const wrong of [
      { concurrency: 0 },
      { concurrency: 1, queue: { length: 0 } },
      { concurrency: 1, queue: { timeout: "10m" } },
      { concurrency: 1, key: [] },
      { concurrency: 1, burst: 2 },
      { concurrency: 1, adaptive: { tolerance: 1 } },
    ]) {
      expect(schema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
    expect(schema.safeParse({ concurrency: 1, key: "none" }).success).toBe(true);
  });
});
