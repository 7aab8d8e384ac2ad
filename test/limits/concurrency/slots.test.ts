import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SlotRules, Slots } from "../../../src/limits/concurrency/slots.ts";
import { WaitingRoom } from "../../../src/limits/concurrency/waiting-room.ts";
import { MemoryBudget, unlimitedMemory } from "../../../src/memory/budget.ts";
import type { Exchange } from "../../../src/message/exchange.ts";
import type { AnswerFacts } from "../../../src/message/taken.ts";
import { DEFAULTS } from "../../../src/support/defaults.ts";
import { ManualTime } from "../../fixtures/manual-time.ts";
import { createPrincipal, createExchange as newExchange } from "../../fixtures/route-context.ts";

const DONE: AnswerFacts = {
  status: 200,
  requestBodyBytes: 0,
  responseBodyBytes: 0,
  callOutcome: "none",
  upstreamMs: 1,
  denied: false,
};
const WITHOUT_QUEUE = { max: 2, queue: null, adaptive: null };
const WITH_QUEUE = { max: 2, queue: { lengthMax: 3, timeoutMs: 1_000 }, adaptive: null };

function setUp(memory = unlimitedMemory()) {
  const time = new ManualTime(1_000);
  const room = new WaitingRoom(time, memory);
  return { time, room, slots: new Slots(room, time, () => 0.5), memory };
}

/** A request of a caller; of nobody in particular where that does not matter. */
function createExchange(caller = "anybody", headers: readonly (readonly [string, string])[] = []): Exchange {
  return newExchange({ headers, principal: createPrincipal({ id: caller }) });
}

/** As a transaction ends: nothing is held, and what limits took is settled. */
function end(exchange: Exchange): void {
  exchange.end();
  exchange.settle(DONE);
}

/** Lets promises that are settled be told. */
const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("places", () => {
  test("so many of a key and no more; another key has its own", () => {
    const { slots } = setUp();
    const taken = ["a", "a", "a", "b"].map((key) => slots.take(key, WITHOUT_QUEUE, createExchange("x")));
    expect(taken).toEqual([1, 0, -1, 1]);
    expect([slots.inFlight, slots.inFlightOf("a"), slots.keys]).toEqual([3, 2, 2]);
  });

  test("a place is given back once, by the end or by another limit's denial", () => {
    const { slots } = setUp();
    const first = createExchange();
    const second = createExchange();
    slots.take("a", WITHOUT_QUEUE, first);
    slots.take("a", WITHOUT_QUEUE, second);
    const [place] = first.taken ?? [];
    end(first);
    place?.giveBack();
    place?.onEnd?.(DONE);
    expect(slots.inFlightOf("a")).toBe(1);
    second.giveBack();
    end(second);
    expect([slots.inFlight, slots.keys]).toEqual([0, 0]);
  });

  test("a request whose client left before its turn to be judged takes none", () => {
    const { slots } = setUp();
    const gone = createExchange();
    end(gone);
    slots.take("a", WITHOUT_QUEUE, gone);
    expect([slots.inFlight, slots.keys]).toEqual([0, 0]);
  });

  test("a refused request leaves nothing behind", () => {
    const { slots } = setUp();
    const never = { max: 0, queue: null, adaptive: null };
    expect(slots.take("a", never, createExchange("x"))).toBe(-1);
    expect(slots.keys).toBe(0);
  });
});

