import type { AnswerFacts, Taken } from "../message/taken.ts";
import { UNANSWERED } from "./trial.ts";

/** The end of a request in force, for who judges it beside: told as it comes, or to who asks later. */
export class LiveEnd implements Taken {
  #facts: AnswerFacts | null = null;
  readonly #told: ((facts: AnswerFacts) => void)[] = [];

  /** It is over already, or refused after all. */
  giveBack(): void {
    this.onEnd(UNANSWERED);
  }

  onEnd(facts: AnswerFacts): void {
    const { status, callOutcome, requestBodyBytes, responseBodyBytes, upstreamMs } = facts;
    // Of one that was refused all that is known is that it is over.
    this.#facts = facts.denied
      ? UNANSWERED
      : { status, callOutcome, requestBodyBytes, responseBodyBytes, upstreamMs, denied: false };
    for (const then of this.#told) then(this.#facts);
    this.#told.length = 0;
  }

  whenOver(then: (facts: AnswerFacts) => void): void {
    if (this.#facts === null) this.#told.push(then);
    else then(this.#facts);
  }
}
