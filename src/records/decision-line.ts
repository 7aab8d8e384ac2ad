import type { Reason } from "../decision/reason.ts";
import type { DecisionFacts } from "./decision-facts.ts";

/**
 * The facts of a decision as subscribers get them: written already, and read again for the few that somebody looks at. The bytes are
 * those of the next decision as soon as all subscribers have seen this one: who keeps something of it keeps a copy.
 */
export class DecisionLine {
  readonly id: string;
  readonly reason: Reason | null;
  readonly verdict: DecisionFacts["verdict"];
  readonly bytes: Buffer;
  readonly length: number;

  constructor(id: string, reason: Reason | null, verdict: DecisionFacts["verdict"], bytes: Buffer, length: number) {
    this.id = id;
    this.reason = reason;
    this.verdict = verdict;
    this.bytes = bytes;
    this.length = length;
  }

  /** One object of JSON, in one line. */
  get text(): string {
    return this.bytes.toString("utf8", 0, this.length);
  }

  get facts(): DecisionFacts {
    return JSON.parse(this.text) as DecisionFacts;
  }
}
