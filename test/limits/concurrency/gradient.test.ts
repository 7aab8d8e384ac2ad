import { describe, expect, test } from "vitest";
import { Gradient, type GradientRules } from "../../../src/limits/concurrency/gradient.ts";
import { lookOf } from "../../../src/limits/concurrency/service-look.ts";
import type { AnswerFacts } from "../../../src/message/taken.ts";
import type { Clock } from "../../../src/support/clock.ts";
import { ManualTime } from "../../fixtures/manual-time.ts";
import { createExchange } from "../../fixtures/route-context.ts";

const RULES = { min: 4, max: 1_000, tolerance: 2 };

/** A repeatable sequence of numbers from 0 to 1 (a linear congruential generator). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A clock with what is to happen on it, kept in a heap: a simulation has a million events. */
class SimulatedTime implements Clock {
  #nowMs = 0;
  readonly #heap: { readonly atMs: number; readonly run: () => void }[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { atMs: this.#nowMs + delayMs, run };
    let at = heap.push(entry) - 1;
    for (let up = (at - 1) >> 1; at > 0 && (heap[up]?.atMs ?? 0) > entry.atMs; up = (at - 1) >> 1) {
      heap[at] = heap[up] ?? entry;
      at = up;
    }
    heap[at] = entry;
  }

  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#removeFirst();
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = endMs;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if ((heap[down + 1]?.atMs ?? Number.POSITIVE_INFINITY) < (heap[down]?.atMs ?? Number.POSITIVE_INFINITY)) down++;
      const child = heap[down];
      if (child === undefined || child.atMs >= last.atMs) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

interface Service {
  /** How many it works on at once; others wait inside it. */
  workers: number;
  /** What one takes, before chance. */
  readonly workMs: () => number;
}

/**
 * A service with a number of workers, before it a limit, and clients of which each asks again when it is answered or refused.
 */
class Simulation {
  readonly time: SimulatedTime = new SimulatedTime();
  readonly gradient: Gradient;
  readonly random: () => number = sequence(7);
  readonly #service: Service;
  #inFlight = 0;
  #working = 0;
  readonly #inside: (() => void)[] = [];
  answered = 0;
  readonly latencies: number[] = [];

  constructor(service: Service, rules: GradientRules = RULES) {
    this.#service = service;
    this.gradient = new Gradient(rules, this.time, this.random);
  }

