import { expect, test } from "vitest";
import { Tries } from "../../src/resources/tries.ts";
import { FakeClock } from "../filters/identity-context.ts";

test("a status says how tries went, and when the last good one was", () => {
  const clock = new FakeClock();
  const tries = new Tries(clock);
  expect(tries.status).toMatchObject({ state: "starting", freshAtMs: null, fault: null });
  tries.ready();
  expect(tries.status).toMatchObject({ state: "ready", freshAtMs: null });
  tries.note("status 503");
  const failedAtMs = clock.wallMs();
  expect(tries.isFailing).toBe(true);
  expect(tries.status).toMatchObject({ state: "failing", fault: { text: "status 503", atMs: failedAtMs } });
  // What failed is not ready because somebody starts it once more.
  tries.ready();
  expect(tries.status.state).toBe("failing");
  clock.nowMs += 1000;
  tries.note(null);
  expect(tries.isFailing).toBe(false);
  expect(tries.status).toEqual({
    state: "ready",
    freshAtMs: clock.wallMs(),
    staleUntilMs: null,
    fault: null,
    tries: { ok: 1, unchanged: 0, failed: 1, unusable: 0 },
  });
});

test("a fault beside the tries shows, and lasts until one is good", () => {
  const tries = new Tries(new FakeClock());
  tries.note(null);
  tries.tell("the lock: it cannot be made");
  expect(tries.status).toMatchObject({ state: "ready", fault: { text: "the lock: it cannot be made" } });
  tries.note(null);
  expect(tries.status.fault).toBeNull();
});
