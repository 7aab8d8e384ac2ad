import { Denial } from "../../decision/verdict.ts";
import type { Principal } from "../../message/principal.ts";
import type { JsonObject } from "../../support/json.ts";
import { type ReadTexts, textsFrom } from "./claim-texts.ts";
import { type Rule, shown } from "./claims.ts";

/** The claims that may name the caller, the first that is there: a user's subject, else the client by its usual names. */
export const ID_CLAIMS: readonly string[] = ["sub", "client_id", "azp", "cid"];

/** Where in the claims stands what is known of the caller. */
export interface PrincipalRules {
  readonly idClaims: Rule<readonly string[]>;
  readonly readScopes: ReadTexts;
  readonly readRoles: ReadTexts;
  readonly readGroups: ReadTexts;
}

/** Where no provider and no policy says otherwise; `scope` is RFC 8693's, `scp` Okta's and Entra's, `permissions` Auth0's. */
export const GENERAL_PLACES = {
  scopesFrom: ["scope", "scp", "permissions"],
  rolesFrom: ["roles"],
  groupsFrom: ["groups"],
} as const;

export const GENERAL_CLAIMS: Omit<PrincipalRules, "idClaims"> = {
  readScopes: textsFrom(GENERAL_PLACES.scopesFrom, true),
  readRoles: textsFrom(GENERAL_PLACES.rolesFrom, false),
  readGroups: textsFrom(GENERAL_PLACES.groupsFrom, false),
};

/** Verified claims → principal, or a denial where they name nobody. */
export function toPrincipal(
  authenticator: string,
  claims: JsonObject,
  { idClaims, readScopes, readRoles, readGroups }: PrincipalRules,
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
    roles: readRoles(claims),
    groups: readGroups(claims),
    claims,
    expiresAtMs: Number(exp) * 1000,
    graceMs: skewMs,
  });
}
