import type { AnswerFacts, Taken } from "../../message/taken.ts";
import type { Counts } from "./counted.ts";

/** Units that a store counted for a request. */
export class StoreTaken implements Taken {
  readonly #units: number;
  readonly #counts: Counts | null;
  readonly #correct: (units: number) => void;

  /** `counts`: null where all requests count. */
  constructor(units: number, counts: Counts | null, correct: (units: number) => void) {
    this.#units = units;
    this.#counts = counts;
    this.#correct = correct;
  }

  giveBack(): void {
    this.#correct(-this.#units);
  }

  onEnd(facts: AnswerFacts): void {
    if (this.#counts !== null && !this.#counts(facts)) this.giveBack();
  }
}
