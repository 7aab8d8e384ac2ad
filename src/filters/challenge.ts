import { isToken } from "../attributes/principal-facts.ts";
import type { Principal } from "../message/principal.ts";
import type { Authenticator } from "./filter.ts";

/**
 * A challenge for WWW-Authenticate (RFC 9110 section 11.6.1). A 401 has to carry one, so the kinds that have no
 * registered scheme get a telling name. The realm is the service, written as a quoted-string.
 */
export function challenge(scheme: string, service: string): string {
  const realm = service.replace(/[^\x20-\x7e]/g, "").replace(/["\\]/g, "\\$&");
  return `${scheme} realm="${realm}"`;
}

/** The challenge by which the caller's token was asked for, under its own scheme; null for a caller without one. */
export function tokenChallengeOf(
  { type, authenticator }: Principal,
  authenticators: ReadonlyMap<string, Authenticator>,
): string | null {
  return isToken({ type }) ? (authenticators.get(authenticator)?.challenge ?? null) : null;
}
