import { describe, expect, test } from "vitest";
import type { Denial, Verdict } from "../../src/decision/verdict.ts";
import type { Limit, LimitStoreUse } from "../../src/filters/filter.ts";
import { compileStore, storeSchema } from "../../src/filters/limit-store/compile.ts";
import { QuotaBook } from "../../src/limits/quota/book.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import type { LimitStore } from "../../src/limits/redis/store.ts";
import { Answer } from "../../src/message/answer.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { AnswerFacts } from "../../src/message/taken.ts";
import type { Resource } from "../../src/resources/resource.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { startRedis } from "../fixtures/redis.ts";
import { createExchange, createPrincipal, createRouteContext } from "../fixtures/route-context.ts";
import { one as oneOf, rate, readyStore, startStore } from "../limits/redis-kit.ts";
import { policyWith, problemsOf, warningsOf } from "../policy/policy-kit.ts";
import { limitOf } from "./limit-kit.ts";

const tables = () => new RateTables([1, 2], systemClock, 1024);

/** The entry of `stores`, with a store that a test started in place of its resource. */
function use(store: LimitStore, more: Readonly<Record<string, unknown>> = {}): LimitStoreUse {
  const { context, compiled } = createRouteContext({ key: "stores.shared" });
  const settings = storeSchema.parse({ type: "redis", url: "redis://localhost", ...more });
  const started: Resource = store;
  const resource = <T extends Resource>(): T => started as T;
  const found = compileStore("shared", settings, { ...context, resource });
  if (found === null) throw new Error(JSON.stringify(compiled.problems));
  return found;
}

/** A limit that counts in it. */
function shared(name: string, rate: string, by: LimitStoreUse, more: Readonly<Record<string, unknown>> = {}): Limit {
  const definition = { rate, key: "client.address", store: "shared", ...more };
  return limitOf(name, definition, tables(), { store: () => by });
}

function sharedOf(name: string, definition: Readonly<Record<string, unknown>>, by: LimitStoreUse): Limit {
  return limitOf(name, { ...definition, key: "client.address", store: "shared" }, tables(), { store: () => by });
}

const OBJECTS = { of: 'request.headers["x-id"]', limit: 3, window: "10m" };

const DONE: AnswerFacts = {
  status: 200,
  requestBodyBytes: 0,
  responseBodyBytes: 0,
  denied: false,
  callOutcome: "none",
  upstreamMs: 1,
};

/** As the pipeline does: one check after the other, and an enforced denial gives back what was taken. */
async function judge(limits: readonly Limit[], exchange: Exchange): Promise<Denial | null> {
  for (const limit of limits) {
    const verdict: Verdict = await limit.evaluate(exchange, "/v1", limits);
    if (verdict === null || limit.enforcePercent === 0) continue;
    exchange.giveBack();
    return verdict;
  }
  return null;
}

async function passes(limits: readonly Limit[], count: number): Promise<number> {
  let passed = 0;
  for (let at = 0; at < count; at++) {
    const exchange = createExchange({ headers: [["x-id", String(at)]] });
    if ((await judge(limits, exchange)) === null) passed++;
  }
  return passed;
}

/** What each has sent so far is counted: another process, by another connection, could be asked before that. */
async function written(stores: readonly LimitStore[]): Promise<void> {
  await Promise.all(stores.map((store) => oneOf(store, rate("written", 1_000, 1))));
}

