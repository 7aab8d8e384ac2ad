import type { Pattern, TextReading } from "../pattern/index.ts";
import type { Complaint, FaultList } from "./faults.ts";
import type { Marks } from "./marks.ts";
import type { RunNotes, Stretch } from "./run-notes.ts";
import type { Scope } from "./scope.ts";

/** Whether a value is as a schema says. */
export type Check<Value = unknown> = (value: Value, run: Run) => boolean;

/** Thrown through the checks of a long value, whose turn is over; `Run` goes on from what is noted. */
export const PAUSE: unique symbol = Symbol("pause");

/** Steps between two looks at the clock. */
const STEPS_BETWEEN_LOOKS = 256;
/** What took more steps than this is not done again when a run goes on; fewer where much is done again all the same. */
const NOTED_STEPS_MIN = 256;
/** The same where a value may be judged again and again: below it, that is cheaper than to take note of each. */
const FORKED_STEPS_MIN = 16;
/** Steps that a turn may do again before it comes to where the last one ended: a tenth of a turn. */
const REDONE_STEPS_MAX = 2_000;
/** Characters of a text, or instructions of its pattern beyond the tables, at a stretch: some 0.1 ms. */
const TEXT_SLICE = 4_096;
/** So many of them take as long as a step. */
const TEXT_PER_STEP = 64;
const NEW_PATTERN_STEPS = 100;
/** Answers about texts that took more than a slice. Beyond it they are found out anew. */
const TEXTS_KEPT_MAX = 10_000;

const NEW_STRETCH: Stretch = { at: 0, good: true, result: null, told: null };

/** What a text is held against: a pattern, a length, a format that texts of any length may have. */
export type Sliced = Pick<Pattern, "test" | "read">;

/** One judgement of one value. */
export class Run {
  /** Null while it is only asked whether there is a fault. */
  faults: FaultList | null = null;
  /** Null where nobody asks what was evaluated. */
  marks: Marks | null = null;
  scope: Scope | null;
  /** Null for a value so short that it is judged in one go, by a schema that does not come back to one value often. */
  #notes: RunNotes | null;
  readonly #isDue: () => boolean;
  /** Texts that took more than a slice: how far they have come, or what came of them. */
  readonly #texts = new Map<Sliced, Map<string, TextReading | boolean>>();
  #textsCount = 0;
  /** Each makes its automaton when it is first asked, and keeps it. */
  readonly #patterns = new Set<Sliced>();
  #steps = 0;
  #notedStepsMin = NOTED_STEPS_MIN;
  #turnBeganAt = 0;
  /** Steps of this turn that the last one had done, too. */
  #redoneSteps = 0;
  #stepsToLook = STEPS_BETWEEN_LOOKS;
  /** Whether anything was found out in this turn that the next will know. Until then it does not end, or none ever would. */
  #hasMoved = false;

