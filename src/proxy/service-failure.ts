import type { Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { ClientFailure } from "../message/stream.ts";
import type { Snapshot, UpstreamSettings } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { hostPort } from "../support/host-port.ts";
import type { AcquireFailure } from "../upstream/upstream.ts";

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
export function serviceDenial(failure: ClientFailure, detail: string, upstream: UpstreamSettings | undefined): Denial {
  return new Denial(REASON_OF[failure], null, detail + from(upstream), "a whole response");
}

/** The same where no way led to it. */
export function connectDenial(failure: AcquireFailure, detail: string, upstream: UpstreamSettings | undefined): Denial {
  return new Denial(failure, null, detail + from(upstream), "a connection to the service");
}

/** Why nobody asks a service that is known to be unhealthy; null where it is not, or is asked all the same. */
export function unhealthyDenial({ refusals }: Snapshot, upstream: string): Denial | null {
  const refusal = refusals?.get(upstream);
  if (refusal === undefined || !refusal.check.isUnhealthy) return null;
  const { check, place, retrySeconds } = refusal;
  const seen = `upstream ${upstream} is unhealthy: ${check.lastFault}`;
  return new Denial("upstream_unhealthy", place, seen, "a service that is well", [["retry-after", `${retrySeconds}`]]);
}

/** For the log, which of several services it was; clients are not told. */
function from(upstream: UpstreamSettings | undefined): string {
  if (upstream === undefined) return "";
  const { name, address } = upstream;
  const where = address.type === "unix" ? `unix:${address.path}` : hostPort(address.host, address.port);
  return `; upstream ${name} at ${where}`;
}

/**
 * Methods that may be sent again when nobody knows whether the first sending arrived (RFC 9110 section 9.2.2, RFC 10008
 * for QUERY).
 */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "QUERY", "PUT", "DELETE"]);

/**
 * Whether a request that is at hand whole may be sent again: the service vouches that it has not begun with it, or
 * arriving twice does no harm. The latter once, for it need not have been the race of an idle connection that it looks like.
 */
export function mayRepeat(failure: ClientFailure, wasUsed: boolean, method: string, repeats: number): boolean {
  if (failure === "refused") return repeats < DEFAULTS.upstreamRepeatsMax;
  return failure === "closed" && wasUsed && repeats === 0 && IDEMPOTENT.has(method);
}

/** Whether a failure that `mayRepeat` lets pass can come at all, so that it is worth keeping what goes out. */
export function mayFailHarmlessly(protocol: UpstreamSettings["protocol"], wasUsed: boolean, method: string): boolean {
  return protocol === "h2" || (wasUsed && IDEMPOTENT.has(method));
}
