import { claimAt, claimPathText } from "../../attributes/claim-path.ts";
import { groupsOf, rolesOf } from "../../attributes/principal-facts.ts";
import type { Reason } from "../../decision/reason.ts";
import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Principal } from "../../message/principal.ts";
import { excerpt } from "../../support/excerpt.ts";
import { tokenChallengeOf } from "../challenge.ts";
import type { Authenticator } from "../filter.ts";
import { FAILED, type Rule, UNDECIDED, Undecided } from "./evaluate.ts";
import type { ClaimValue } from "./schema.ts";

const SEEN_MAX = 200;

/** A rule of the caller alone; without one it is undecided. */
export function callerRule(
  label: string,
  wanted: string,
  place: Place,
  judge: (principal: Principal, quiet: boolean) => Verdict,
): Rule {
  return {
    label,
    wanted,
    phase: "authorize",
    parts: [],
    judge: ({ principal }, quiet = false) => {
      if (principal !== null) return judge(principal, quiet);
      return quiet ? UNDECIDED : new Undecided("not_authorized", place, "no authenticated caller", wanted);
    },
  };
}

/** Every one of `scopes`, exactly as written. */
export function requireScopes(
  scopes: readonly string[],
  label: string,
  place: Place,
  authenticators: ReadonlyMap<string, Authenticator>,
): Rule {
  const wanted = `scopes ${scopes.join(" ")}`;
  // RFC 6750 section 3.1, and RFC 9449 section 7.1 for DPoP: only a token can be got anew with more scopes.
  const headersFor = (principal: Principal): readonly HeaderLine[] => {
    const challenge = tokenChallengeOf(principal, authenticators);
    if (challenge === null) return [];
    return [["www-authenticate", `${challenge}, error="insufficient_scope", scope="${scopes.join(" ")}"`]];
  };
  return callerRule(label, wanted, place, (principal, quiet) => {
    for (const scope of scopes) {
      if (principal.scopes.has(scope)) continue;
      if (quiet) return FAILED;
      const seen = `scopes ${excerpt([...principal.scopes].join(" ") || "(none)", SEEN_MAX)}`;
      return new Denial("scope_missing", place, seen, wanted, headersFor(principal));
    }
    return CONTINUE;
  });
}

/** Every one of `roles` among the caller's roles or groups. */
export function requireRoles(roles: readonly string[], label: string, place: Place): Rule {
  const wanted = `roles ${roles.join(" ")} in roles or groups`;
  return callerRule(label, wanted, place, (principal, quiet) => {
    for (const role of roles) {
      if (rolesOf(principal).has(role) || groupsOf(principal).has(role)) continue;
      return quiet ? FAILED : new Denial("role_missing", place, `no role ${role}`, wanted);
    }
    return CONTINUE;
  });
}

/** Every one of `roles` in the claim at `path`, a list of texts or one text. */
export function requireRolesIn(path: readonly string[], roles: readonly string[], label: string, place: Place): Rule {
  const wanted = `roles ${roles.join(" ")} in ${claimPathText(path)}`;
  return callerRule(label, wanted, place, ({ claims }, quiet) => {
    const value = claimAt(claims, path);
    for (const role of roles) {
      if (value === role || (Array.isArray(value) && value.includes(role))) continue;
      return quiet ? FAILED : new Denial("role_missing", place, `no role ${role}`, wanted);
    }
    return CONTINUE;
  });
}

/** Every one of `groups` among the caller's groups. */
export function requireGroups(groups: readonly string[], label: string, place: Place): Rule {
  const wanted = `groups ${groups.join(" ")}`;
  return callerRule(label, wanted, place, (principal, quiet) => {
    for (const group of groups) {
      if (groupsOf(principal).has(group)) continue;
      return quiet ? FAILED : new Denial("group_missing", place, `no group ${group}`, wanted);
    }
    return CONTINUE;
  });
}

/** The caller's `key` is one of `names`. */
export function requireName(
  key: "id" | "authenticator",
  names: readonly string[],
  reason: Reason,
  label: string,
  place: Place,
): Rule {
  const known = new Set(names);
  const what = key === "id" ? "caller" : "authenticator";
  const wanted = excerpt(`${what} ${names.join(" or ")}`, SEEN_MAX);
  return callerRule(label, wanted, place, (principal, quiet) => {
    if (known.has(principal[key])) return CONTINUE;
    return quiet ? FAILED : new Denial(reason, place, `${what} ${excerpt(principal[key], SEEN_MAX)}`, wanted);
  });
}

/** The claim is, or as a list contains, one of `allowed`; types count, so "1" is not 1. */
export function requireClaim(
  path: readonly string[],
  allowed: readonly ClaimValue[],
  label: string,
  place: Place,
): Rule {
  const name = claimPathText(path);
  const wanted = `claim ${name} ${allowed.map((value) => JSON.stringify(value)).join(" or ")}`;
  return callerRule(label, wanted, place, ({ claims }, quiet) => {
    const value = claimAt(claims, path);
    for (const one of allowed) {
      if (value === one || (Array.isArray(value) && value.includes(one))) return CONTINUE;
    }
    return quiet ? FAILED : new Denial("claim_mismatch", place, `claim ${name} ${describe(value)}`, wanted);
  });
}

function describe(value: unknown): string {
  if (value === undefined) return "(absent)";
  return excerpt(JSON.stringify(value), SEEN_MAX);
}
