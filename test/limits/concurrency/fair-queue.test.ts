import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairQueue, type Turn, type Waiter } from "../../../src/limits/concurrency/fair-queue.ts";

interface Waiting extends Waiter {
  readonly name: string;
}

class Model {
  readonly queue: FairQueue<Waiting> = new FairQueue();
  readonly turns: Map<Waiting, Turn<Waiting>> = new Map();

  push(caller: string, name: string, sizeMax = 1_000, cost = 1): string {
    const waiter = { caller, name, cost };
    const pushed = this.queue.push(waiter, sizeMax);
    if (pushed === null) return "refused";
    this.turns.set(waiter, pushed.turn);
    if (pushed.out !== null) this.turns.delete(pushed.out);
    return pushed.out?.name ?? "in";
  }

  next(): string | null {
    const waiter = this.queue.peek();
    if (waiter === null) return null;
    const turn = this.turns.get(waiter);
    expect(turn !== undefined && this.queue.serve(turn)).toBe(true);
    this.turns.delete(waiter);
    return waiter.name;
  }

  all(): string[] {
    const served: string[] = [];
    for (let name = this.next(); name !== null; name = this.next()) served.push(name);
    return served;
  }
}

describe("the order", () => {
  test("callers take turns, however many requests one has; each caller's own keep their order", () => {
    const model = new Model();
    for (let at = 0; at < 5; at++) model.push("greedy", `g${at}`);
    model.push("small", "s0");
    model.push("other", "o0");
    model.push("small", "s1");
    expect(model.all()).toEqual(["g0", "s0", "o0", "g1", "s1", "g2", "g3", "g4"]);
  });

  test("who holds fewer places comes first, so that slow requests gain a caller nothing", () => {
    const model = new Model();
    model.queue.enter("slow");
    model.queue.enter("slow");
    const line = model.queue.enter("quick");
    model.push("slow", "slow0");
    model.push("quick", "quick0");
    model.push("quick", "quick1");
    expect(model.next()).toBe("quick0");
    model.queue.enter("quick");
    model.queue.leave(line);
    expect(model.next()).toBe("quick1");
    expect(model.next()).toBe("slow0");
  });

  test("a turn is worth as much to each: who asks for dear things gets fewer of them", () => {
    const model = new Model();
    for (let at = 0; at < 20; at++) model.push("dear", "dear", 1_000, 5);
    for (let at = 0; at < 100; at++) model.push("cheap", "cheap");
    const served = Array.from({ length: 60 }, () => model.next());
    expect(served.filter((name) => name === "dear")).toHaveLength(10);
    expect(served.filter((name) => name === "cheap")).toHaveLength(50);
  });
});

describe("a full queue", () => {
  test("the newest of the caller with the most gives way to one with fewer", () => {
    const model = new Model();
    for (let at = 0; at < 4; at++) model.push("greedy", `g${at}`, 4);
    expect(model.push("small", "s0", 4)).toBe("g3");
    expect(model.push("small", "s1", 4)).toBe("g2");
    expect(model.all()).toEqual(["g0", "s0", "g1", "s1"]);
  });

  test("equals do not push each other out, and nobody is pushed out by its own caller", () => {
    const model = new Model();
    for (const caller of ["a", "b", "c", "d"]) model.push(caller, caller, 4);
    expect(model.push("e", "e", 4)).toBe("refused");
    const greedy = new Model();
    for (let at = 0; at < 4; at++) greedy.push("greedy", `g${at}`, 4);
    expect(greedy.push("greedy", "g4", 4)).toBe("refused");
    expect(greedy.queue.size).toBe(4);
  });

  test("a newcomer that would only have as many as the one it pushes out does not get in", () => {
    const model = new Model();
    for (const name of ["a0", "a1"]) model.push("a", name, 3);
    model.push("b", "b0", 3);
    expect(model.push("b", "b1", 3)).toBe("refused");
    expect(model.push("c", "c0", 3)).toBe("a1");
  });
});

test("callers are forgotten with the last of what they have", () => {
  const model = new Model();
  const line = model.queue.enter("a");
  model.push("a", "a0");
  model.push("b", "b0");
  expect(model.queue.callers).toBe(2);
  expect(model.all()).toEqual(["b0", "a0"]);
  expect(model.queue.callers).toBe(1);
  model.queue.leave(line);
  expect(model.queue.callers).toBe(0);
  expect(model.queue.size).toBe(0);
});

test("parity with a naive queue, over any sequence of requests, turns, departures and places", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("push" as const), caller: fc.constantFrom("a", "b", "c") }),
    fc.record({ do: fc.constant("next" as const) }),
    fc.record({ do: fc.constant("leave" as const), at: fc.nat(20) }),
    fc.record({ do: fc.constant("free" as const), at: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const sizeMax = 5;
      const model = new Model();
      /** In the order in which they came; `turn`: when the caller had its last one, or began to wait. */
      let naive: { caller: string; name: string }[] = [];
      const held: { caller: string; line: ReturnType<FairQueue<Waiting>["enter"]> }[] = [];
      let count = 0;
      const heldBy = (caller: string): number => held.filter((one) => one.caller === caller).length;
      const waitingOf = (caller: string): number => naive.filter((one) => one.caller === caller).length;
      for (const one of steps) {
        if (one.do === "push") {
          const name = `${one.caller}${count++}`;
          const most = Math.max(0, ...["a", "b", "c"].map(waitingOf));
          const full = naive.length >= sizeMax;
          const result = model.push(one.caller, name, sizeMax);
          if (full && most <= waitingOf(one.caller) + 1) expect(result).toBe("refused");
          else if (full) {
            const out = naive.find((waiter) => waiter.name === result);
            expect(out !== undefined && waitingOf(out.caller)).toBe(most);
            expect(naive.filter(({ caller }) => caller === out?.caller).at(-1)).toBe(out);
            naive = naive.filter((waiter) => waiter !== out);
          } else expect(result).toBe("in");
          if (result !== "refused") naive.push({ caller: one.caller, name });
        } else if (one.do === "next") {
          const served = model.next();
          const fewest = Math.min(...naive.map(({ caller }) => heldBy(caller)));
          const found = naive.find(({ name }) => name === served);
          if (naive.length === 0) expect(served).toBeNull();
          else {
            expect(found !== undefined && heldBy(found.caller)).toBe(fewest);
            expect(naive.find(({ caller }) => caller === found?.caller)).toBe(found);
          }
          naive = naive.filter((waiter) => waiter !== found);
          if (found !== undefined) held.push({ caller: found.caller, line: model.queue.enter(found.caller) });
        } else if (one.do === "leave") {
          const [waiter, turn] = [...model.turns][one.at % Math.max(1, model.turns.size)] ?? [];
          if (waiter === undefined || turn === undefined) continue;
          expect(model.queue.remove(turn)).toBe(true);
          expect(model.queue.remove(turn)).toBe(false);
          model.turns.delete(waiter);
          naive = naive.filter(({ name }) => name !== waiter.name);
        } else {
          const [freed] = held.splice(one.at % Math.max(1, held.length), 1);
          if (freed !== undefined) model.queue.leave(freed.line);
        }
        expect(model.queue.size).toBe(naive.length);
        const known = new Set([...naive, ...held].map(({ caller }) => caller));
        expect(model.queue.callers).toBe(known.size);
      }
    }),
  );
});
