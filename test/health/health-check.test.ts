// Goal: a service has another state when enough answers in a row say so, and is never asked twice at once. Method: answers that a
// test gives, and a clock that it moves.
import { describe, expect, test } from "vitest";
import { HealthCheck, type HealthCheckSettings } from "../../src/health/health-check.ts";
import type { ProbeAnswer } from "../../src/health/probe.ts";
import type { ResourceWorld } from "../../src/resources/resource.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";

const SETTINGS: HealthCheckSettings = {
  name: "app",
  intervalMs: 10_000,
  healthyThreshold: 2,
  unhealthyThreshold: 3,
  gatesReadiness: true,
};

/** A check whose probes wait for what the test answers. */
function checked(
  settings: Partial<HealthCheckSettings> = {},
  world: Partial<ResourceWorld> = {},
  running = new Map<string, HealthCheck>(),
) {
  const time = new ManualTime(1000);
  const changes: string[] = [];
  const pending: ((answer: ProbeAnswer) => void)[] = [];
  let asked = 0;
  const check = new HealthCheck(
    { ...SETTINGS, ...settings },
    () => {
      asked++;
      return new Promise((resolve) => pending.push(resolve));
    },
    resourceWorld({
      clock: time,
      timers: time,
      random: () => 0.5,
      changed: (one) => changes.push(one.status().state),
      ...world,
    }),
    running,
  );
  const answer = async (isGood: boolean | null): Promise<void> => {
    pending.shift()?.({ isGood, status: isGood ? 200 : 503, text: isGood ? "status 200" : "status 503" });
    await Promise.resolve();
    await Promise.resolve();
  };
  /** The next ask comes, and is answered so. */
  const next = async (isGood: boolean | null): Promise<void> => {
    time.pass(time.nextMs);
    await answer(isGood);
  };
  return { check, time, changes, answer, next, asked: () => asked, open: () => pending.length };
}

