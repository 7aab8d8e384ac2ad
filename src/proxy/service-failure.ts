import type { Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import { EMPTY_BODY } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import type { ClientFailure } from "../message/stream.ts";

const REASON_OF = {
  closed: "upstream_closed",
  reset: "upstream_closed",
  refused: "upstream_refused",
  tls: "upstream_tls_failed",
  cut: "upstream_response_cut",
  invalid: "upstream_response_invalid",
  timeout: "upstream_response_timeout",
  stalled: "upstream_request_timeout",
  idle: "stream_idle_timeout",
  unfed: "body_timeout",
  unread: "client_read_timeout",
} as const satisfies Record<ClientFailure, Reason>;

/** Why an exchange with the service came to nothing, as an answer for the client. */
export function serviceDenial(failure: ClientFailure, detail: string): Denial {
  return new Denial(REASON_OF[failure], null, detail, "a whole response");
}

/** Methods that may be sent again when nobody knows whether the first sending arrived (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** Whether a request may be sent again: all of it is at hand, and it did not arrive, or arriving twice does no harm. */
export function mayRepeat(failure: ClientFailure, wasUsed: boolean, exchange: Exchange): boolean {
  if (exchange.collectedBody === null && exchange.body !== EMPTY_BODY) return false;
  return failure === "refused" || (failure === "closed" && wasUsed && IDEMPOTENT.has(exchange.method));
}
