import type { Complaint, FaultList } from "./faults.ts";
import type { Marks } from "./marks.ts";
import type { Scope } from "./scope.ts";

/** Whether a value is as a schema says. */
export type Check<Value = unknown> = (value: Value, run: Run) => boolean;

/** What a list of children leaves behind where its work was broken off, or took long. */
interface Stretch {
  at: number;
  good: boolean;
  result: boolean | null;
  /** The result for who collects faults, which are then in the list. */
  told: boolean | null;
}

/** Thrown through the checks of a long value, whose turn is over; `Run` goes on from what is noted. */
export const PAUSE: unique symbol = Symbol("pause");

/** Steps between two looks at the clock. */
const STEPS_BETWEEN_LOOKS = 256;
/** What took more steps than this is not done again when a run goes on. */
const NOTED_STEPS_MIN = 256;

/** One judgement of one value. */
export class Run {
  /** Null while it is only asked whether there is a fault. */
  faults: FaultList | null = null;
  /** Null where nobody asks what was evaluated. */
  marks: Marks | null = null;
  scope: Scope | null;
  /** Null for a value so short that it is judged in one go, by a schema that does not come back to one value often. */
  readonly #notes: Map<unknown, Map<number, Stretch>> | null;
  readonly #isDue: () => boolean;
  #steps = 0;

  constructor(scope: Scope | null, notes: Map<unknown, Map<number, Stretch>> | null, isDue: () => boolean) {
    this.scope = scope;
    this.#notes = notes;
    this.#isDue = isDue;
  }

  get isLong(): boolean {
    return this.#notes !== null;
  }

  /** Says no, and why if somebody asks. */
  fail(complaint: Complaint): false {
    if (this.faults !== null) this.faults.add(complaint);
    return false;
  }

  /** The same question in between, as for alternatives: without faults, and what it evaluates in marks of its own. */
  ask<Value>(check: Check<Value>, value: Value, marks: Marks | null): boolean {
    const { faults, marks: outer } = this;
    this.faults = null;
    this.marks = marks;
    const result = check(value, this);
    this.faults = faults;
    this.marks = outer;
    return result;
  }

  /** What was found out before about a value by the schema of this number. */
  recall(index: number, value: unknown): boolean | null {
    // Enough has been found: whatever else is wrong below would double with each level.
    if (this.faults?.isFull === true) return false;
    if (this.#notes === null || this.marks !== null) return null;
    const result = this.#notes.get(value)?.get(this.#key(index))?.result ?? null;
    // Whoever collects faults wants to hear them.
    return result === false && this.faults !== null ? null : result;
  }

  /** Judges, and keeps the answer where it took long, or `always`. */
  remember<Value>(index: number, value: Value, check: Check<Value>, always: boolean): boolean {
    const steps = this.#steps;
    const result = check(value, this);
    if (this.marks === null && (always || this.#steps - steps >= NOTED_STEPS_MIN)) {
      this.#stretch(index, value).result = result;
    }
    return result;
  }

  /**
   * Judges children 0 to `count` of a long value one after the other; where its turn ends, the next one goes on from here.
   * `index` tells the loop from others on the same value.
   */
  each(index: number, value: unknown, count: number, judge: (at: number) => boolean): boolean {
    const stretch = this.#stretch(index, value);
    const known = this.faults === null || stretch.result === true ? stretch.result : stretch.told;
    if (known !== null) return known;
    const steps = this.#steps;
    const isResumed = stretch.at > 0;
    const depth = this.faults?.depth ?? 0;
    let { at, good } = stretch;
    try {
      for (; at < count; at++) {
        this.step();
        if (judge(at)) continue;
        good = false;
        if (this.faults === null || this.faults.isFull) break;
      }
    } catch (error) {
      stretch.at = at;
      stretch.good = good;
      this.faults?.leaveTo(depth);
      throw error;
    }
    stretch.at = 0;
    stretch.good = true;
    // What was broken off once is kept however little was left of it: otherwise two such loops would undo each other's work.
    if (isResumed || this.#steps - steps >= NOTED_STEPS_MIN) {
      if (this.faults === null) stretch.result = good;
      else stretch.told = good;
    }
    return good;
  }

  /** A bit of work was done. Ends the turn of a long value where it is over. */
  step(): void {
    if (++this.#steps % STEPS_BETWEEN_LOOKS === 0 && this.#notes !== null && this.#isDue()) throw PAUSE;
  }

  #stretch(index: number, value: unknown): Stretch {
    const notes = this.#notes ?? new Map<unknown, Map<number, Stretch>>();
    let ofValue = notes.get(value);
    if (ofValue === undefined) {
      ofValue = new Map();
      notes.set(value, ofValue);
    }
    const key = this.#key(index);
    let stretch = ofValue.get(key);
    if (stretch === undefined) {
      stretch = { at: 0, good: true, result: null, told: null };
      ofValue.set(key, stretch);
    }
    return stretch;
  }

  /** What a schema says may depend on the way that led to it. */
  #key(index: number): number {
    return this.scope === null ? index : this.scope.number * 2 ** 24 + index;
  }
}

/** Of a schema that says nothing. */
export const ALWAYS: Check = () => true;
