import { Denial } from "../decision/verdict.ts";
import { EMPTY_BODY } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import { OwnAnswer } from "./own-page.ts";

/** The part of a subject that this looks at. */
export interface PreflightSubject {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  /** Set where it is answered here. */
  route: Route | null;
}

const NOTHING = Buffer.alloc(0);

/**
 * The answer to a browser's question whether a page may send a request (Fetch section 4.8), asked of the route that the
 * request itself would get; null for anything else, and where that route leaves it to the service. It carries no
 * credentials, so that it passes where callers have to be known.
 */
export function judgePreflight(subject: PreflightSubject): OwnAnswer | Denial | null {
  const { snapshot, exchange } = subject;
  if (!snapshot.answersPreflights || exchange.method !== "OPTIONS") return null;
  const { headers, host, target, body, upgrade, oddity } = exchange;
  const method = headers.get("access-control-request-method");
  if (method === undefined || headers.count("origin") !== 1 || upgrade !== null || oddity !== null) return null;
  const match = snapshot.routes.match(host, method, target.path);
  if (match.kind !== "found" || match.route.cors === null) return null;
  subject.route = match.route;
  if (body !== EMPTY_BODY) return new Denial("request_malformed", null, "body in a preflight", "none");
  const answer = match.route.cors.preflight(exchange, method);
  return answer instanceof Denial ? answer : new OwnAnswer(answer, NOTHING, 204);
}
