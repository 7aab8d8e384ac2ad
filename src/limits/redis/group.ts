import { type Ask, type QuotaWindows, SPARED, type StoreAnswer, type StoreCounter, UNAVAILABLE } from "./ask.ts";
import type { LimitList } from "./limit-list.ts";

/** One counter of a group, as the script is asked of it. */
export interface Want {
  readonly ask: Ask;
  readonly key: string;
  /** Units; more than the ask's cost for a lease. */
  readonly want: number;
}

/** What the store took of a counter, or why it did not. */
export interface Taken {
  readonly answer: StoreAnswer;
  /** Of a lease more than the ask's cost; 0 where nothing was taken. */
  readonly units: number;
}

export const NOTHING_TAKEN: Taken = { answer: UNAVAILABLE, units: 0 };

/** Counters of one request that are decided together, or units that are given back. */
export abstract class Group {
  /** Numbers that the script answers for it. */
  abstract readonly answers: number;
  abstract readonly keys: readonly string[];
  /** Monotonic milliseconds after which nobody waits any more. */
  readonly deadlineMs: number;

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }

  abstract write(argv: string[], limits: LimitList): void;
  abstract read(reply: readonly number[], at: number): void;
  abstract fail(): void;
}

/** Asks for one request; `taken` has an entry for each want, in their order. */
export class TakeGroup extends Group {
  readonly answers: number;
  readonly keys: readonly string[];
  readonly #wants: readonly Want[];
  readonly #windows: (QuotaWindows | null)[] = [];
  readonly #done: (taken: readonly Taken[], isOfOtherTime: boolean) => void;

  constructor(
    wants: readonly Want[],
    deadlineMs: number,
    done: (taken: readonly Taken[], isOfOtherTime: boolean) => void,
  ) {
    super(deadlineMs);
    this.#wants = wants;
    this.#done = done;
    this.answers = wants.length * 2;
    this.keys = wants.map(({ key }) => key);
  }

  write(argv: string[], limits: LimitList): void {
    if (this.#wants.length > 1) argv.push("g", String(this.#wants.length));
    for (const [at, { ask, want }] of this.#wants.entries()) {
      const { number, windows } = limits.of(ask.counter);
      argv.push(number, String(ask.cost));
      if (ask.counter.lease > 0) argv.push(String(want));
      this.#windows[at] = windows;
    }
  }

  read(reply: readonly number[], at: number): void {
    const storeUs = reply[0] ?? 0;
    let isOfOtherTime = false;
    const taken = this.#wants.map((want, index): Taken => {
      const units = reply[at + index * 2] ?? 0;
      const rest = reply[at + index * 2 + 1] ?? 0;
      if (units > 0) return { units, answer: admitted(want, rest, storeUs, this.#windows[index] ?? null) };
      if (rest === -2) isOfOtherTime = true;
      return { units: 0, answer: rest < 0 ? SPARED : { kind: "over", waitMs: rest / 1000 } };
    });
    this.#done(taken, isOfOtherTime);
  }

  fail(): void {
    this.#done(
      this.#wants.map(() => NOTHING_TAKEN),
      false,
    );
  }
}

function admitted({ ask }: Want, rest: number, storeUs: number, windows: QuotaWindows | null): StoreAnswer {
  const { terms } = ask.counter;
  if (terms.kind === "rate") {
    const remaining = Math.floor((terms.toleranceUs - rest) / terms.intervalUs);
    return { kind: "admitted", remaining, resetMs: rest / 1000, isLeased: false, mark: storeUs + rest };
  }
  const { end, next } = windows ?? { end: 0, next: 0 };
  const mark = storeUs >= end * 1_000_000 ? next : end;
  return {
    kind: "admitted",
    remaining: terms.limit - rest,
    resetMs: mark * 1000 - storeUs / 1000,
    isLeased: false,
    mark,
  };
}

/** Units that somebody took and does not need. */
export class GiveGroup extends Group {
  readonly answers = 0;
  readonly keys: readonly string[];
  readonly #counter: StoreCounter;
  readonly #units: number;
  readonly #mark: number;

  /** `mark`: of the answer by which they were taken. */
  constructor(counter: StoreCounter, key: string, units: number, mark: number, deadlineMs: number) {
    super(deadlineMs);
    this.keys = [key];
    this.#counter = counter;
    this.#units = units;
    this.#mark = mark;
  }

  write(argv: string[], limits: LimitList): void {
    argv.push("b", limits.of(this.#counter).number, String(this.#units), String(this.#mark));
  }

  read(): void {}

  /** They come back by themselves, when the rate has made up for them or the window ends. */
  fail(): void {}
}
