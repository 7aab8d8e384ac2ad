import { REASONS } from "../../decision/reason.ts";
import type { AnswerFacts } from "../../message/taken.ts";
import type { Counted } from "./schema.ts";

/** Whether a request that ended so counts. */
export type Counts = (facts: AnswerFacts) => boolean;

const CLIENT_LEFT = REASONS.client_closed.status;

/**
 * Whoever leaves before the answer would see to it that nothing counts: what was forwarded and whose answer nobody knows
 * counts as either.
 */
export function countsOf(counted: Counted): Counts {
  const isUnknown = ({ status, denied }: AnswerFacts): boolean => !denied && (status === CLIENT_LEFT || status === 0);
  if (counted === "failures") return (facts) => facts.status >= 400 || isUnknown(facts);
  return (facts) => (facts.status > 0 && facts.status < 400) || isUnknown(facts);
}