describe("limits in a store", () => {
  test("of two processes count together, and clients are told what is left of both", async () => {
    const redis = await startRedis();
    const [a, b] = [await readyStore(redis.port), await readyStore(redis.port)];
    const [one, other] = [a, b].map(({ store }) => shared("perAddress", "5/hour", use(store)));
    const exchange = createExchange();
    expect(await judge([one as Limit], exchange)).toBeNull();
    expect(exchange.rateLimit).toMatchObject({ remaining: 4, policy: { name: "perAddress", scope: "replicas" } });
    expect((await passes([other as Limit], 10)) + (await passes([one as Limit], 10))).toBe(4);
    const denial = await judge([one as Limit], createExchange());
    expect(denial?.reason).toBe("rate_limited");
    const [, seconds] = denial?.headers?.find(([name]) => name === "retry-after") ?? [];
    expect(Number(seconds)).toBeGreaterThan(600);
    expect(Number(seconds)).toBeLessThanOrEqual(720);
  });

  test("of one route are asked in one call, and where one is over, none is counted", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const by = use(store);
    const [wide, narrow] = [shared("wide", "10/hour", by), shared("narrow", "3/hour", by)];
    const before = store.status().tries.ok;
    expect(await judge([wide, narrow], createExchange())).toBeNull();
    expect(store.status().tries.ok).toBe(before + 1);
    expect(await passes([wide, narrow], 10)).toBe(2);
    expect(await passes([wide], 20)).toBe(7);
  });

  test("one that is only tried out keeps no other from counting", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const by = use(store);
    const tried = shared("tried", "1/hour", by, { mode: "audit" });
    const wide = shared("wide", "10/hour", by);
    expect(await passes([tried, wide], 20)).toBe(10);
  });

  test("what a store counted, another check's denial gives back", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const limit = shared("given", "2/hour", use(store));
    for (let at = 0; at < 5; at++) {
      const exchange = createExchange();
      expect(await judge([limit], exchange)).toBeNull();
      exchange.giveBack();
    }
    await eventually(() => store.counts.asked >= 5);
    expect(await passes([limit], 5)).toBe(2);
  });

  test("a request that ended otherwise than what is counted gives back what it took", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const limit = shared("login", "2/hour", use(store), { count: "failures" });
    const end = async (status: number): Promise<boolean> => {
      const exchange = createExchange();
      const denial = await judge([limit], exchange);
      exchange.settle({
        status,
        requestBodyBytes: 0,
        responseBodyBytes: 0,
        callOutcome: "none",
        upstreamMs: 0,
        denied: denial !== null,
      });
      return denial === null;
    };
    for (let at = 0; at < 6; at++) expect(await end(200)).toBe(true);
    expect([await end(401), await end(401), await end(200)]).toEqual([true, true, false]);
  });

  test("a budget is reserved and settled there, over processes", async () => {
    const redis = await startRedis();
    const budget = { budget: "1000/day", unit: "tokens", cost: { estimate: 100, response: { header: "X-Cost" } } };
    const stores = await Promise.all([0, 1].map(async () => (await readyStore(redis.port)).store));
    const [one, other] = stores.map((store) => sharedOf("tokens", budget, use(store))) as [Limit, Limit];
    const exchange = createExchange();
    expect(await judge([one], exchange)).toBeNull();
    expect(exchange.rateLimit).toMatchObject({ remaining: 900, policy: { unit: "tokens", scope: "replicas" } });
    const spend = async (limit: Limit, cost: string): Promise<number> => {
      const request = createExchange();
      expect(await judge([limit], request)).toBeNull();
      const headers = new HeaderBlock(["x-cost"], [cost]);
      for (const watcher of request.watchers ?? []) watcher.watch(new Answer(200, headers, true))?.onEnd(null);
      request.settle(DONE);
      await written(stores);
      return request.rateLimit?.remaining ?? 0;
    };
    // Reserved by the first, which is under way; dearer than the estimate, and cheaper.
    expect(await spend(other, "350")).toBe(800);
    expect(await spend(one, "20")).toBe(450);
    expect(await spend(other, "20")).toBe(430);
    exchange.giveBack();
    expect(exchange.rateLimit?.remaining).toBe(1_000);
    expect(await spend(one, "600")).toBe(510);
    const over = await judge([other], createExchange());
    expect(over).toMatchObject({
      reason: "budget_exceeded",
      seen: expect.stringMatching(/^100 wanted and less left for/),
    });
  });

  test("different objects are counted there, over processes, and those that are known pass", async () => {
    const redis = await startRedis();
    const guard = { distinct: { ...OBJECTS, per: "client.address", limit: 2 } };
    const processes = await Promise.all([0, 1].map(async () => use((await readyStore(redis.port)).store)));
    const [one, other] = processes.map((by) =>
      limitOf("objects", { ...guard, store: "shared" }, tables(), { store: () => by }),
    );
    const ask = async (limit: Limit | undefined, id: string, peer = "192.0.2.1") => {
      const exchange = createExchange({ headers: [["x-id", id]], peer });
      const denial = await judge([limit as Limit], exchange);
      return denial === null ? exchange.rateLimit?.remaining : denial.reason;
    };
    expect([await ask(one, "1"), await ask(other, "1"), await ask(other, "2")]).toEqual([1, 1, 0]);
    expect([await ask(one, "3"), await ask(one, "2"), await ask(other, "3")]).toEqual([
      "distinct_exceeded",
      0,
      "distinct_exceeded",
    ]);
    expect(await ask(one, "3", "192.0.2.2")).toBe(1);
    expect(await judge([one as Limit], createExchange())).toBeNull();
    const keys = await redis.command("KEYS", "*");
    expect(JSON.stringify(keys)).not.toContain("192.0.2");
  });

  test("what a key has used of a quota there any process shows, and gives back", async () => {
    const redis = await startRedis();
    const day = { quota: "5/day", key: "principal" };
    const money = { budget: "10.00/day", key: ["client.address"], cost: 0.5 };
    const [one, other] = await Promise.all(
      [0, 1].map(async () => {
        const by = use((await readyStore(redis.port)).store);
        const outside = outsideContext();
        const limits = [
          ["daily", day],
          ["spend", money],
        ].map(([name, definition]) =>
          limitOf(String(name), { ...(definition as object), store: "shared" }, tables(), {
            ...outside,
            store: () => by,
          }),
        );
        return { limits, room: outside.resource("quotas", [], (world) => new QuotaBook(world)).room };
      }),
    );
    if (one === undefined || other === undefined) throw new Error("two processes");
    const alice = () => createExchange({ principal: createPrincipal({ id: "alice" }), peer: "192.0.2.9" });
    const passed = async () => {
      let count = 0;
      for (let at = 0; at < 7; at++) if ((await judge(one.limits, alice())) === null) count++;
      return count;
    };
    expect(await passed()).toBe(5);
    const shown = async (limit: string, key: string) => {
      const answer = await other.room.show(new URLSearchParams({ limit, key }));
      return answer.ok ? (answer.value["quotas"] as readonly unknown[])[0] : answer.error;
    };
    for (const key of ["principal okta/alice", "okta/alice"]) {
      expect(await shown("daily", key)).toMatchObject({ store: "shared", counts: [{ key, used: 5, remaining: 0 }] });
    }
    expect(await shown("spend", "192.0.2.9")).toMatchObject({ quota: 10, counts: [{ used: 2.5, remaining: 7.5 }] });
    expect(await shown("daily", "okta/bob")).toMatchObject({ counts: [{ used: 0, remaining: 5 }] });
    const reset = (settings: Readonly<Record<string, string>>) => other.room.acts["reset"]?.(settings);
    expect(await reset({ limit: "daily", key: "okta/alice" })).toMatchObject({ ok: true, value: { reset: 1 } });
    expect(await reset({ limit: "daily", key: "okta/bob" })).toMatchObject({ ok: false, error: { status: 404 } });
    // The process that was told that she is over asks again within some seconds.
    expect((await judge(other.limits, alice()))?.reason).toBeUndefined();
    expect(await shown("daily", "okta/alice")).toMatchObject({ counts: [{ used: 1 }] });
    await redis.kill();
    await eventually(async () => !(await reset({ limit: "daily", key: "okta/alice" }))?.ok);
  });

  test("explain says who counts together and what becomes of requests without the store", async () => {
    const { store } = startStore(await freePort());
    const limit = shared("perAddress", "5/hour", use(store, { onFailure: "closed" }));
    expect(limit.explain(createExchange(), "/v1")).toMatch(
      /^rate 5\/hour, burst 5 for client\.address .*, counted by all replicas together; .*store 'shared'; while that does not answer, it denies every request$/,
    );
  });
});

