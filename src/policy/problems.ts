import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Problem } from "./snapshot.ts";

/** Problems as they are found; each place and text counts once, and their number is bounded. */
export class ProblemList {
  readonly #problems = new Map<string, Problem>();
  /** Places of which nothing more is worth telling. */
  readonly #hushed = new Set<string>();
  /** Texts that must not be shown, with what is shown in their place. */
  readonly #concealed = new Map<string, string>();
  #reported = 0;

  add(place: Place, text: string): void {
    this.#reported++;
    if (this.isFull) return;
    const at = placeKey(place);
    if (this.#hushed.has(at)) return;
    const shown = this.#withoutConcealed(text);
    const key = `${at}:${shown}`;
    if (!this.#problems.has(key)) this.#problems.set(key, { place, text: shown });
  }

  hush(place: Place): void {
    this.#hushed.add(placeKey(place));
  }

  conceal(text: string, shown: string): void {
    this.#concealed.set(text, shown);
  }

  #withoutConcealed(text: string): string {
    let left = text;
    for (const [concealed, shown] of this.#concealed) left = left.replaceAll(concealed, () => shown);
    return left;
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
