import type { Reason } from "../decision/reason.ts";
import type { DecisionFacts } from "./decision-facts.ts";

/** The facts of a decision as subscribers get them: written already, and read again for the few that somebody looks at. */
export class DecisionLine {
  readonly id: string;
  readonly reason: Reason | null;
  readonly verdict: DecisionFacts["verdict"];
  /** One object of JSON, in one line. */
  readonly text: string;

  constructor(id: string, reason: Reason | null, verdict: DecisionFacts["verdict"], text: string) {
    this.id = id;
    this.reason = reason;
    this.verdict = verdict;
    this.text = text;
  }

  get facts(): DecisionFacts {
    return JSON.parse(this.text) as DecisionFacts;
  }
}
