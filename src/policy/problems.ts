import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Problem } from "./snapshot.ts";

/** Problems as they are found; each place and text counts once, and their number is bounded. */
export class ProblemList {
  readonly #problems = new Map<string, Problem>();
  #reported = 0;

  add(place: Place, text: string): void {
    this.#reported++;
    if (this.isFull) return;
    const key = `${place.file}:${place.line}:${place.column}:${text}`;
    if (!this.#problems.has(key)) this.#problems.set(key, { place, text });
  }

  /** How often `add` was called, so that a stage can tell whether something reported, be it for the second time. */
  get reported(): number {
    return this.#reported;
  }

  /** Whether more would change nothing: who looks for problems can stop. */
  get isFull(): boolean {
    return this.#problems.size >= DEFAULTS.policyProblemsMax;
  }

  get isEmpty(): boolean {
    return this.#problems.size === 0;
  }

  /** By place, those of the policy itself before those of files that it names. */
  sorted(policyFile: string): readonly Problem[] {
    return [...this.#problems.values()].sort((a, b) => compareProblems(a, b, policyFile));
  }
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
