import type { Comparison } from "./compare.ts";
import type { Witness } from "./witness.ts";

/** What can be asked of two policies, in the words of Cedar's analysis. */
export const QUESTIONS = ["implies", "equivalent", "disjoint"] as const;

export type Question = (typeof QUESTIONS)[number];

export interface Answer {
  /** By the requests of the grid; a no is sure, for it has a witness or a text that is another. */
  readonly holds: boolean;
  readonly text: string;
  readonly witness: Witness | null;
}

/** `implies`: what the first policy allows the second allows, too. `equivalent`: so both ways. `disjoint`: they allow nothing in common. */
export function answerTo(question: Question, comparison: Comparison): Answer {
  const { differences, changes, allowedByBoth, requests } = comparison;
  if (question === "disjoint") {
    if (allowedByBoth !== null) return { holds: false, text: "both allow this request", witness: allowedByBoth };
    return yes(`none of ${requests} requests is allowed by both`);
  }
  const lost = differences.find(({ kind }) => kind === "closed" || kind === "tightened");
  if (lost !== undefined) {
    return { holds: false, text: "the first policy allows this request, the second denies it", witness: lost.witness };
  }
  if (question === "implies")
    return yes(`of ${requests} requests, all that the first policy allows the second allows, too`);
  const [other] = differences;
  if (other !== undefined)
    return { holds: false, text: "the policies treat this request otherwise", witness: other.witness };
  const [change] = changes;
  if (change === undefined) return yes(`all of ${requests} requests are treated alike, and nothing else is another`);
  return { holds: false, text: `${change.what} is another, which requests do not show`, witness: null };
}

function yes(text: string): Answer {
  return { holds: true, text, witness: null };
}