describe("a health check", () => {
  test("is made without asking, and asks at once when it starts", () => {
    const { check, asked } = checked();
    expect(asked()).toBe(0);
    expect(check.status()).toMatchObject({ kind: "health check", name: "app", state: "starting", freshAtMs: null });
    check.start();
    expect(asked()).toBe(1);
  });

  test("takes the first good answer of all for health, and is asked every second until then", async () => {
    const { check, answer, next, time, changes } = checked();
    check.start();
    await answer(false);
    expect(time.nextMs).toBe(1000);
    expect(check.status()).toMatchObject({ state: "starting", detail: "unknown, 1 of 3 bad answers in a row" });
    expect(check.isUnhealthy).toBe(false);
    await next(true);
    expect(check.status()).toMatchObject({ state: "ready", detail: "healthy", freshAtMs: 2000, gatesReadiness: true });
    expect(time.nextMs).toBe(10_000);
    expect(changes).toEqual(["ready"]);
  });

  test("a service that never was well is unhealthy after as many bad answers as any other", async () => {
    const { check, answer, next, changes } = checked({ unhealthyThreshold: 2 });
    check.start();
    await answer(false);
    await next(false);
    expect(check.isUnhealthy).toBe(true);
    expect(check.status()).toMatchObject({ state: "failing", fault: { text: "status 503" } });
    expect(changes).toEqual(["failing"]);
  });

  test("one bad answer, or two with a good one between, change nothing", async () => {
    const { check, answer, next, changes } = checked();
    check.start();
    await answer(true);
    for (const isGood of [false, false, true, false, false]) await next(isGood);
    expect(check.status()).toMatchObject({ state: "ready", detail: "healthy, 2 of 3 bad answers in a row" });
    await next(false);
    expect(check.status()).toMatchObject({ state: "failing", freshAtMs: null });
    expect(check.lastFault).toBe("status 503");
    for (const isGood of [true, false, true]) await next(isGood);
    expect(check.isUnhealthy).toBe(true);
    await next(true);
    expect(check.isUnhealthy).toBe(false);
    expect(changes).toEqual(["ready", "failing", "ready"]);
    expect(check.status().tries).toEqual({ ok: 5, unchanged: 0, failed: 6, unusable: 0 });
  });

  test("is never asked twice at once, however long an answer takes", async () => {
    const { check, answer, time, asked, open } = checked();
    check.start();
    time.pass(3_600_000);
    expect([asked(), open()]).toEqual([1, 1]);
    await answer(true);
    time.pass(9_999);
    expect(asked()).toBe(1);
    time.pass(1);
    expect(asked()).toBe(2);
  });

  test.each([
    [0, 9000],
    [0.5, 10_000],
    [0.999, 10_998],
  ])("replicas do not ask all at once: %d draws %d ms", async (drawn, waitMs) => {
    const { check, answer, time } = checked({}, { random: () => drawn });
    check.start();
    await answer(true);
    expect(time.nextMs).toBeCloseTo(waitMs, 5);
  });

  test("ends where no policy has it any more, also between question and answer", async () => {
    const { check, answer, time, changes } = checked();
    check.start();
    check.close();
    await answer(true);
    expect([time.nextMs, changes]).toEqual([Number.POSITIVE_INFINITY, []]);
  });

  test("that cannot be asked is neither well nor not: the want is postern's own", async () => {
    const { check, answer, next, changes } = checked({ unhealthyThreshold: 1 });
    check.start();
    await answer(true);
    for (let times = 0; times < 5; times++) await next(null);
    expect(check.status()).toMatchObject({ state: "ready", tries: { ok: 1, failed: 0, unusable: 5 } });
    expect(changes).toEqual(["ready"]);
  });

  test("that takes another's place knows what that one knew, and no other's", async () => {
    const running = new Map<string, HealthCheck>();
    const old = checked({}, {}, running);
    old.check.start();
    await old.answer(true);
    const next = checked({ intervalMs: 5000 }, {}, running);
    next.check.start();
    old.check.close();
    expect(next.check.status()).toMatchObject({ state: "ready", freshAtMs: 1000 });
    expect(next.asked()).toBe(1);
    const other = checked({ name: "other" }, {}, running);
    other.check.start();
    expect(other.check.status().state).toBe("starting");
    next.check.close();
    const later = checked({}, {}, running);
    later.check.start();
    expect(later.check.status().state).toBe("starting");
  });

  test("that takes the place of one whose service was unhealthy is told so too, until its own first good answer", async () => {
    const running = new Map<string, HealthCheck>();
    const old = checked({ unhealthyThreshold: 1, intervalMs: 3_600_000 }, {}, running);
    old.check.start();
    await old.answer(false);
    const mended = checked({ unhealthyThreshold: 1, intervalMs: 3_600_000 }, {}, running);
    mended.check.start();
    old.check.close();
    expect(mended.check.isUnhealthy).toBe(true);
    expect(mended.check.status()).toMatchObject({
      state: "failing",
      detail: "unhealthy, 0 of 1 good answers in a row",
      fault: { text: "status 503" },
    });
    await mended.answer(true);
    expect([mended.check.isUnhealthy, mended.check.status().state]).toEqual([false, "ready"]);
    const again = checked({ unhealthyThreshold: 2 }, {}, running);
    again.check.start();
    await again.answer(false);
    await again.next(false);
    expect(again.check.status().state).toBe("failing");
    const later = checked({ unhealthyThreshold: 2 }, {}, running);
    later.check.start();
    // What the one before knew lasts over several that come one after the other.
    const latest = checked({ unhealthyThreshold: 2 }, {}, running);
    latest.check.start();
    later.check.close();
    await latest.answer(false);
    expect([latest.check.isUnhealthy, latest.time.nextMs]).toEqual([true, 1000]);
    await latest.next(false);
    await latest.next(true);
    expect(latest.check.isUnhealthy).toBe(true);
    await latest.next(true);
    expect(latest.check.isUnhealthy).toBe(false);
  });

  test("is tried once for 'check --online'", async () => {
    const good = checked();
    const tried = good.check.tryOnce();
    await good.answer(true);
    expect(await tried).toEqual({ ok: true, value: "status 200" });
    const bad = checked();
    const failed = bad.check.tryOnce();
    await bad.answer(false);
    expect(await failed).toEqual({ ok: false, error: "status 503" });
    expect(bad.check.status().state).toBe("starting");
  });
});
