import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Throttle } from "../../../src/limits/concurrency/throttle.ts";
import { WaitingRoom } from "../../../src/limits/concurrency/waiting-room.ts";
import { unlimitedMemory } from "../../../src/memory/budget.ts";
import type { Exchange } from "../../../src/message/exchange.ts";
import { ManualTime } from "../../fixtures/manual-time.ts";
import { createExchange } from "../../fixtures/route-context.ts";

const INTERVAL_MS = 100;

/** One request each interval, and none saved up: what a rate of 10/second with a burst of 1 is. */
class Rate {
  readonly #time: ManualTime;
  #nextMs = 0;

  constructor(time: ManualTime) {
    this.#time = time;
  }

  take(cost: number): number {
    const now = this.#time.monotonicMs();
    if (this.#nextMs > now) return this.#nextMs - now;
    this.#nextMs = now + cost * INTERVAL_MS;
    return 0;
  }
}

interface Passed {
  readonly name: string;
  readonly atMs: number;
}

function setUp(lengthMax = 10, timeoutMs = 1_000) {
  const time = new ManualTime(0);
  const room = new WaitingRoom(time, unlimitedMemory());
  const throttle = new Throttle(room);
  const rate = new Rate(time);
  const passed: Passed[] = [];
  const refused: string[] = [];
  /** As a limit asks. */
  const ask = (name: string, caller = name, cost = 1, exchange: Exchange = createExchange()): Exchange => {
    const take = (): number => {
      const waitMs = rate.take(cost);
      if (waitMs === 0) passed.push({ name, atMs: time.monotonicMs() });
      return waitMs;
    };
    const isBusy = throttle.isBusy("k");
    const waitMs = isBusy ? 0 : take();
    if (!isBusy && waitMs === 0) return exchange;
    const rules = { lengthMax, timeoutMs };
    void throttle.wait("k", rules, exchange, caller, cost, waitMs, take).then((how) => {
      if (how !== null) refused.push(`${name} ${how}`);
    });
    return exchange;
  };
  return { time, room, throttle, passed, refused, ask };
}

const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what comes at once goes on at the pace of the rate, to the millisecond", () => {
  const { time, throttle, passed, ask } = setUp();
  for (const name of ["a", "b", "c", "d"]) ask(name);
  expect(throttle.waiting).toBe(3);
  time.pass(1_000);
  expect(passed.map(({ name, atMs }) => `${name} ${atMs}`)).toEqual(["a 0", "b 100", "c 200", "d 300"]);
  expect([throttle.waiting, throttle.isBusy("k"), time.nextMs]).toEqual([0, false, Number.POSITIVE_INFINITY]);
});

test("a newcomer does not overtake those who wait, though the rate has room again", () => {
  const { time, passed, ask } = setUp();
  ask("a");
  ask("b");
  ask("c");
  time.pass(100);
  ask("d");
  time.pass(1_000);
  expect(passed.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
});

test("callers take turns, and what costs more waits longer", () => {
  const { time, passed, ask } = setUp();
  ask("first");
  for (let at = 0; at < 4; at++) ask(`greedy${at}`, "greedy");
  ask("small", "small");
  time.pass(2_000);
  expect(passed.map(({ name }) => name)).toEqual(["first", "greedy0", "small", "greedy1", "greedy2", "greedy3"]);
});

describe("patience", () => {
  test("nobody waits for what cannot come in time", async () => {
    const { throttle, refused, ask } = setUp(10, 50);
    ask("a");
    ask("b");
    await told();
    expect(refused).toEqual(["b timeout"]);
    expect(throttle.isBusy("k")).toBe(false);
  });

  test("a deadline ends the wait and takes nothing of the rate", async () => {
    const { time, passed, refused, throttle, ask } = setUp(10, 250);
    for (const name of ["a", "b", "c", "d", "e"]) ask(name);
    time.pass(250);
    await told();
    expect(refused).toEqual(["d timeout", "e timeout"]);
    expect(passed.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    time.pass(50);
    ask("f");
    expect(passed.at(-1)).toEqual({ name: "f", atMs: 300 });
    expect(throttle.waiting).toBe(0);
  });

  test("one whose client leaves takes nothing of the rate, and the others move up", async () => {
    const { time, room, passed, refused, ask } = setUp();
    ask("a");
    const leaves = ask("b");
    ask("c");
    leaves.end();
    time.pass(100);
    await told();
    expect(passed).toEqual([
      { name: "a", atMs: 0 },
      { name: "c", atMs: 100 },
    ]);
    expect(refused).toEqual(["b over"]);
    expect(room.count).toBe(0);
  });

  test("the queue is bounded, and one caller cannot have all of it", async () => {
    const { refused, ask, throttle } = setUp(3);
    ask("first");
    for (let at = 0; at < 5; at++) ask(`greedy${at}`, "greedy");
    ask("small", "small");
    await told();
    expect(throttle.waiting).toBe(3);
    expect(refused.toSorted()).toEqual(["greedy2 displaced", "greedy3 displaced", "greedy4 displaced"]);
  });
});

test("whatever comes and goes, no more pass than the rate allows, and nobody who could pass is forgotten", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("ask" as const), caller: fc.constantFrom("a", "b", "c") }),
    fc.record({ do: fc.constant("leave" as const), at: fc.nat(30) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.nat(250) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { time, room, throttle, passed, refused, ask } = setUp(4, 700);
      const exchanges: Exchange[] = [];
      for (const [at, one] of steps.entries()) {
        if (one.do === "ask") exchanges.push(ask(`${one.caller}${at}`, one.caller));
        else if (one.do === "pass") time.pass(one.ms);
        else exchanges.splice(one.at % Math.max(1, exchanges.length), 1)[0]?.end();
        await told();
        expect(throttle.waiting).toBeLessThanOrEqual(4);
        expect(room.count).toBe(throttle.waiting);
      }
      time.pass(10_000);
      await told();
      const asked = steps.filter((one) => one.do === "ask").length;
      expect(passed.length + refused.length).toBe(asked);
      const times = passed.map(({ atMs }) => atMs);
      for (const [at, atMs] of times.entries())
        if (at > 0) expect(atMs - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(INTERVAL_MS);
      expect([throttle.waiting, room.count, time.nextMs]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
    }),
    { numRuns: 60 },
  );
});
