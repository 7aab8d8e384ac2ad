// Goal: long work gives turns and loses nothing; short work makes no promise. Method: a clock that the work itself moves.
import { expect, test } from "vitest";
import { atOnce, type Steps, Turns } from "../../src/support/turns.ts";
import { lonelyLine } from "../fixtures/lonely-line.ts";

const turnsOf = (clock: { monotonicMs(): number }, sliceMs: number): Turns =>
  new Turns(clock, sliceMs, () => {}, lonelyLine);

/** Work of `count` steps, each of which takes `stepMs` on the clock. */
function work(count: number, stepMs: number) {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  function* steps(): Steps<number> {
    for (let at = 0; at < count; at++) {
      clock.nowMs += stepMs;
      yield;
    }
    return count;
  }
  return { clock, steps: steps() };
}

/** Counts how often the event loop goes round until `done` resolves. */
async function roundsUntil(done: Promise<unknown>): Promise<number> {
  let rounds = 0;
  let isOver = false;
  const counted = new Promise<void>((resolve) => {
    const count = (): void => {
      if (isOver) resolve();
      else {
        rounds++;
        setImmediate(count);
      }
    };
    setImmediate(count);
  });
  await done;
  isOver = true;
  await counted;
  return rounds;
}

test("work that ends within its slice gives its value and no promise", () => {
  const { clock, steps } = work(10, 0.1);
  expect(turnsOf(clock, 2).run(steps)).toBe(10);
});

test("longer work gives a turn for each slice, and then its value", async () => {
  const { clock, steps } = work(100, 0.5);
  const result = turnsOf(clock, 2).run(steps);
  expect(result).toBeInstanceOf(Promise);
  const rounds = await roundsUntil(Promise.resolve(result));
  // 50 ms of work in slices of 2 ms.
  expect(rounds).toBeGreaterThanOrEqual(20);
  expect(await result).toBe(100);
});

test("a fault in a later slice rejects", async () => {
  const { clock } = work(0, 0);
  function* steps(): Steps<number> {
    clock.nowMs += 5;
    yield;
    throw new Error("fault");
  }
  await expect(turnsOf(clock, 2).run(steps())).rejects.toThrow("fault");
});

test("where nobody waits, all of it runs at once", () => {
  expect(atOnce(work(1_000, 5).steps)).toBe(1_000);
  const { clock, steps } = work(1_000, 5);
  expect(turnsOf(clock, Number.POSITIVE_INFINITY).run(steps)).toBe(1_000);
});