describe.each([
  ["rate", { rate: "3/hour", key: "client.address" }],
  ["quota", { quota: "3/hour", key: "client.address" }],
  ["budget", { budget: "3/hour", key: "client.address", cost: 1 }],
  ["distinct", { distinct: { ...OBJECTS, per: "client.address" } }],
])("while the store of a %s does not answer", (_kind, definition) => {
  async function without(onFailure: string): Promise<Limit> {
    const { store } = startStore(await freePort());
    await eventually(() => store.status().state === "failing");
    const by = use(store, { onFailure });
    return limitOf("perAddress", { ...definition, store: "shared" }, tables(), { store: () => by });
  }

  test("local: this process counts by itself", async () => {
    expect(await passes([await without("local")], 10)).toBe(3);
  });

  test("open: every request passes", async () => {
    expect(await passes([await without("open")], 10)).toBe(10);
  });

  test("closed: every request is 503, for a reason of its own", async () => {
    const denial = await judge([await without("closed")], createExchange({ headers: [["x-id", "1"]] }));
    expect(denial).toMatchObject({ reason: "limit_store_unavailable", headers: [["retry-after", "1"]] });
    expect(denial?.seen).toBe("store 'shared' does not say what is left");
  });

  test("a policy that is only looked at counts by itself: no store was started for it", async () => {
    const { store } = startStore(await freePort());
    store.close();
    await eventually(() => !store.isStarted);
    expect(await passes([shared("perAddress", "3/hour", use(store, { onFailure: "closed" }))], 5)).toBe(3);
  });
});

