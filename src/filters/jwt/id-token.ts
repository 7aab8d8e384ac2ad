import type { JsonObject } from "../../support/json.ts";

/**
 * By what a token shows that it tells a client who signed in, and lets nobody in anywhere (OpenID Connect Core section 2); null
 * where it shows nothing of the kind. Such a token has the client as its audience, and clients leave them lying about.
 */
export function idTokenMark(claims: JsonObject, typ: string | null): string | null {
  if (typ !== null && /^(?:application\/)?at\+jwt$/i.test(typ)) return null;
  // Keycloak says of each token what it is; its access tokens had a nonce for years.
  if (claims["typ"] === "Bearer") return null;
  if (claims["typ"] === "ID") return "typ ID";
  // Cognito does so too.
  if (claims["token_use"] !== undefined) return claims["token_use"] === "id" ? "token_use id" : null;
  return ["nonce", "at_hash", "c_hash", "s_hash"].find((name) => claims[name] !== undefined) ?? null;
}
