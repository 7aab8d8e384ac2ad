// Goal: memory is given back in a quiet while and in no other, for it stops the process and throws compiled code away.
// Method: timers that the test moves; counters that it sets.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryRelease } from "../../src/daemon/memory-release.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";

const activity = { requestsBegun: 0, requestsInFlight: 0 };
let released = 0;
let release: MemoryRelease;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  Object.assign(activity, { requestsBegun: 0, requestsInFlight: 0 });
  released = 0;
  release = new MemoryRelease(
    () => released++,
    () => ({ ...activity }),
  );
});

afterEach(() => void vi.useRealTimers());

const pass = (looks: number) => vi.advanceTimersByTime(looks * DEFAULTS.quietLookMs);

test("it is given back once, when nothing happened for the time of a look", () => {
  release.schedule();
  pass(1);
  expect(released).toBe(1);
  pass(100);
  expect(released).toBe(1);
});

test("not between two short requests, though none is in flight just then", () => {
  release.schedule();
  for (let look = 0; look < 5; look++) {
    activity.requestsBegun += 2_000;
    pass(1);
  }
  expect(released).toBe(0);
  pass(1);
  expect(released).toBe(1);
});

test("not during a long request, though no other began", () => {
  activity.requestsInFlight = 1;
  release.schedule();
  pass(5);
  expect(released).toBe(0);
  activity.requestsInFlight = 0;
  pass(1);
  expect(released).toBe(1);
});

test("a service that is never quiet is looked at for a while, and then let be", () => {
  release.schedule();
  for (let look = 0; look < DEFAULTS.quietLooksMax; look++) {
    activity.requestsBegun++;
    pass(1);
  }
  pass(100);
  expect(released).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("a policy that comes meanwhile does not put it off, and one that comes later stops nobody", () => {
  release.schedule();
  vi.advanceTimersByTime(DEFAULTS.quietLookMs - 1);
  release.schedule();
  vi.advanceTimersByTime(1);
  expect(released).toBe(1);
  release.schedule();
  expect(vi.getTimerCount()).toBe(0);
});

test("the end of the process stops it", () => {
  release.schedule();
  release.stop();
  pass(2);
  expect(released).toBe(0);
});
