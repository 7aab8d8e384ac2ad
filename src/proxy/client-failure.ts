import { Denial, type Place } from "../decision/verdict.ts";
import type { BodyFailure } from "../message/body.ts";
import type { ClientLeft } from "../message/stream.ts";

/** The client does not take its answer any more. */
export function clientDenial(reason: ClientLeft, isAnswered: boolean): Denial {
  const closed = isAnswered ? "closed during the answer" : "closed before the answer";
  const seen = reason === "client_closed" ? closed : "an answer that the client does not read";
  return new Denial(reason, null, seen, "a client that takes its answer");
}

/** What it sends does not come whole. `place`: of the route. */
export function bodyDenial(failure: BodyFailure, place: Place | null): Denial {
  return new Denial(failure, place, `request body: ${failure}`, "a whole body within its limits");
}
