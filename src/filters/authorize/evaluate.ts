import type { Reason } from "../../decision/reason.ts";
import { CONTINUE, Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import type { Clock } from "../../support/clock.ts";
import { excerpt } from "../../support/excerpt.ts";
import { claimAt, claimPathText } from "./claim-path.ts";
import type { ClaimValue } from "./schema.ts";

/** One compiled part of a rule; allocates only where it denies. */
export type Requirement = (exchange: Exchange) => Verdict;

const SEEN_MAX = 200;

function anonymous(place: Place, wanted: string): Denial {
  return new Denial("not_authorized", place, "no authenticated caller", wanted);
}

/** Every one of `scopes`, exactly as written. */
export function requireScopes(scopes: readonly string[], place: Place): Requirement {
  const wanted = `scopes ${scopes.join(" ")}`;
  // RFC 6750 section 3.1: only a bearer token can be got anew with more scopes.
  const challenge: readonly HeaderLine[] = [
    ["www-authenticate", `Bearer error="insufficient_scope", scope="${scopes.join(" ")}"`],
  ];
  return ({ principal }) => {
    if (principal === null) return anonymous(place, wanted);
    for (const scope of scopes) {
      if (principal.scopes.has(scope)) continue;
      const seen = `scopes ${excerpt([...principal.scopes].join(" ") || "(none)", SEEN_MAX)}`;
      return new Denial("scope_missing", place, seen, wanted, principal.type === "jwt" ? challenge : []);
    }
    return CONTINUE;
  };
}

/** Every one of `roles` in at least one of the claims at `paths`. */
export function requireRoles(
  paths: readonly (readonly string[])[],
  names: string,
  roles: readonly string[],
  place: Place,
): Requirement {
  const wanted = `roles ${roles.join(" ")} in ${names}`;
  return ({ principal }) => {
    if (principal === null) return anonymous(place, wanted);
    for (const role of roles) {
      if (!hasRole(principal, paths, role)) return new Denial("role_missing", place, `no role ${role}`, wanted);
    }
    return CONTINUE;
  };
}

function hasRole(principal: Principal, paths: readonly (readonly string[])[], role: string): boolean {
  for (const path of paths) {
    const value = claimAt(principal.claims, path);
    if (value === role || (Array.isArray(value) && value.includes(role))) return true;
  }
  return false;
}

/** The claim is, or as a list contains, one of `allowed`; types count, so "1" is not 1. */
export function requireClaim(path: readonly string[], allowed: readonly ClaimValue[], place: Place): Requirement {
  const name = claimPathText(path);
  const wanted = `claim ${name} ${allowed.map((value) => JSON.stringify(value)).join(" or ")}`;
  return ({ principal }) => {
    if (principal === null) return anonymous(place, wanted);
    const value = claimAt(principal.claims, path);
    for (const one of allowed) {
      if (value === one || (Array.isArray(value) && value.includes(one))) return CONTINUE;
    }
    return new Denial("claim_mismatch", place, `claim ${name} ${describe(value)}`, wanted);
  };
}

function describe(value: unknown): string {
  if (value === undefined) return "(absent)";
  return excerpt(JSON.stringify(value), SEEN_MAX);
}

/** What a SPIFFE ID below a prefix may look like: no empty and no dot segments that a reader might resolve. */
const BELOW = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;

/**
 * The verified client certificate carries one of `ids`, or an ID below one of `prefixes` (without their `/**`). Its end
 * is looked at for every request: the handshake saw it once, and a connection may outlive it.
 */
export function requireSpiffeId(
  ids: readonly string[],
  prefixes: readonly string[],
  place: Place,
  clock: Clock,
): Requirement {
  const wanted = `SPIFFE ID ${[...ids, ...prefixes.map((prefix) => `${prefix}/**`)].join(" or ")}`;
  return ({ connection: { certificate } }) => {
    if (certificate === null) return new Denial("spiffe_id_mismatch", place, "no client certificate", wanted);
    if (certificate.untrusted !== null) {
      return new Denial("spiffe_id_mismatch", place, `certificate not trusted: ${certificate.untrusted}`, wanted);
    }
    if (clock.wallMs() > certificate.notAfterMs) {
      const seen = `certificate expired ${new Date(certificate.notAfterMs).toISOString()}`;
      return new Denial("spiffe_id_mismatch", place, seen, wanted);
    }
    const id = certificate.spiffeId;
    if (id === null) return new Denial("spiffe_id_mismatch", place, "certificate without SPIFFE ID", wanted);
    for (const one of ids) if (id === one) return CONTINUE;
    for (const prefix of prefixes) {
      if (id.startsWith(prefix) && BELOW.test(id.slice(prefix.length))) return CONTINUE;
    }
    return new Denial("spiffe_id_mismatch", place, `SPIFFE ID ${excerpt(id, SEEN_MAX)}`, wanted);
  };
}

export function requireAll(requirements: readonly Requirement[]): Requirement {
  const [only] = requirements;
  if (only !== undefined && requirements.length === 1) return only;
  return (exchange) => {
    for (const requirement of requirements) {
      const verdict = requirement(exchange);
      if (verdict !== CONTINUE) return verdict;
    }
    return CONTINUE;
  };
}

/** One of `alternatives`; where none holds, the reason that they share, else `not_authorized`. */
export function requireAny(alternatives: readonly Requirement[], place: Place): Requirement {
  return (exchange) => {
    const denials: Denial[] = [];
    for (const alternative of alternatives) {
      const verdict = alternative(exchange);
      if (verdict === CONTINUE) return CONTINUE;
      denials.push(verdict);
    }
    return joined(denials, place);
  };
}

function joined(denials: readonly Denial[], place: Place): Denial {
  const first = denials[0];
  const shared = first !== undefined && denials.every((denial) => denial.reason === first.reason);
  const reason: Reason = shared ? first.reason : "not_authorized";
  const seen = [...new Set(denials.map((denial) => denial.seen))].join("; ");
  const wanted = denials.map((denial) => denial.wanted).join("; or ");
  return new Denial(reason, place, excerpt(seen, 400), excerpt(wanted, 400), shared ? first.headers : []);
}
