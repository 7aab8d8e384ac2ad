// Goal: a request that waits is bounded in time and number, and is given up when its client leaves.
import { expect, test } from "vitest";
import { Waiting } from "../../src/resources/waiting.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import type { Timers } from "../../src/support/timers.ts";
import { exchangeOf } from "../fixtures/telemetry.ts";

/** Timers that go off when the test says so. */
function handTimers(): Timers & { fire(): void; readonly pending: number } {
  const runs = new Set<() => void>();
  return {
    after: (_delayMs, run) => {
      runs.add(run);
      return () => runs.delete(run);
    },
    fire: () => {
      for (const run of runs) run();
    },
    get pending() {
      return runs.size;
    },
  };
}

const never = new Promise<string>(() => {});

test("an answer in time is given, and nothing is left behind", async () => {
  const timers = handTimers();
  const waiting = new Waiting(timers);
  const asked = exchangeOf("GET", "/");
  expect(await waiting.until(asked, Promise.resolve("keys"), 100)).toEqual({ ok: true, value: "keys" });
  expect([waiting.count, timers.pending, asked.onOver?.size]).toEqual([0, 0, 0]);
});

test("no answer in time ends the wait", async () => {
  const timers = handTimers();
  const waiting = new Waiting(timers);
  const end = waiting.until(exchangeOf("GET", "/"), never, 100);
  timers.fire();
  expect(await end).toEqual({ ok: false, error: "timeout" });
  expect(waiting.count).toBe(0);
});

test("a client that leaves ends the wait at once, and whoever else was to be told is told", async () => {
  const timers = handTimers();
  const waiting = new Waiting(timers);
  const asked = exchangeOf("GET", "/");
  let told = 0;
  asked.whenOver(() => {
    told++;
  });
  const end = waiting.until(asked, never, 100);
  asked.end();
  expect(await end).toEqual({ ok: false, error: "over" });
  expect([told, waiting.count, timers.pending]).toEqual([1, 0, 0]);
});

test("one request more than may wait is not kept waiting, and there is room again afterwards", async () => {
  const timers = handTimers();
  const waiting = new Waiting(timers);
  const waits = Array.from({ length: DEFAULTS.waitingRequestsMax }, () =>
    waiting.until(exchangeOf("GET", "/"), never, 100),
  );
  expect(await waiting.until(exchangeOf("GET", "/"), never, 100)).toEqual({ ok: false, error: "crowded" });
  timers.fire();
  expect((await Promise.all(waits)).every((end) => !end.ok && end.error === "timeout")).toBe(true);
  expect(await waiting.until(exchangeOf("GET", "/"), Promise.resolve("keys"), 100)).toEqual({
    ok: true,
    value: "keys",
  });
});
