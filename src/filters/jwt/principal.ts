import { Denial } from "../../decision/verdict.ts";
import type { Principal } from "../../message/principal.ts";
import type { JsonObject } from "../../support/json.ts";
import { type Rule, shown } from "./claims.ts";

/** The claims that may name the caller, the first that is there: a user's subject, else the client by its usual names. */
export const ID_CLAIMS: readonly string[] = ["sub", "client_id", "azp", "cid"];

/** Verified claims → principal, or a denial where they name nobody. */
export function toPrincipal(
  authenticator: string,
  claims: JsonObject,
  idClaims: Rule<readonly string[]>,
  skewMs: number,
): Principal | Denial {
  const name = idClaims.value.find((claim) => claims[claim] !== undefined);
  const wanted = `a caller in ${idClaims.value.join(", ")}`;
  if (name === undefined) return new Denial("token_claim_missing", idClaims.place, "no caller", wanted);
  const claimed = claims[name];
  // RFC 7519 section 4.1.2 says text, and issuers that number their users write numbers.
  const id = Number.isSafeInteger(claimed) ? String(claimed) : claimed;
  // The id goes to the service in a header, so a line break in it would write headers of its own.
  if (typeof id !== "string" || id === "" || /[\u0000-\u001f\u007f-\u009f]/.test(id)) {
    return new Denial("token_malformed", idClaims.place, `${name} ${shown(claimed)}`, wanted);
  }
  const { exp } = claims;
  return Object.freeze({
    authenticator,
    type: "jwt",
    id,
    key: `${authenticator}/${id}`,
    scopes: readScopes(claims),
    claims,
    expiresAtMs: Number(exp) * 1000,
    graceMs: skewMs,
  });
}

/** `scope` (RFC 8693 section 4.2), `scp` (Okta, Entra ID) and `permissions` (Auth0), together. */
function readScopes(claims: JsonObject): ReadonlySet<string> {
  const scopes = new Set<string>();
  for (const name of ["scope", "scp", "permissions"]) {
    const value = claims[name];
    const entries: readonly unknown[] =
      typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : [];
    for (const entry of entries) if (typeof entry === "string" && entry !== "") scopes.add(entry);
  }
  return scopes;
}