describe("the policy's words", () => {
  const LIMITED =
    "limits: { perCaller: { rate: 5/second, key: client.address, store: shared } }\nroutes: [{ path: /, public: true, limit: [perCaller] }]";
  const of = (store: string, limited = LIMITED) =>
    policyWith(`stores: { shared: { type: redis, ${store} } }\n${limited}`);

  test.each([
    ["url: 'redis://me:secret@localhost'", /credentials stand in 'username' and 'password'/],
    ["url: 'http://localhost'", /expected rediss:\/\/host:6379/],
    ["url: ['rediss://a', 'redis://localhost'], cluster: true", /some of the addresses have TLS/],
    ["url: ['redis://localhost', 'redis://127.0.0.1']", /expected 'sentinel' or 'cluster'/],
    ["url: 'redis://localhost', cluster: true, sentinel: { master: m }", /both 'sentinel' and 'cluster'/],
    ["url: 'redis://localhost/3', cluster: true", /a cluster has no databases/],
    ["url: 'redis://localhost', ca: ca.pem", /'ca' is for TLS/],
    ["url: 'rediss://localhost', certificate: c.pem", /'key' is missing/],
    ["url: 'redis://localhost', username: me", /'password' is missing/],
    ["url: 'redis://localhost', timeout: 6s", /expected 1ms to 5s/],
    ["url: 'redis://localhost', onFailur: open", /did you mean 'onFailure'/],
  ])("%s", async (store, problem) => {
    expect(await problemsOf(of(store))).toEqual([expect.stringMatching(problem)]);
  });

  test("a store that is not defined is a problem with a hint, and one that nobody uses a warning", async () => {
    const wrong = of("url: 'redis://localhost'", LIMITED.replace("store: shared", "store: sahred"));
    expect(await problemsOf(wrong)).toEqual([
      expect.stringMatching(/^7:.*no store 'sahred' is defined; did you mean 'shared'\?/),
    ]);
    const unused = of("url: 'redis://localhost'", LIMITED.replace(", store: shared", ""));
    expect(await warningsOf(unused)).toEqual([expect.stringMatching(/'shared' is defined but nothing uses it/)]);
  });

  test("what others could read, or whoever wants no limit could bring about, is a warning", async () => {
    expect(await warningsOf(of("url: 'redis://cache.internal'"))).toEqual([
      expect.stringMatching(/in the clear to another machine/),
    ]);
    expect(await warningsOf(of("url: 'redis://localhost', onFailure: open"))).toEqual([
      expect.stringMatching(/whoever can keep this store from answering/),
    ]);
    expect(await warningsOf(of("url: 'rediss://cache.internal:6380/2', timeout: 5ms, lease: 50"))).toEqual([]);
  });
});