  clients(count: number): void {
    for (let at = 0; at < count; at++) this.time.after(this.random() * 50, () => this.#ask());
  }

  #ask(): void {
    if (this.#inFlight >= this.gradient.limit) {
      this.time.after(10 + this.random() * 10, () => this.#ask());
      return;
    }
    this.#inFlight++;
    const beganMs = this.time.monotonicMs();
    const begin = (): void => {
      this.#working++;
      this.time.after(this.#service.workMs() * (0.5 + this.random()), () => {
        this.#working--;
        const ms = this.time.monotonicMs() - beganMs;
        this.latencies.push(ms);
        this.answered++;
        this.gradient.saw(ms, this.#inFlight);
        this.#inFlight--;
        this.#next();
        this.time.after(1 + this.random(), () => this.#ask());
      });
    };
    this.#inside.push(begin);
    this.#next();
  }

  #next(): void {
    while (this.#working < this.#service.workers) {
      const begin = this.#inside.shift();
      if (begin === undefined) return;
      begin();
    }
  }

  /** Answers per second, and the median latency, of the seconds from here on. */
  measure(seconds: number): { rate: number; medianMs: number; least: number; most: number } {
    this.answered = 0;
    this.latencies.length = 0;
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    for (let at = 0; at < seconds * 10; at++) {
      this.time.pass(100);
      least = Math.min(least, this.gradient.limit);
      most = Math.max(most, this.gradient.limit);
    }
    const medianMs = this.latencies.toSorted((a, b) => a - b)[Math.floor(this.latencies.length / 2)] ?? 0;
    return { rate: this.answered / seconds, medianMs, least, most };
  }
}

describe("beside a service of 20 workers of 20 ms, which manages 1,000 a second", () => {
  test("a crowd of 300 gets nearly all of that, in about twice the time and not fifteen times", () => {
    const simulation = new Simulation({ workers: 20, workMs: () => 20 });
    simulation.clients(300);
    simulation.time.pass(20_000);
    const { rate, medianMs, most } = simulation.measure(40);
    expect(rate).toBeGreaterThan(900);
    expect(medianMs).toBeLessThan(60);
    expect(most).toBeLessThan(80);
  });

  test("the limit does not creep in minutes of too many, though there is no moment without a crowd", () => {
    const simulation = new Simulation({ workers: 20, workMs: () => 20 });
    simulation.clients(100);
    simulation.time.pass(240_000);
    const { rate, most } = simulation.measure(40);
    expect(most).toBeLessThan(80);
    expect(rate).toBeGreaterThan(900);
  });

  test("half of the workers gone: the limit follows within seconds, and comes back with them", () => {
    const service = { workers: 40, workMs: () => 20 };
    const simulation = new Simulation(service);
    simulation.clients(300);
    simulation.time.pass(20_000);
    service.workers = 10;
    simulation.time.pass(5_000);
    const less = simulation.measure(20);
    expect(less.medianMs).toBeLessThan(100);
    expect(less.rate).toBeGreaterThan(400);
    service.workers = 40;
    simulation.time.pass(20_000);
    expect(simulation.measure(20).rate).toBeGreaterThan(1_700);
  });

  test("a service that is slower for good is taken for what it is after a minute or so", () => {
    let workMs = 10;
    const simulation = new Simulation({ workers: 40, workMs: () => workMs });
    simulation.clients(60);
    simulation.time.pass(20_000);
    workMs = 50;
    simulation.time.pass(100_000);
    // 40 workers of 50 ms: 800 a second.
    expect(simulation.measure(30).rate).toBeGreaterThan(600);
  });
});

test("a few slow requests among quick ones do not lower what all get", () => {
  let count = 0;
  const simulation = new Simulation({ workers: 200, workMs: () => (count++ % 5 === 0 ? 1_000 : 10) });
  simulation.clients(120);
  simulation.time.pass(20_000);
  expect(simulation.measure(30).least).toBeGreaterThanOrEqual(100);
});

test("a limit that nobody comes near does not grow", () => {
  const simulation = new Simulation({ workers: 50, workMs: () => 20 });
  simulation.clients(5);
  simulation.time.pass(120_000);
  expect(simulation.gradient.limit).toBe(20);
});

test("it stays within its bounds, whatever the service does", () => {
  let workMs = 5;
  const simulation = new Simulation({ workers: 10, workMs: () => workMs }, { min: 8, max: 32, tolerance: 1.5 });
  simulation.clients(100);
  for (let at = 0; at < 30; at++) {
    workMs = simulation.random() * 200;
    const { least, most } = simulation.measure(4);
    expect(least).toBeGreaterThanOrEqual(8);
    expect(most).toBeLessThanOrEqual(32);
  }
});

test("answers that do not come in time lower it, though nobody knows how late they are", () => {
  const time = new ManualTime(0);
  const gradient = new Gradient(RULES, time, () => 0.5);
  for (let at = 0; at < 30; at++) {
    time.pass(100);
    for (let one = 0; one < 20; one++) gradient.saw("late", 20);
  }
  expect(gradient.limit).toBeLessThan(10);
});

describe("what says something of the service", () => {
  const answered: AnswerFacts = {
    status: 200,
    requestBodyBytes: 0,
    responseBodyBytes: 0,
    callOutcome: "none",
    upstreamMs: 12,
    denied: false,
  };
  const body = (announcedBytes: number) => ({ ...createExchange().body, announcedBytes }) as never;

  test("the time to its answer's head", () => {
    expect(lookOf(createExchange(), answered)).toBe(12);
    expect(lookOf(createExchange({ body: body(1_000) }), answered)).toBe(12);
  });

  test("not that of a body that its client may send slowly", () => {
    expect(lookOf(createExchange({ body: body(1_000_000) }), answered)).toBeNull();
    expect(lookOf(createExchange({ body: body(-1) }), answered)).toBeNull();
  });

  test("no answer in time, and none of postern's own", () => {
    const none = { ...answered, upstreamMs: -1 };
    expect(lookOf(createExchange(), { ...none, status: 504 })).toBe("late");
    expect(lookOf(createExchange(), { ...none, status: 403, denied: true })).toBeNull();
    expect(lookOf(createExchange(), { ...none, status: 499 })).toBeNull();
  });
});
