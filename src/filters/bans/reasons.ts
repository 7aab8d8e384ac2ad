import { REASONS, type Reason } from "../../decision/reason.ts";

/** Denials that are no act of a client that would be worse the next time, and the ban's own. */
const NEVER: ReadonlySet<Reason> = new Set<Reason>([
  "banned",
  "keys_outdated",
  "client_closed",
  "client_read_timeout",
  "stream_denied",
  "stream_expired",
  "stream_idle",
  "stream_lifetime",
  "websocket_violation",
]);

/** What a ban can be for: everything for which a check refuses a client. */
export const BANNED_FOR: readonly Reason[] = (Object.keys(REASONS) as Reason[]).filter(
  (reason) => REASONS[reason].source === "client" && !NEVER.has(reason),
);

/** Credentials that were there and were not good: who is banned for these shuts out nobody whose credentials are. */
export const GUESSES: ReadonlySet<Reason> = new Set(
  BANNED_FOR.filter(
    (reason) =>
      reason !== "certificate_mismatch" &&
      /^(?:certificate|credential|api_key|basic|password|user|token|attempts|proof|signature)_/.test(reason),
  ),
);

/** Of these, the ones that tell which account was tried. */
export const OF_ACCOUNTS: readonly Reason[] = [...GUESSES].filter((reason) =>
  /^(?:password|user|attempts|api_key_(?:expired|not_yet_valid))/.test(reason),
);

/** Denials that come before the match: no route is known, and nobody was asked who the client is. */
export const BEFORE_ROUTES: ReadonlySet<Reason> = new Set<Reason>([
  "request_malformed",
  "target_ambiguous",
  "host_invalid",
  "method_forbidden",
  "http_version_unsupported",
  "expectation_failed",
  "head_too_large",
  "headers_too_many",
  "head_timeout",
  "forwarded_invalid",
  "websocket_invalid",
  "websocket_version_unsupported",
  "route_not_found",
]);

/** Denials that come before the caller is known. */
export const BEFORE_CALLERS: ReadonlySet<Reason> = new Set<Reason>([
  ...BEFORE_ROUTES,
  ...GUESSES,
  "address_denied",
  "upgrade_refused",
  "method_not_allowed",
  "credentials_missing",
]);