describe("the queue", () => {
  test("a place that is given back goes to who waits, and not to a newcomer", async () => {
    const { slots } = setUp();
    const holders = [createExchange(), createExchange()];
    for (const exchange of holders) slots.take("a", WITH_QUEUE, exchange);
    const waits = createExchange();
    const answer = slots.wait("a", WITH_QUEUE, waits);
    expect([slots.waiting, slots.waitingOf("a"), slots.inFlight]).toEqual([1, 1, 2]);
    end(holders[0] as Exchange);
    expect(slots.take("a", WITH_QUEUE, createExchange("z"))).toBe(-1);
    expect(await answer).toBeNull();
    expect([slots.waiting, slots.inFlight]).toEqual([0, 2]);
    end(waits);
    end(holders[1] as Exchange);
    expect([slots.inFlight, slots.keys]).toEqual([0, 0]);
  });

  test("patience ends at the deadline, and the place is free for the next", async () => {
    const { slots, time, room } = setUp();
    for (let at = 0; at < 2; at++) slots.take("a", WITH_QUEUE, createExchange("x"));
    const answer = slots.wait("a", WITH_QUEUE, createExchange("y"));
    time.pass(999);
    await told();
    expect(slots.waiting).toBe(1);
    time.pass(1);
    expect(await answer).toBe("timeout");
    expect([slots.waiting, room.count, time.nextMs]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
  });

  test("a client that leaves while it waits frees its place in the queue, and others that wait with it are told", async () => {
    const { slots, room } = setUp();
    const holder = createExchange();
    slots.take("a", { ...WITH_QUEUE, max: 1 }, holder);
    const leaves = createExchange();
    let others = 0;
    leaves.whenOver(() => others++);
    const answer = slots.wait("a", { ...WITH_QUEUE, max: 1 }, leaves);
    end(leaves);
    expect(await answer).toBe("over");
    expect([others, slots.waiting, room.count]).toEqual([1, 0, 0]);
    end(holder);
    expect([slots.inFlight, slots.keys]).toEqual([0, 0]);
  });

  test("a client that leaves in the very moment in which it gets its place gives it back", async () => {
    const { slots } = setUp();
    const rules = { ...WITH_QUEUE, max: 1 };
    const holder = createExchange();
    slots.take("a", rules, holder);
    const waits = createExchange();
    const answer = slots.wait("a", rules, waits);
    end(holder);
    end(waits); // before the promise has told anybody
    expect(await answer).toBeNull();
    expect([slots.inFlight, slots.keys]).toEqual([0, 0]);
  });

  test("one caller that fills the queue does not keep others out of it", async () => {
    const { slots } = setUp();
    const rules = { max: 1, queue: { lengthMax: 4, timeoutMs: 1_000 }, adaptive: null };
    const holder = createExchange();
    slots.take("a", rules, holder);
    const greedy = Array.from({ length: 6 }, () => createExchange("greedy"));
    const answers = greedy.map((exchange) => slots.wait("a", rules, exchange));
    expect(await Promise.all(answers.slice(4))).toEqual(["displaced", "displaced"]);
    const honest = createExchange("honest");
    const answer = slots.wait("a", rules, honest);
    expect(await answers[3]).toBe("displaced");
    end(holder);
    end(greedy[0] as Exchange);
    expect(await answer).toBeNull();
  });

  test("more waiting requests than the account of bodies has memory for are refused at once", async () => {
    const memory = new MemoryBudget({ bytes: 64 * 1024 * 1024, isGranted: true });
    memory.bodies.bytesMax = 2 * DEFAULTS.memoryWaitingRequestBytes;
    memory.bodies.clientBytesMax = memory.bodies.bytesMax;
    const { slots } = setUp(memory);
    const rules = { max: 1, queue: { lengthMax: 100, timeoutMs: 1_000 }, adaptive: null };
    const holder = createExchange();
    slots.take("a", rules, holder);
    const fits = createExchange("y", [["x-long", "x".repeat(100)]]);
    void slots.wait("a", rules, fits);
    expect(memory.bodies.heldBytes).toBeGreaterThan(DEFAULTS.memoryWaitingRequestBytes);
    expect(await slots.wait("a", rules, createExchange("z"))).toBe("crowded");
    end(fits);
    expect(memory.bodies.heldBytes).toBe(0);
    expect(slots.waiting).toBe(0);
  });
});

test("who holds the places was counted before anybody had to wait", async () => {
  const { slots } = setUp();
  const rules = { max: 4, queue: { lengthMax: 10, timeoutMs: 1_000 }, adaptive: null };
  const holders = ["slow", "slow", "slow", "quick"].map((caller) => createExchange(caller));
  for (const exchange of holders) slots.take("a", rules, exchange);
  const order: string[] = [];
  const waits = (caller: string): Exchange => {
    const exchange = createExchange(caller);
    void slots.wait("a", rules, exchange).then((how) => order.push(how ?? caller));
    return exchange;
  };
  for (const caller of ["slow", "quick", "quick"]) waits(caller);
  end(holders[3] as Exchange);
  await told();
  expect(order).toEqual(["quick"]);
  end(holders[0] as Exchange);
  await told();
  expect(order).toEqual(["quick", "quick"]);
});

describe("a newer policy", () => {
  test("a lower number holds as soon as requests end; a higher one serves those who wait", async () => {
    const { slots } = setUp();
    const exchanges = Array.from({ length: 4 }, () => createExchange());
    for (const exchange of exchanges) slots.take("a", { max: 4, queue: null, adaptive: null }, exchange);
    const lower = { max: 2, queue: { lengthMax: 10, timeoutMs: 1_000 }, adaptive: null };
    const waits = slots.wait("a", lower, createExchange("y"));
    end(exchanges[0] as Exchange);
    end(exchanges[1] as Exchange);
    await told();
    expect([slots.inFlight, slots.waiting]).toEqual([2, 1]);
    const more = slots.wait("a", { ...lower, max: 4 }, createExchange("z"));
    expect(await Promise.all([waits, more])).toEqual([null, null]);
    expect(slots.inFlight).toBe(4);
  });
});

test("parity with a naive model, over any sequence of requests, ends, departures, denials, moments and policies", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("ask" as const), caller: fc.constantFrom("a", "b", "c") }),
    fc.record({ do: fc.constantFrom("end" as const, "deny" as const), at: fc.nat(20) }),
    fc.record({ do: fc.constant("leave" as const), at: fc.nat(20) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.nat(600) }),
    fc.record({ do: fc.constant("reload" as const), max: fc.integer({ min: 1, max: 4 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
      const { slots, time, room } = setUp();
      let rules: SlotRules = { max: 2, queue: { lengthMax: 3, timeoutMs: 1_000 }, adaptive: null };
      const under: Exchange[] = [];
      const waiting = new Map<Exchange, { caller: string; untilMs: number }>();
      const refused: Exchange[] = [];
      for (const one of steps) {
        if (one.do === "reload") rules = { ...rules, max: one.max };
        else if (one.do === "pass") time.pass(one.ms);
        else if (one.do === "ask") {
          const exchange = createExchange(one.caller);
          const free = under.length < rules.max && waiting.size === 0;
          expect(slots.take("k", rules, exchange) >= 0).toBe(free);
          if (free) under.push(exchange);
          else {
            waiting.set(exchange, { caller: one.caller, untilMs: time.monotonicMs() + 1_000 });
            void slots.wait("k", rules, exchange).then((how) => {
              waiting.delete(exchange);
              if (how === null) under.push(exchange);
              else refused.push(exchange);
            });
          }
        } else if (one.do === "leave") {
          const exchange = [...waiting.keys()][one.at % Math.max(1, waiting.size)];
          if (exchange !== undefined) end(exchange);
        } else {
          const [exchange] = under.splice(one.at % Math.max(1, under.length), 1);
          if (one.do === "deny") exchange?.giveBack();
          if (exchange !== undefined) end(exchange);
        }
        await told();
        expect(slots.inFlight).toBe(under.length);
        expect([slots.waiting, room.count]).toEqual([waiting.size, waiting.size]);
        expect(waiting.size).toBeLessThanOrEqual(3);
        for (const { untilMs } of waiting.values()) expect(untilMs).toBeGreaterThan(time.monotonicMs());
        // Nobody waits for a place that is free, but for one that only a newer policy gives and nobody asked under yet.
        if (one.do !== "reload" && one.do !== "pass" && waiting.size > 0 && one.do === "ask") {
          expect(under.length).toBeGreaterThanOrEqual(rules.max);
        }
      }
      for (const exchange of [...under, ...waiting.keys(), ...refused]) end(exchange);
      await told();
      expect([slots.inFlight, slots.waiting, slots.keys, room.count]).toEqual([0, 0, 0, 0]);
      expect(time.nextMs).toBe(Number.POSITIVE_INFINITY);
    }),
    { numRuns: 60 },
  );
});
