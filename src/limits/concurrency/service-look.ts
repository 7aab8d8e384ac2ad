import { EMPTY_BODY } from "../../message/body.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { AnswerFacts } from "../../message/taken.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/** What one request shows of how loaded its service is: milliseconds to the answer's head, or that none came in time. */
export type ServiceLook = number | "late" | null;

/**
 * Only what the service did counts. A client that sends its body slowly makes the head of the answer late and says nothing of
 * the service, so that no client can lower what the others get: a body has to be here before the request is passed on. One
 * that reads slowly does not matter, for the head is measured and not the end. Answers of postern's own say nothing.
 */
export function lookOf({ body, collectedBody }: Exchange, { upstreamMs, status }: AnswerFacts): ServiceLook {
  const announced = body.announcedBytes;
  const isHere =
    body === EMPTY_BODY || collectedBody !== null || (announced >= 0 && announced <= DEFAULTS.bodyPreludeBytes);
  if (!isHere) return null;
  if (upstreamMs >= 0) return upstreamMs;
  return status === 504 ? "late" : null;
}
