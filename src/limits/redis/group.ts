import { type Ask, type QuotaWindows, SPARED, type StoreAnswer, type StoreCounter, UNAVAILABLE } from "./ask.ts";
import type { ScriptArguments } from "./script-arguments.ts";

/** One counter of a group, as the script is asked of it. */
export interface Want {
  readonly ask: Ask;
  readonly key: string;
  /** Units; more than the ask's cost for a lease. */
  readonly want: number;
  /** The digest of the ask's member; null where there is none. */
  readonly member: string | null;
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
  /** It is one rate without leases, which needs fewer words where others are, too. */
  abstract readonly isPlain: boolean;
  /** Numbers that the script answers for it, once it was written. */
  abstract readonly answers: number;
  abstract readonly keys: readonly string[];
  /** Monotonic milliseconds after which nobody waits any more. */
  readonly deadlineMs: number;

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }

  abstract write(script: ScriptArguments): void;
  abstract read(reply: readonly number[], at: number): void;
  abstract fail(): void;
}

/** Asks for one request; `taken` has an entry for each want, in their order. */
export class TakeGroup extends Group {
  readonly isPlain: boolean;
  readonly keys: readonly string[];
  #answers = 0;
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
    const counter = wants.length === 1 ? wants[0]?.ask.counter : undefined;
    this.isPlain = counter?.terms.kind === "rate" && counter.lease === 0;
    this.keys = wants.map(({ key }) => key);
  }

  get answers(): number {
    return this.#answers;
  }

  write(script: ScriptArguments): void {
    const [only] = this.#wants;
    this.#answers = script.isPlain ? 1 : this.#wants.length * 2;
    if (script.isPlain && only !== undefined) {
      script.alone(only.ask.counter, only.ask.cost);
      return;
    }
    if (this.#wants.length > 1) script.group(this.#wants.length);
    for (const [at, { ask, want, member }] of this.#wants.entries()) {
      this.#windows[at] = script.take(ask.counter, ask.cost, ask.counter.lease > 0 ? String(want) : member);
    }
  }

  read(reply: readonly number[], at: number): void {
    const storeUs = reply[0] ?? 0;
    const [only] = this.#wants;
    if (this.#answers === 1 && only !== undefined) {
      const rest = reply[at] ?? 0;
      if (rest < 0) this.#done([{ units: 0, answer: { kind: "over", waitMs: -rest / 1000 } }], false);
      else this.#done([{ units: only.ask.cost, answer: admitted(only, only.ask.cost, rest, storeUs, null) }], false);
      return;
    }
    let isOfOtherTime = false;
    const taken = this.#wants.map((want, index): Taken => {
      const units = reply[at + index * 2] ?? 0;
      const rest = reply[at + index * 2 + 1] ?? 0;
      if (units > 0) return { units, answer: admitted(want, units, rest, storeUs, this.#windows[index] ?? null) };
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

/** What the script takes of members for one that is there already. */
const KNOWN = 2;

function admitted(
  { ask }: Want,
  units: number,
  rest: number,
  storeUs: number,
  windows: QuotaWindows | null,
): StoreAnswer {
  const { terms } = ask.counter;
  if (terms.kind === "rate") {
    const remaining = Math.floor((terms.toleranceUs - rest) / terms.intervalUs);
    return { kind: "admitted", remaining, resetMs: rest / 1000, isLeased: false, mark: storeUs + rest };
  }
  if (terms.kind === "distinct") {
    const mark = units === KNOWN ? 0 : storeUs;
    return { kind: "admitted", remaining: terms.limit - rest, resetMs: terms.windowUs / 1000, isLeased: false, mark };
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

/** Units that somebody took and does not need; of a quota less than none for what is needed beyond them. */
export class GiveGroup extends Group {
  readonly isPlain = false;
  readonly answers = 0;
  readonly keys: readonly string[];
  readonly #counter: StoreCounter;
  readonly #units: number;
  readonly #mark: number;
  readonly #member: string | null;

  /** `mark`: of the answer by which they were taken. `member`: the digest of the one that was added. */
  constructor(
    { counter, key, member }: { counter: StoreCounter; key: string; member: string | null },
    units: number,
    mark: number,
    deadlineMs: number,
  ) {
    super(deadlineMs);
    this.keys = [key];
    this.#counter = counter;
    this.#units = units;
    this.#mark = mark;
    this.#member = member;
  }

  write(script: ScriptArguments): void {
    script.giveBack(this.#counter, this.#units, this.#mark, this.#member);
  }

  read(): void {}

  /** They come back by themselves, when the rate has made up for them or the window ends. */
  fail(): void {}
}

/** Somebody wants to know what is used of a quota, or gives it back. */
export class LookGroup extends Group {
  readonly isPlain = false;
  readonly answers = 2;
  readonly keys: readonly string[];
  readonly #counter: StoreCounter;
  readonly #isReset: boolean;
  readonly #done: (used: number | null) => void;

  /** `done`: units that are, or were, used; null where the store does not say. */
  constructor(
    { counter, key, isReset }: { counter: StoreCounter; key: string; isReset: boolean },
    deadlineMs: number,
    done: (used: number | null) => void,
  ) {
    super(deadlineMs);
    this.keys = [key];
    this.#counter = counter;
    this.#isReset = isReset;
    this.#done = done;
  }

  write(script: ScriptArguments): void {
    script.look(this.#counter, this.#isReset);
  }

  read(reply: readonly number[], at: number): void {
    this.#done(reply[at] ?? 0);
  }

  fail(): void {
    this.#done(null);
  }
}