  constructor(scope: Scope | null, notes: RunNotes | null, isDue: () => boolean) {
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

  /**
   * Judges a value that is made anew whenever somebody looks, as what a text holds: in one go, for nothing that is noted of
   * it could be found again.
   */
  apart(check: Check, value: unknown, notes: RunNotes): boolean {
    const run = new Run(this.scope, this.#notes === null ? null : notes, () => false);
    run.faults = this.faults;
    return check(value, run);
  }

  /** What was found out before about a value by the schema of this number. */
  recall(index: number, value: unknown): boolean | null {
    // Enough has been found: whatever else is wrong below would double with each level.
    if (this.faults?.isFull === true) return false;
    if (this.#notes === null || this.marks !== null) return null;
    const result = this.#notes.result(this.#key(index), value);
    // Whoever collects faults wants to hear them.
    return result === false && this.faults !== null ? null : result;
  }

  /** Judges, and keeps the answer where it took long; `isForking` where little is long. */
  remember<Value>(index: number, value: Value, check: Check<Value>, isForking: boolean): boolean {
    const steps = this.#steps;
    // Schemas in a row for one value count, too: each pair of them doubles the work.
    if (isForking) this.#steps++;
    const result = check(value, this);
    const least = isForking ? Math.min(FORKED_STEPS_MIN, this.#notedStepsMin) : this.#notedStepsMin;
    if (this.marks === null && this.#steps - steps >= least) {
      this.#notes?.setResult(this.#key(index), value, result);
      this.#hasMoved = true;
    }
    return result;
  }

  /** Holds a text against a pattern; of a long value in slices, for one text may be all of it. */
  matches(pattern: Sliced, text: string): boolean {
    if (this.#notes === null) return pattern.test(text);
    if (!this.#patterns.has(pattern)) {
      this.#patterns.add(pattern);
      this.progress(NEW_PATTERN_STEPS);
    }
    const known = this.#texts.get(pattern)?.get(text);
    if (typeof known === "boolean") return known;
    const reading = known ?? pattern.read(text);
    let answer = reading.advance(TEXT_SLICE);
    if (answer !== null && known === undefined) {
      this.step(1 + Math.min(text.length, TEXT_SLICE) / TEXT_PER_STEP);
      return answer;
    }
    this.#keepText(pattern, text, reading);
    for (; answer === null; answer = reading.advance(TEXT_SLICE)) this.progress(TEXT_SLICE / TEXT_PER_STEP);
    this.#keepText(pattern, text, answer);
    this.progress(TEXT_SLICE / TEXT_PER_STEP);
    return answer;
  }

  #keepText(pattern: Sliced, text: string, state: TextReading | boolean): void {
    if (++this.#textsCount > TEXTS_KEPT_MAX) {
      this.#texts.clear();
      this.#textsCount = 1;
    }
    const ofPattern = this.#texts.get(pattern);
    if (ofPattern === undefined) this.#texts.set(pattern, new Map([[text, state]]));
    else ofPattern.set(text, state);
  }

  /**
   * Judges children 0 to `count` of a long value one after the other; where its turn ends, the next one goes on from here.
   * `index` tells the loop from others on the same value.
   */
  each(index: number, value: unknown, count: number, judge: (at: number) => boolean): boolean {
    const notes = this.#notes;
    const key = this.#key(index);
    const stretch = notes?.stretch(key, value);
    const known = this.#knownOf(stretch);
    if (known !== null) return known;
    const steps = this.#steps;
    let { at, good } = stretch ?? NEW_STRETCH;
    const isResumed = at > 0;
    if (isResumed) this.#redoneSteps = steps - this.#turnBeganAt;
    const depth = this.faults?.depth ?? 0;
    try {
      for (; at < count; at++) {
        this.step();
        this.#notes = notes?.ofChild(value, count, at) ?? null;
        const fits = judge(at);
        this.#hasMoved = true;
        if (fits) continue;
        good = false;
        if (this.faults === null || this.faults.isFull) break;
      }
    } catch (error) {
      notes?.setStretch(key, value, { ...(stretch ?? NEW_STRETCH), at, good });
      this.faults?.leaveTo(depth);
      throw error;
    } finally {
      this.#notes = notes;
    }
    // What was broken off once is kept however little was left of it: otherwise two such loops would undo each other's work.
    if (isResumed || this.#steps - steps >= this.#notedStepsMin) {
      const ended = this.faults === null ? { result: good } : { told: good };
      notes?.setStretch(key, value, { ...NEW_STRETCH, ...stretch, ...ended, at: 0, good: true });
    }
    return good;
  }

  #knownOf(stretch: Stretch | undefined): boolean | null {
    if (stretch === undefined) return null;
    return this.faults === null || stretch.result === true ? stretch.result : stretch.told;
  }

  /** Whether anything is noted of that loop over the value. */
  hasStretch(index: number, value: unknown): boolean {
    return this.#notes?.stretch(this.#key(index), value) !== undefined;
  }

  /**
   * A turn begins. Where a thousand schemas each have a little to say of one value, what little they took is kept, too:
   * done again in each turn, it would leave no time to go on.
   */
  begin(): void {
    if (this.#redoneSteps > REDONE_STEPS_MAX) this.#notedStepsMin = Math.max(1, this.#notedStepsMin / 4);
    this.#redoneSteps = 0;
    this.#turnBeganAt = this.#steps;
    this.#hasMoved = false;
    this.#stepsToLook = STEPS_BETWEEN_LOOKS;
  }

  /** A bit of work was done. Ends the turn of a long value where it is over. */
  step(weight = 1): void {
    this.#steps += weight;
    this.#stepsToLook -= weight;
    if (this.#stepsToLook > 0) return;
    this.#stepsToLook = STEPS_BETWEEN_LOOKS;
    if (this.#notes !== null && this.#hasMoved && this.#isDue()) throw PAUSE;
  }

  /** The same of work that whoever did it keeps, and will not do again. */
  progress(weight = 1): void {
    this.#hasMoved = true;
    this.step(weight);
  }

  /** What a schema says may depend on the way that led to it. */
  #key(index: number): number {
    return this.scope === null ? index : this.scope.number * 2 ** 24 + index;
  }
}

/** Of a schema that says nothing. */
export const ALWAYS: Check = () => true;
