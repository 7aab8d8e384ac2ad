import { REASONS } from "../decision/reason.ts";
import type { FinishedRequest } from "../records/make-facts.ts";

/** What became of a request, as far as it tells of the API; closed, and a column of what is kept. */
export const OUTCOMES = [
  "confirmed", // the service answered 2xx, 304 or 101: there is something
  "answered", // postern itself answered, as it was told to
  "denied", // postern refused it, or the service did with 401 or 403
  "missing", // the service has nothing there, or not by this method
  "failed", // anything else
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** No client's doing makes an operation `confirmed`: only the service's own word does. */
export function outcomeOf({ reason, denied, status, upstreamMs }: FinishedRequest): Outcome {
  if (denied) return reason !== null && REASONS[reason].source === "client" && status !== 499 ? "denied" : "failed";
  if (upstreamMs < 0) return reason === null ? "answered" : "failed";
  if ((status >= 200 && status < 300) || status === 304 || status === 101) return "confirmed";
  if (status === 401 || status === 403) return "denied";
  return status === 404 || status === 405 || status === 410 || status === 501 ? "missing" : "failed";
}
