import { describe, expect, test } from "vitest";
import type { Verdict } from "../../src/decision/verdict.ts";
import type { Limit } from "../../src/filters/filter.ts";
import { Places } from "../../src/limits/concurrency/places.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { ask, compileLimit, limitOf } from "./limit-kit.ts";

const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(definition: Record<string, unknown>) {
  const time = new ManualTime(0);
  const places = new Places({ clock: time, timers: time, random: () => 0.5, memory: unlimitedMemory() });
  const limit = limitOf("smooth", definition, new RateTables([1, 2], time, 1024), { places, clock: time });
  return { time, limit };
}

const by = (id: string): Exchange => createExchange({ principal: createPrincipal({ id }) });

/** When each of the requests passed, or the reason why it did not. */
function asked(limit: Limit, time: ManualTime, exchanges: readonly Exchange[]): (number | string | null)[] {
  const results: (number | string | null)[] = exchanges.map(() => null);
  for (const [at, exchange] of exchanges.entries()) {
    const settle = (verdict: Verdict): void => {
      results[at] = verdict?.reason ?? time.monotonicMs();
    };
    const verdict = limit.evaluate(exchange, "/v1");
    if (verdict instanceof Promise) void verdict.then(settle);
    else settle(verdict);
  }
  return results;
}

async function pass(time: ManualTime, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 10) {
    time.pass(10);
    await told();
  }
}

describe("a rate with 'throttle'", () => {
  const SMOOTH = { rate: "10/second", burst: 1, key: "principal", throttle: { queue: 3, timeout: "250ms" } };

  test("lets a spike pass at its own pace, as far as the queue and the patience reach", async () => {
    const { time, limit } = setUp(SMOOTH);
    const results = asked(limit, time, ["a", "a", "a", "a", "a", "a"].map(by));
    await pass(time, 1_000);
    // The fourth would have had to wait for 300 ms.
    expect(results).toEqual([0, 100, 200, "rate_limited", "rate_limited", "rate_limited"]);
  });

  test("tells who is refused when to come back, and delays nobody else", async () => {
    const { time, limit } = setUp({ ...SMOOTH, rate: "1/second", throttle: { timeout: "100ms" } });
    expect(ask(limit, by("a"))).toBeNull();
    expect(ask(limit, by("a"))).toMatchObject({ reason: "rate_limited", headers: [["retry-after", "1"]] });
    expect(ask(limit, by("b"))).toBeNull();
    expect(time.nextMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("counts what waited like any other: its state is told, and given back where another limit refuses it", async () => {
    const { time, limit } = setUp(SMOOTH);
    asked(limit, time, [by("a")]);
    const waits = by("a");
    const results = asked(limit, time, [waits]);
    await pass(time, 100);
    expect(results).toEqual([100]);
    expect(waits.rateLimit).toMatchObject({ remaining: 0 });
    waits.giveBack();
    expect(ask(limit, by("a"))).toBeNull();
  });

  test("what costs more than it ever has is refused at once", () => {
    const { limit } = setUp({
      rate: "10/second",
      burst: 10,
      key: "principal",
      cost: { POST: 10, default: 1 },
      throttle: {},
    });
    const dear = (): Exchange => createExchange({ method: "POST", principal: createPrincipal({ id: "a" }) });
    expect(ask(limit, dear())).toBeNull();
    expect(limit.evaluate(dear(), "/v1")).toBeInstanceOf(Promise);
  });

  test("only tried out, it delays nobody", () => {
    const { limit } = setUp({ ...SMOOTH, mode: "audit" });
    expect([ask(limit, by("a"))?.reason, ask(limit, by("a"))?.reason]).toEqual([undefined, "rate_limited"]);
  });

  test("explain and metrics say what it does", async () => {
    const { time, limit } = setUp(SMOOTH);
    const results = asked(limit, time, ["a", "a", "a", "a", "a"].map(by));
    expect(limit.explain(by("b"), "/v1")).toBe(
      "rate 10/second, burst 1 for principal okta/b, counted by this process, beyond it 3 wait up to 250 ms",
    );
    expect(limit.report()).toMatchObject({ kind: "rate", places: { inFlight: null, waiting: 3, adapted: [] } });
    await pass(time, 1_000);
    expect(results.filter((result) => result === "rate_limited")).toHaveLength(2);
    expect(limit.report()).toMatchObject({ denied: 2, places: { waiting: 0 } });
  });
});

test("a rate that several processes share cannot delay", () => {
  const definition = { rate: "10/second", key: "principal", throttle: {}, store: "shared" };
  const { problems } = compileLimit("smooth", definition, new RateTables([1, 2], new ManualTime(0), 1024));
  expect(problems.map(({ text, path }) => `${path}: ${text}`)).toEqual([
    "limits.smooth.throttle: requests wait in their own process, and cannot for a rate that several share",
  ]);
});
