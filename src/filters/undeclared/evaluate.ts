import { Denial, type Place } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";

/** No operation takes such a request: its route is there for the rest. */
export function undeclaredDenial(place: Place, { method }: Exchange): Denial {
  return new Denial("operation_undeclared", place, `${method} of this path`, "an operation of the API's description");
}
