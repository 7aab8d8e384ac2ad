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
  if (counted === "failures") return (facts) => isFailure(facts) || isUnknown(facts);
  return (facts) => (facts.status > 0 && !isFailure(facts)) || isUnknown(facts);
}

/** By the status, and of a gRPC call by what its head or trailers say of it. */
export function isFailure({ status, callOutcome }: AnswerFacts): boolean {
  return status >= 400 || callOutcome === "failed";
}

/** A call that gave a message and was left then, as streams are, was not refused. */
function isUnknown({ status, denied, callOutcome, responseBodyBytes }: AnswerFacts): boolean {
  if (denied) return false;
  return status === CLIENT_LEFT || status === 0 || (callOutcome === "unknown" && responseBodyBytes === 0);
}
