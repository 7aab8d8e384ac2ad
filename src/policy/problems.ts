import type { LintRule } from "../decision/lint-rule.ts";
import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Concealed } from "./concealed.ts";
import type { Problem, Warning } from "./snapshot.ts";

/** What is found, each place and text once, and bounded in number. */
class FoundList<Found extends Problem> {
  readonly #found = new Map<string, Found>();
  /** Places of which nothing more is worth telling. */
  readonly #hushed = new Set<string>();
  readonly #concealed: Concealed | null;
  #reported = 0;

  constructor(concealed: Concealed | null = null) {
    this.#concealed = concealed;
  }

  protected put(found: Found): void {
    this.#reported++;
    if (this.isFull) return;
    const at = placeKey(found.place);
    if (this.#hushed.has(at)) return;
    const shown = { ...found, text: this.#concealed?.in(found.text) ?? found.text };
    const key = `${at}:${shown.text}`;
    if (!this.#found.has(key)) this.#found.set(key, shown);
  }

  hush(place: Place): void {
    this.#hushed.add(placeKey(place));
  }

  protected takeOut(isGone: (found: Found) => boolean): readonly Found[] {
    const gone = [...this.#found].filter(([, found]) => isGone(found));
    for (const [key] of gone) this.#found.delete(key);
    return gone.map(([, found]) => found);
  }

  /** How often `add` was called, so that a stage can tell whether something reported, be it for the second time. */
  get reported(): number {
    return this.#reported;
  }

  /** Whether more would change nothing: who looks for problems can stop. */
  get isFull(): boolean {
    return this.#found.size >= DEFAULTS.policyProblemsMax;
  }

  get isEmpty(): boolean {
    return this.#found.size === 0;
  }

  /** By place, those of the policy itself before those of files that it names. */
  sorted(policyFile: string): readonly Found[] {
    return [...this.#found.values()].sort((a, b) => compareProblems(a, b, policyFile));
  }
}

/** Problems as they are found. */
export class ProblemList extends FoundList<Problem> {
  add(place: Place, text: string): void {
    this.put({ place, text });
  }
}

/** What is allowed and looks like a mistake, each with the rule that has something against it. */
export class WarningList extends FoundList<Warning> {
  /** Takes out those of which `isGone` holds. */
  take(isGone: (warning: Warning) => boolean): readonly Warning[] {
    return this.takeOut(isGone);
  }

  add(rule: LintRule, place: Place, text: string): void {
    this.put({ rule, place, text });
  }
}

function placeKey({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** `line 7`, with the file where that is another one than the reader is in. */
export function lineWords({ file, line }: Place, from: Place): string {
  return file === from.file ? `line ${line}` : `line ${line} of ${file}`;
}

function compareProblems(a: Problem, b: Problem, policyFile: string): number {
  if (a.place.file !== b.place.file) {
    if (a.place.file === policyFile) return -1;
    if (b.place.file === policyFile) return 1;
    return a.place.file < b.place.file ? -1 : 1;
  }
  return a.place.line - b.place.line || a.place.column - b.place.column || (a.text < b.text ? -1 : 1);
}
