// Goal: whatever holds the thread is counted and named. Method: a clock and a measurement that the test moves, and once
// the event loop itself.
import { afterEach, expect, test } from "vitest";
import { measureLoopDelay } from "../../src/cli/loop-delay.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { ThreadHolds } from "../../src/support/thread-holds.ts";
import { createEventLog } from "../../src/telemetry/event-log.ts";
import { LogOutput } from "../../src/telemetry/log-output.ts";
import { ThreadWatch } from "../../src/telemetry/thread-watch.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

let watch: ThreadWatch | null = null;

afterEach(() => watch?.stop());

function start() {
  const sink = new MemorySink();
  const clock = new TestClock();
  const holds = new ThreadHolds();
  const delay = { maxMs: 0, takeMaxMs: () => delay.maxMs, stop: () => {} };
  watch = new ThreadWatch(holds, delay, clock, createEventLog(clock, new LogOutput(sink)));
  holds.note("reload", 500, "before anybody waited");
  watch.start();
  return { sink, clock, holds, delay, watch };
}

test("work that notes itself is counted by its name, and the log says how long and where", () => {
  const { holds, watch, sink } = start();
  holds.note("judge", DEFAULTS.threadHeldMs - 1, "/short");
  holds.note("judge", 250, "/v1/orders");
  expect(watch.held.judge).toEqual({ count: 1, seconds: 0.25 });
  expect(sink.events("thread_held")).toMatchObject([{ level: "warn", by: "judge", detail: "/v1/orders", ms: 250 }]);
});

test("a stretch that nothing explains is unknown, and one that is explained is counted once", () => {
  const { holds, delay, watch } = start();
  delay.maxMs = 300;
  watch.look();
  expect(watch.held.unknown).toEqual({ count: 1, seconds: 0.3 });
  holds.note("reload", 280, "compileRoutes");
  watch.look();
  expect(watch.held.unknown.count).toBe(1);
  expect(watch.held.reload.count).toBe(1);
});

test("the longest stretch is that of the last minute", () => {
  const { delay, watch } = start();
  delay.maxMs = 70;
  watch.look();
  delay.maxMs = 3;
  for (let ms = DEFAULTS.threadLookMs; ms < DEFAULTS.threadWindowMs; ms += DEFAULTS.threadLookMs) {
    expect(watch.longestMs).toBe(70);
    watch.look();
  }
  watch.look();
  expect(watch.longestMs).toBe(3);
});

test("a flood of holds is no flood of lines", () => {
  const { holds, clock, sink, watch } = start();
  for (let at = 0; at < 1_000; at++) holds.note("judge", 100, "/a");
  clock.monotonic += 1_000;
  holds.note("judge", 100, "/a");
  expect(sink.events("thread_held")).toMatchObject([{ suppressed: 0 }, { suppressed: 999 }]);
  expect(watch.held.judge.count).toBe(1_001);
});

test("the event loop's own measurement sees a stretch, and not the time that a process waits", async () => {
  const delay = measureLoopDelay();
  await new Promise((resolve) => setTimeout(resolve, 50));
  delay.takeMaxMs();
  const endMs = performance.now() + 120;
  while (performance.now() < endMs);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(delay.takeMaxMs()).toBeGreaterThan(100);
  delay.stop();
});
