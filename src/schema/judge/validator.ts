import { DEFAULTS } from "../../support/defaults.ts";
import type { Turns } from "../../support/turns.ts";
import { beginPatternWork, PatternTooCostly } from "../pattern/work.ts";
import { type Fault, FaultList } from "./faults.ts";
import { type Check, PAUSE, Run } from "./run.ts";
import { RunNotes } from "./run-notes.ts";
import { Scope } from "./scope.ts";

/** Faults in document order; null for none. */
export type Judgement = readonly Fault[] | null;

/** A value that is so deep that its schema takes more stack than there is. It does not fit, and nothing is thrown. */
const TOO_DEEP: readonly Fault[] = [
  { pointer: "", keyword: "depth", place: null, detail: "nested too deeply for this schema" },
];

/** Its patterns would hold the thread. It does not fit either, unless it is judged in turns and found to. */
const TOO_COSTLY: readonly Fault[] = [
  { pointer: "", keyword: "pattern", place: null, detail: "texts that take too long to hold against their patterns" },
];

/** Of each part of a body of `bodyAtOnceBytesMax`; where a schema may judge more often, less is judged in one go. */
const JUDGEMENTS_AT_ONCE = 8;

/** Keywords whose faults say what the schema has in them. */
const TELLING: ReadonlySet<string> = new Set(["const", "enum", "pattern"]);

/** A schema, ready to judge values that `parseJson` has read. */
export class Validator {
  readonly #check: Check;
  readonly #isForking: boolean;
  readonly #scope: Scope | null;
  readonly #hidesValues: boolean;
  /** A body up to this size holds the thread for a millisecond or two where it is judged in one go. */
  readonly atOnceBytesMax: number;

  /** `judgementsMax`: of one value by the schema, and of one name by its patterns. `hidesValues`: no fault shows a value of the schema's. */
  constructor(check: Check, isDynamic: boolean, isForking: boolean, judgementsMax: number, hidesValues = false) {
    this.#check = check;
    this.#hidesValues = hidesValues;
    this.#isForking = isForking;
    this.atOnceBytesMax = DEFAULTS.bodyAtOnceBytesMax / Math.max(1, judgementsMax / JUDGEMENTS_AT_ONCE);
    this.#scope = isDynamic ? new Scope([], { count: 0 }) : null;
  }

  /** All in one go: for a short value. */
  judge(value: unknown, patternWorkMax: number = DEFAULTS.patternWorkMax): Judgement {
    const attempt = new Attempt(this.#check, value, this.#scope, this.#isForking ? new RunNotes() : null, never);
    return attempt.resume(patternWorkMax) ? this.#shown(attempt.judgement) : null;
  }

  /** Whether a judgement was cut short, because patterns would have held the thread. */
  gaveUp(judgement: Judgement): boolean {
    return judgement === TOO_COSTLY;
  }

  /** For a long value: what waits has its turn in between; a promise only where it came to that. */
  judgeInTurns(value: unknown, turns: Turns): Judgement | Promise<Judgement> {
    const attempt = new Attempt(this.#check, value, this.#scope, new RunNotes(), () => turns.due);
    if (attempt.resume()) return this.#shown(attempt.judgement);
    return goOn(attempt, turns).then((judgement) => this.#shown(judgement));
  }

  #shown(judgement: Judgement): Judgement {
    if (!this.#hidesValues || judgement === null || judgement === TOO_COSTLY) return judgement;
    return judgement.map((fault) =>
      TELLING.has(fault.keyword) ? { ...fault, detail: "expected a value that is not shown" } : fault,
    );
  }
}

const never = (): boolean => false;

async function goOn(attempt: Attempt, turns: Turns): Promise<Judgement> {
  do await turns.give();
  while (!attempt.resume());
  return attempt.judgement;
}

/** First whether there is a fault at all, then, and only then, which ones. */
class Attempt {
  readonly #check: Check;
  readonly #value: unknown;
  readonly #scope: Scope | null;
  readonly #run: Run;
  #faults: FaultList | null = null;
  judgement: Judgement = null;

  constructor(check: Check, value: unknown, scope: Scope | null, notes: RunNotes | null, isDue: () => boolean) {
    this.#check = check;
    this.#value = value;
    this.#scope = scope;
    this.#run = new Run(scope, notes, isDue);
  }

  /** False where its turn is over before there is a judgement. */
  resume(patternWorkMax: number = DEFAULTS.patternWorkMax): boolean {
    const run = this.#run;
    run.begin();
    beginPatternWork(patternWorkMax);
    try {
      if (this.#faults === null) {
        this.#begin();
        if (this.#check(this.#value, run)) return true;
        this.#faults = new FaultList();
      }
      this.#begin();
      this.#faults.leaveTo(0);
      this.#check(this.#value, run);
      this.judgement = this.#faults.sorted();
    } catch (error) {
      if (error === PAUSE) return false;
      if (error instanceof PatternTooCostly) {
        this.judgement = TOO_COSTLY;
        return true;
      }
      if (!(error instanceof RangeError)) throw error;
      this.judgement = TOO_DEEP;
    }
    return true;
  }

  #begin(): void {
    this.#run.faults = this.#faults;
    this.#run.marks = null;
    this.#run.scope = this.#scope;
  }
}
