import type { HeaderBlock } from "./headers.ts";
import { canonicalName } from "./reserved-names.ts";

/**
 * Fields that mean something else, or something dangerous, where they come after the body (RFC 9110 section 6.5.1):
 * framing, routing, conditions, credentials, control of caches and answers. A recipient that merges trailers into the
 * header would take them for what was judged. What is left is information: grpc-status, Server-Timing, digests.
 *
 * Trailers reach the client in HTTP/2, and in HTTP/1.1 where the answer is chunked and the client sent `TE: trailers`.
 * They reach the service in HTTP/2 only: many an HTTP/1.1 service does merge them.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "accept-ranges",
  "age",
  "allow",
  "alt-svc",
  "authorization",
  "cache-control",
  "clear-site-data",
  "connection",
  "cookie",
  "cookie2",
  "date",
  "expect",
  "expires",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "link",
  "location",
  "max-forwards",
  "pragma",
  "range",
  "refresh",
  "retry-after",
  "set-cookie",
  "set-cookie2",
  "strict-transport-security",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "vary",
  "via",
  "warning",
  "www-authenticate",
]);

const FORBIDDEN_PREFIXES = ["access-control-", "content-", "if-", "proxy-", "sec-", "x-forwarded-"] as const;

/** Whether a field of this name (lower case) never passes as a trailer, in whatever spelling CGI would take for it. */
export function isForbiddenTrailer(name: string): boolean {
  const canonical = canonicalName(name);
  return FORBIDDEN.has(canonical) || FORBIDDEN_PREFIXES.some((prefix) => canonical.startsWith(prefix));
}

/** Whether the sender of this head said that it takes trailers (RFC 9110 section 10.1.4). */
export function acceptsTrailers(headers: HeaderBlock): boolean {
  const te = headers.list("te");
  return te?.split(",").some((coding) => coding.trim().toLowerCase() === "trailers") ?? false;
}
