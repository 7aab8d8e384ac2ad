import { describe, expect, test } from "vitest";
import { OverloadWatch } from "../../../src/limits/overload/overload-watch.ts";
import { MemoryBudget } from "../../../src/memory/budget.ts";
import type { ResourceWorld } from "../../../src/resources/resource.ts";
import type { Timers } from "../../../src/support/timers.ts";
import { ManualTime } from "../../fixtures/manual-time.ts";

const RULES = { loopDelayMsMax: 200, memoryShareMax: 0.9 };
const MIB = 1024 * 1024;

/** A thread that is held so long each time that a timer is due. */
class LateTime implements Timers {
  readonly time: ManualTime = new ManualTime(0);
  lateMs = 0;

  after(delayMs: number, run: () => void): () => void {
    return this.time.after(delayMs + this.lateMs, run);
  }
}

function setUp() {
  const timers = new LateTime();
  const notes: string[] = [];
  const memory = new MemoryBudget({ bytes: 100 * MIB, isGranted: true });
  const held = { residentBytes: 50 * MIB };
  const world = {
    clock: timers.time,
    timers,
    random: () => 0.5,
    memory,
    residentBytes: () => held.residentBytes,
    note: (_resource: unknown, text: string) => notes.push(text),
  };
  const watch = new OverloadWatch(RULES, world as never as ResourceWorld);
  return { watch, timers, notes, held };
}

describe("a watch", () => {
  test("sees a thread that is held again and again, tells it once, and sees it free", () => {
    const { watch, timers, notes } = setUp();
    watch.start();
    timers.time.pass(1_000);
    expect([watch.level, watch.delayMs, notes]).toEqual([0, 0, []]);
    timers.lateMs = 400;
    timers.time.pass(10_000);
    expect(watch.level).toBe(3);
    expect(watch.delayMs).toBe(400);
    expect(watch.sheds("high", "client")).toBe(true);
    expect(watch.sheds("critical", "client")).toBe(false);
    timers.lateMs = 0;
    timers.time.pass(20_000);
    expect(watch.level).toBe(0);
    expect(notes).toEqual([
      "more is asked for than can be served: requests are shed (events wait 400 ms, 50 % of the memory is held)",
      "requests are not shed any more (events wait 0 ms, 50 % of the memory is held)",
    ]);
  });

  test("sees the process near what it may hold", () => {
    const { watch, timers, held } = setUp();
    watch.start();
    held.residentBytes = 95 * MIB;
    timers.time.pass(5_000);
    expect(watch.level).toBe(1.5);
    expect(watch.status()).toMatchObject({ state: "ready", detail: "requests are shed, level 1.50" });
  });

  test("does nothing before a policy with it is in force, and nothing afterwards", () => {
    const { watch, timers } = setUp();
    expect(timers.time.nextMs).toBe(Number.POSITIVE_INFINITY);
    watch.start();
    timers.time.pass(500);
    watch.close();
    expect(timers.time.nextMs).toBe(Number.POSITIVE_INFINITY);
  });
});
