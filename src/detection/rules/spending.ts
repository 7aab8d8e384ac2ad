import type { Steps } from "../../support/turns.ts";
import { type Candidates, type Search, type SearchMatch, Work } from "../search/search.ts";
import type { LinkTest, Recogniser } from "./rule.ts";

/** How much of a request is searched. */
export interface SearchBudget {
  /** Of values, and of each text that is made of one. */
  readonly bytes: number;
  /** Runs of patterns. */
  readonly patterns: number;
  /** Of patterns, some 10 ns each. */
  readonly steps: number;
}

/** Bytes that a pattern reads at a stretch before others get their turn: some tenths of a millisecond. */
const TURN_BYTES = 32 * 1024;

interface Matched {
  readonly id: number;
  readonly text: string;
  readonly match: SearchMatch | null;
}

/** What searching a request takes, and where it ends. */
export class Spending {
  readonly #search: Search;
  readonly #candidates: Candidates;
  #budget: SearchBudget;
  #work: Work;
  #bytes = 0;
  #patterns = 0;
  #turnBytes = 0;
  #last: Matched | null = null;
  /** What was found in long texts of the rule that runs next, so that running it holds nobody. */
  #tested: { readonly id: number; readonly text: string; readonly holds: boolean }[] = [];
  #matched: Matched[] = [];
  /** What recognisers found in long texts, which rules capture. */
  readonly #recognised: { readonly recognise: Recogniser; readonly text: string; readonly found: string }[] = [];

  constructor(search: Search, candidates: Candidates, budget: SearchBudget) {
    this.#search = search;
    this.#candidates = candidates;
    this.#budget = budget;
    this.#work = new Work(budget.steps);
  }

  /** Begins anew, for what somebody else sends: an answer, or one event of a stream. */
  renew(budget: SearchBudget): void {
    this.#budget = budget;
    this.#work = new Work(budget.steps);
    this.#bytes = 0;
    this.#patterns = 0;
  }

  /** The search is there for all texts: who comes while it is made waits, and makes it on. */
  *ready(): Steps<void> {
    if (!this.#search.isReady) yield* this.#search.ready();
  }

  get spent(): SearchBudget {
    return { bytes: this.#bytes, patterns: this.#patterns, steps: this.#budget.steps - this.#work.left };
  }

  /** Beyond it no pattern is found any more. */
  get isOver(): boolean {
    return this.#bytes > this.#budget.bytes || this.#patterns > this.#budget.patterns || this.#work.isSpent;
  }

  /** Whether so much was read that others are due. */
  isTurnOver(bytes: number): boolean {
    this.#turnBytes += bytes;
    if (this.#turnBytes < TURN_BYTES) return false;
    this.#turnBytes = 0;
    return true;
  }

  /** Ids of the patterns that may match. Good until the next call. */
  candidates(text: string): readonly number[] {
    this.#bytes += text.length;
    if (this.isOver) return [];
    this.#search.candidates(text, this.#candidates);
    return this.#candidates.ids;
  }

  /** The same of a long text. */
  *candidatesInSteps(text: string): Steps<readonly number[]> {
    this.#bytes += text.length;
    return this.isOver ? [] : yield* this.#search.candidatesInSteps(text);
  }

  test(id: number, text: string): boolean {
    const ahead = this.#tested.find((one) => one.id === id && one.text === text);
    if (ahead !== undefined) return ahead.holds;
    this.#patterns++;
    return !this.isOver && this.#search.test(id, text, this.#work);
  }

  /** The same of a long text, in slices. */
  *testInSteps(id: number, text: string): Steps<boolean> {
    this.#patterns++;
    return !this.isOver && (yield* this.#search.testInSteps(id, text, this.#work));
  }

  /** Long texts are looked at ahead of a rule, in steps: whether they match, and where. */
  *testAhead(id: number, text: string): Steps<boolean> {
    const holds = yield* this.testInSteps(id, text);
    this.#tested.push({ id, text, holds });
    return holds;
  }

  *matchAhead(id: number, text: string): Steps<void> {
    const match = yield* this.#search.matchInSteps(id, text, this.#work);
    this.#matched.push({ id, text, match });
  }

  /** The rule that looked ahead is over. */
  forgetAhead(): void {
    if (this.#tested.length > 0) this.#tested = [];
    if (this.#matched.length > 0) this.#matched = [];
  }

  /** What the rule captures and what is told of its hit are one search, which takes some 0.2 µs a byte. */
  match(id: number, text: string): SearchMatch | null {
    const last = this.#matched.find((one) => one.id === id && one.text === text) ?? this.#last;
    if (last !== null && last.id === id && last.text === text) return last.match;
    const match = this.#search.match(id, text, this.#work);
    this.#last = { id, text, match };
    return match;
  }

  /** What a recogniser finds in a text; in a long one it was looked for before, in steps. */
  recognised(recognise: Recogniser, text: string): string | undefined {
    const known = this.#recognised.find((one) => one.recognise === recognise && one.text === text);
    return known === undefined ? recognise(text) : known.found;
  }

  /** `holds` of a long text. */
  *holdsInSteps(test: LinkTest, text: string): Steps<boolean> {
    if (test.kind !== "recogniser" || test.recognise.inSteps === undefined) return this.holds(test, text);
    this.#bytes += text.length;
    if (this.isOver) return false;
    const found = yield* test.recognise.inSteps(text);
    if (found !== undefined) this.#recognised.push({ recognise: test.recognise, text, found });
    return found !== undefined;
  }

  /** Whether a test that needs nothing else holds; one whose argument is a request's does not. */
  holds(test: LinkTest, text: string): boolean {
    if (test.kind === "pattern") return this.test(test.id, text);
    if (test.kind === "recogniser") {
      this.#bytes += text.length;
      return !this.isOver && test.recognise(text) !== undefined;
    }
    return test.kind === "whole" || (test.kind === "text" && test.test(text));
  }
}
