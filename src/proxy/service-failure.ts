import type { Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { ClientFailure } from "../message/stream.ts";

const REASON_OF = {
  closed: "upstream_closed",
  reset: "upstream_closed",
  refused: "upstream_refused",
  tls: "upstream_tls_failed",
  cut: "upstream_response_cut",
  invalid: "upstream_response_invalid",
  timeout: "upstream_response_timeout",
} as const satisfies Record<ClientFailure, Reason>;

/** Why an exchange with the service came to nothing, as an answer for the client. */
export function serviceDenial(failure: ClientFailure, detail: string): Denial {
  return new Denial(REASON_OF[failure], null, detail, "a whole response");
}

/** Methods that may be sent again when nobody knows whether the first sending arrived (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** Whether a request may be sent again: it did not arrive, or arriving twice does no harm. */
export function isHarmless(failure: ClientFailure, wasUsed: boolean, method: string): boolean {
  return failure === "refused" || (failure === "closed" && wasUsed && IDEMPOTENT.has(method));
}
