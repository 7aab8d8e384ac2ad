// Goal: what a rate admits is the mathematical bound, to the request, whatever the clock does, however many threads ask and
// whatever reloads change. Method: a table with a clock that is moved, and a model that knows nothing of it.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../bench/matcher/random.ts";
import { gcraOf } from "../../src/limits/rate/gcra.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { ask, limitOf } from "../filters/limit-kit.ts";
import { createExchange } from "../fixtures/route-context.ts";

/** Numbers from 0 to below 1. */
function fractionsOf(seed: number): () => number {
  const next = seededRandom(seed);
  return () => next(2 ** 30) / 2 ** 30;
}

class MovedClock {
  nowMs = 0;
  monotonicMs(): number {
    return this.nowMs;
  }
}

test("of a million requests as many pass as the bound says, for each of its moments", () => {
  const clock = new MovedClock();
  const table = new RateTable(1_024, [1, 2], clock);
  const prefix = table.prefix("caller");
  const random = fractionsOf(7);
  const { intervalMs, toleranceMs } = gcraOf({ count: 1_000, windowSeconds: 1 }, 50);
  let admitted = 0;
  let firstMs = -1;
  for (let at = 0; at < 1_000_000; at++) {
    // Mean 0.1 ms: ten times the rate, so that the bound is met at every moment.
    clock.nowMs += random() * 0.2;
    table.hash.copy(prefix);
    if (table.take(intervalMs, toleranceMs) < 0) continue;
    if (firstMs < 0) firstMs = table.takenAtMs;
    admitted++;
  }
  // A burst, and one for each interval that passed since the first: the bound of GCRA, which a busy key always reaches.
  const bound = 50 + Math.floor((table.takenAtMs - firstMs) / intervalMs);
  expect(admitted).toBe(bound);
});

test("four threads on one table let pass what one may", async () => {
  const nowMs = 5_000;
  const burst = 5_000;
  const table = new RateTable(64, [1, 2], { monotonicMs: () => nowMs });
  const keys = ["a", "b"];
  const workerData = {
    buffer: table.share(),
    seed: [1, 2],
    nowMs,
    keys,
    attempts: 4_000,
    intervalMs: 1,
    toleranceMs: burst,
  };
  const file = new URL("../fixtures/rate-worker.ts", import.meta.url);
  const workers = Array.from({ length: 4 }, () => new Worker(file, { workerData }));
  try {
    await Promise.all(workers.map((worker) => once(worker, "message")));
    const counts = workers.map((worker) => once(worker, "message"));
    for (const worker of workers) worker.postMessage("go");
    const passed = (await Promise.all(counts)).map(([count]) => count as number[]);
    for (const at of keys.keys()) expect(passed.reduce((sum, count) => sum + (count[at] ?? 0), 0)).toBe(burst);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});

/** GCRA in real numbers of whole microseconds, and nothing else: what a limit is meant to do. */
class NaiveLimit {
  readonly #tats = new Map<string, number>();

  admits(
    key: string,
    nowUs: number,
    rate: { readonly intervalUs: number; readonly burst: number },
    units: number,
  ): boolean {
    const tolerance = rate.burst * rate.intervalUs;
    // A reload to a narrower limit leaves a key no more than a whole burst behind.
    const backlog = Math.min(Math.max((this.#tats.get(key) ?? 0) - nowUs, 0), tolerance);
    const wanted = backlog + units * rate.intervalUs;
    if (wanted > tolerance) {
      // Whom a slower limit left far behind waits by this one from now on; a clock may be a second ahead of another.
      if ((this.#tats.get(key) ?? 0) > nowUs + tolerance + 1_000_000) this.#tats.set(key, nowUs + tolerance);
      return false;
    }
    this.#tats.set(key, nowUs + wanted);
    return true;
  }
}

describe("every decision is the naive model's", () => {
  test.each([1, 2, 3, 4, 5, 6])("over requests, moves of the clock and reloads in any order (seed %d)", (seed) => {
    const random = fractionsOf(seed);
    const whole = (below: number): number => Math.floor(random() * below);
    const clock = new MovedClock();
    const tables = new RateTables([1, 2], clock);
    const naive = new NaiveLimit();
    // Rates whose interval is a whole number of 64ths of a millisecond are exact in both.
    const choices = [
      { text: "1000/second", intervalUs: 1_000 },
      { text: "500/second", intervalUs: 2_000 },
      { text: "200/second", intervalUs: 5_000 },
      { text: "100/second", intervalUs: 10_000 },
      { text: "1/second", intervalUs: 1_000_000 },
    ] as const;
    let burst = 5;
    let choice: (typeof choices)[number] = choices[3];
    const compile = () =>
      limitOf("login", { rate: choice.text, burst, key: "client.address", cost: { POST: 2, default: 1 } }, tables);
    let limit = compile();
    let nowUs = 0;
    for (let step = 0; step < 20_000; step++) {
      const what = random();
      if (what < 0.2) {
        nowUs += whole(30_000) * (what < 0.01 ? 100 : 1);
        clock.nowMs = nowUs / 1_000;
      } else if (what < 0.21) {
        choice = choices[whole(choices.length)] ?? choices[0];
        burst = 2 + whole(20);
        limit = compile();
      } else {
        const key = `192.0.2.${whole(6)}`;
        const method = random() < 0.3 ? "POST" : "GET";
        const rate = { intervalUs: choice.intervalUs, burst };
        const expected = naive.admits(key, nowUs, rate, method === "POST" ? 2 : 1);
        expect(ask(limit, createExchange({ peer: key, method })) === null, `step ${step}`).toBe(expected);
      }
    }
  });
});

test("reloads that change the limit under load give nobody more than the widest of them", () => {
  const clock = new MovedClock();
  const tables = new RateTables([1, 2], clock);
  const limits = [10, 100, 50, 20].map((count) =>
    limitOf("perCaller", { rate: `${count}/second`, burst: count, key: "client.address" }, tables),
  );
  let passed = 0;
  for (let at = 0; at < 100_000; at++) {
    clock.nowMs += 0.1;
    const limit = limits[at % limits.length];
    if (limit !== undefined && ask(limit, createExchange({ peer: "192.0.2.1" })) === null) passed++;
  }
  expect(passed).toBeLessThanOrEqual(100 + 10 * 100);
  expect(passed).toBeGreaterThan(900);
});

describe("a million addresses", () => {
  test("neither push out nor reset a caller who is over", () => {
    const clock = new MovedClock();
    const tables = new RateTables([1, 2], clock);
    const limit = limitOf("login", { rate: "5/hour", key: "client.address", maxKeys: 65_536 }, tables);
    const victim = () => ask(limit, createExchange({ peer: "192.0.2.1" }));
    for (let at = 0; at < 5; at++) expect(victim()).toBeNull();
    const flood = createExchange();
    for (let at = 0; at < 1_000_000; at++) {
      flood.clientAddress = { family: 4, text: "flood", w0: 0x0a000000 + at, w1: 0, w2: 0, w3: 0 };
      ask(limit, flood);
      flood.rateLimit = null;
      flood.taken = null;
      if (at % 100_000 === 0) expect(victim()?.reason).toBe("rate_limited");
    }
    expect(victim()?.reason).toBe("rate_limited");
    expect(limit.report().evictions).toBeGreaterThan(900_000);
    expect(limit.topCallers().length).toBeLessThanOrEqual(32);
  });
});
