// Goal: of any number of long works one goes on for each turn of the event loop, in fair order, and behind what others ask
// meanwhile. Method: a thread whose turns, events and clock the test makes.
import { expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { Line } from "../../src/support/line.ts";
import { type Steps, Turns } from "../../src/support/turns.ts";

/** An event loop that goes round when it is told to. */
class TestThread {
  nowMs = 1_000;
  handled = 0;
  #deferred: (() => void)[] = [];
  readonly line: Line = new Line(this);

  monotonicMs(): number {
    return this.nowMs;
  }

  events(): number {
    return this.handled;
  }

  defer(run: () => void): void {
    this.#deferred.push(run);
  }

  get isIdle(): boolean {
    return this.#deferred.length === 0;
  }

  /** `events`: of others, in this round. */
  async goRound(events = 0): Promise<void> {
    this.handled += events;
    const due = this.#deferred;
    this.#deferred = [];
    for (const run of due) run();
    // What was promised goes on before the loop does.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Long work of `count` steps, each of which takes `stepMs` and is noted. */
  run(name: string, count: number, stepMs: number, noted: string[]): Promise<string> {
    const thread = this;
    function* steps(): Steps<string> {
      for (let at = 0; at < count; at++) {
        thread.nowMs += stepMs;
        noted.push(name);
        yield;
      }
      return name;
    }
    return Promise.resolve(new Turns(this, SLICE_MS, () => {}, this.line).run(steps()));
  }
}

const SLICE_MS = 1;

test("of many long works one goes on for each turn of the loop, one after the other", async () => {
  const thread = new TestThread();
  const noted: string[] = [];
  const done = ["a", "b", "c"].map((name) => thread.run(name, 4, SLICE_MS, noted));
  // Each begins at once, and then waits in line.
  expect(noted).toEqual(["a", "b", "c"]);
  for (let round = 1; round <= 9; round++) {
    await thread.goRound();
    expect(noted).toHaveLength(3 + round);
  }
  expect(noted.join("")).toBe("abc".repeat(4));
  while (!thread.isIdle) await thread.goRound();
  expect(await Promise.all(done)).toEqual(["a", "b", "c"]);
});

test("a fault in one of them does not stop the others", async () => {
  const thread = new TestThread();
  function* failing(): Steps<never> {
    thread.nowMs += SLICE_MS;
    yield;
    throw new Error("fault");
  }
  const failed = Promise.resolve(new Turns(thread, SLICE_MS, () => {}, thread.line).run(failing()));
  const other = thread.run("other", 3, SLICE_MS, []);
  const rejected = expect(failed).rejects.toThrow("fault");
  while (!thread.isIdle) await thread.goRound();
  await rejected;
  expect(await other).toBe("other");
});

test("where others were served in a round, what they do next comes first", async () => {
  const thread = new TestThread();
  const noted: string[] = [];
  const done = thread.run("long", 3, SLICE_MS, noted);
  await thread.goRound();
  for (let round = 0; round < 3; round++) await thread.goRound(2);
  expect(noted).toHaveLength(2);
  await thread.goRound();
  expect(noted).toHaveLength(3);
  await thread.goRound();
  expect(await done).toBe("long");
});

test("however busy others are, long work goes on", async () => {
  const thread = new TestThread();
  const noted: string[] = [];
  const done = thread.run("long", 3, SLICE_MS, noted);
  let rounds = 0;
  for (; !thread.isIdle; rounds++) {
    thread.nowMs += DEFAULTS.turnRestMsMax / 2;
    await thread.goRound(1);
  }
  expect(rounds).toBeLessThanOrEqual(8);
  expect(await done).toBe("long");
});

test("stretches are short where others were served of late or wait, and else as long as the slice", async () => {
  const thread = new TestThread();
  const noted: string[] = [];
  const { turnSharedMs, turnServedMs } = DEFAULTS;
  const stepMs = turnSharedMs / 2;
  const alone = SLICE_MS / stepMs;
  const done = thread.run("long", 100, stepMs, noted);
  expect(noted).toHaveLength(alone);
  await thread.goRound(1);
  await thread.goRound();
  expect(noted).toHaveLength(alone + turnSharedMs / stepMs);
  thread.nowMs += turnServedMs;
  await thread.goRound();
  expect(noted).toHaveLength(2 * alone + turnSharedMs / stepMs);
  // Who comes while another waits begins with a short stretch, so that many that come at once hold nobody.
  const others: string[] = [];
  const late = thread.run("late", 100, stepMs, others);
  expect(others).toHaveLength(turnSharedMs / stepMs);
  while (!thread.isIdle) await thread.goRound();
  expect(await Promise.all([done, late])).toEqual(["long", "late"]);
});
