import { isToken } from "../attributes/principal-facts.ts";
import type { Principal } from "../message/principal.ts";
import type { Authenticator, CompileContext } from "./filter.ts";

/** For what tokens are asked. */
export type TokenResource = Pick<CompileContext, "service" | "resourceMetadataUrl">;

/**
 * A challenge for WWW-Authenticate (RFC 9110 section 11.6.1). A 401 has to carry one, so the kinds that have no
 * registered scheme get a telling name. The realm is the service, written as a quoted-string.
 */
export function challenge(scheme: string, service: string): string {
  const realm = service.replace(/[^\x20-\x7e]/g, "").replace(/["\\]/g, "\\$&");
  return `${scheme} realm="${realm}"`;
}

/** The same for tokens. It names where a client learns who gives it one (RFC 9728 section 5.1), where the policy says that. */
export function tokenChallenge(scheme: "Bearer" | "DPoP", { service, resourceMetadataUrl }: TokenResource): string {
  const plain = challenge(scheme, service);
  return resourceMetadataUrl === null ? plain : `${plain}, resource_metadata="${resourceMetadataUrl}"`;
}

/** The challenge by which the caller's token was asked for, under its own scheme; null for a caller without one. */
export function tokenChallengeOf(
  { type, authenticator }: Principal,
  authenticators: ReadonlyMap<string, Authenticator>,
): string | null {
  return isToken({ type }) ? (authenticators.get(authenticator)?.challenge ?? null) : null;
}
