import type { Authenticator } from "../filters/filter.ts";
import type { AssumedIdentity } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Conjunct } from "./atoms.ts";
import { flowText } from "./flow-text.ts";

/** Who a witness is supposed to come from. */
export interface Identity {
  /** As `postern explain --as` takes it; null for nobody. */
  readonly as: string | null;
  readonly assumed: AssumedIdentity | null;
}

export const NOBODY: Identity = { as: null, assumed: null };

/** A caller of one authenticator, before rules ask for more. */
export interface Caller {
  readonly authenticator: string;
  /** Of a token; null for who stands in a file with all that can be said of it. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly assumed: AssumedIdentity;
  /** Of one who stands in a file: what a rule can look at, as JSON; empty of a token, of which all can be said. */
  readonly facts: string;
}

/** Callers of both policies' authenticators, each once: one for each set of facts that a rule can look at. */
export function callersOf(snapshots: readonly Snapshot[]): readonly Caller[] {
  const tokens = new Map<string, { readonly authenticator: string; readonly claims: Record<string, unknown> }>();
  const others = new Map<string, Caller>();
  for (const { authenticators, outline } of snapshots) {
    for (const authenticator of authenticators.values()) {
      const { name, type } = authenticator;
      if (type === "jwt" || type === "introspection") {
        const claims = tokenClaims(authenticator, outline?.sections.get(`authenticators.${name}`)?.value);
        tokens.set(`${name} ${JSON.stringify(claims)}`, { authenticator: name, claims });
      }
      for (const caller of fileCallers(authenticator)) others.set(`${name} ${JSON.stringify(caller.assumed)}`, caller);
    }
  }
  // Where all tokens are alike, `explain` fills that in by itself.
  const isOne = new Set([...tokens.values()].map(({ claims }) => JSON.stringify(claims))).size === 1;
  const ofTokens = [...tokens.values()].map(({ authenticator, claims }): Caller => {
    const shown = isOne ? {} : claims;
    return { authenticator, claims: shown, assumed: { type: "jwt", claims: shown }, facts: "" };
  });
  const seen = new Set<string>();
  const distinct = ofTokens.filter((caller) => {
    const key = JSON.stringify([caller.authenticator, caller.claims]);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
  return [...distinct, ...others.values()];
}

function tokenClaims({ tokens }: Authenticator, settings: unknown): Record<string, unknown> {
  const [issuer] = tokens?.issuers ?? [];
  const { audience = undefined } = Object.assign({ audience: undefined as unknown }, settings);
  const first: unknown = Array.isArray(audience) ? audience[0] : audience;
  return {
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(typeof first === "string" ? { aud: first } : {}),
  };
}

function fileCallers({ name, callers }: Authenticator): readonly Caller[] {
  const byFacts = new Map<string, Caller>();
  let seen = 0;
  for (const principal of callers?.() ?? []) {
    if (++seen > DEFAULTS.callersSeenMax || byFacts.size >= DEFAULTS.diffCallersKeptMax) break;
    const assumed = assumedOf(principal);
    const key = factsOf(principal);
    if (assumed !== null && !byFacts.has(key))
      byFacts.set(key, { authenticator: name, claims: null, assumed, facts: key });
  }
  return [...byFacts.values()];
}

function factsOf({ scopes, roles, groups, claims, limit, plan }: Principal): string {
  return JSON.stringify([
    [...scopes].sort(),
    [...(roles ?? [])].sort(),
    [...(groups ?? [])].sort(),
    claims,
    limit,
    plan,
  ]);
}

function assumedOf({ type, id }: Principal): AssumedIdentity | null {
  if (type === "basic") return { type, user: id };
  return type === "api-key" || type === "signature" ? { type, caller: id } : null;
}

/**
 * Of each file those callers that a place is asked as: first those that have what some way to meet its rules asks for, in the order of
 * these, which nobody can make up for them.
 */
export function callersAt(callers: readonly Caller[], meets: readonly Conjunct[]): readonly Caller[] {
  const wanted = meets.map((meet) =>
    meet.flatMap((atom) => (atom.at === "scope" || atom.at === "claim" ? [JSON.stringify(atom.value)] : [])),
  );
  const rankOf = ({ facts }: Caller): number => {
    const at = wanted.findIndex((values) => values.length > 0 && values.every((value) => facts.includes(value)));
    return at < 0 ? wanted.length : at;
  };
  const ranked = callers.map((caller) => ({ caller, rank: caller.claims === null ? rankOf(caller) : 0 }));
  const taken = new Map<string, number>();
  const chosen = ranked
    .toSorted((a, b) => a.rank - b.rank)
    .filter(({ caller: { authenticator, claims } }) => {
      const count = taken.get(authenticator) ?? 0;
      taken.set(authenticator, count + 1);
      return claims !== null || count < DEFAULTS.diffCallersMax;
    });
  const kept = new Set(chosen.map(({ caller }) => caller));
  return callers.filter((caller) => kept.has(caller));
}

/** The caller with all that the conjunct asks of one; null where nobody can be all of it. */
export function identityOf({ claims, assumed }: Caller, conjunct: Conjunct): Identity | null {
  if (claims === null) {
    const names = new Set(conjunct.flatMap((atom) => (atom.at === "caller" ? [atom.value] : [])));
    const [name] = names;
    // One of the file that is not known as different; a policy that has no such caller judges nothing.
    if (names.size > 1 || name?.startsWith("spiffe://") === true) return null;
    return shown(name === undefined ? assumed : named(assumed, name));
  }
  const made: Record<string, unknown> = structuredClone(claims) as Record<string, unknown>;
  const scopes = new Set<string>();
  for (const atom of conjunct) {
    if (atom.at === "scope") scopes.add(atom.value);
    if (atom.at === "caller" && !setClaim(made, ["sub"], atom.value, false)) return null;
    if (atom.at === "claim" && !setClaim(made, atom.path, atom.value, atom.isMember)) return null;
  }
  if (scopes.size > 0) made["scope"] = [...scopes].sort().join(" ");
  return shown({ type: "jwt", claims: made });
}

function named(assumed: AssumedIdentity, name: string): AssumedIdentity {
  if ("user" in assumed) return { ...assumed, user: name };
  return "caller" in assumed ? { ...assumed, caller: name } : assumed;
}

function shown(assumed: AssumedIdentity): Identity {
  const value = "claims" in assumed ? assumed.claims : "user" in assumed ? assumed.user : assumed.caller;
  return { as: flowText({ [assumed.type]: value }), assumed };
}

function setClaim(
  claims: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
  isMember: boolean,
): boolean {
  const [name, ...rest] = path;
  if (name === undefined) return false;
  const old = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (rest.length > 0) {
    const inner = old ?? {};
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return false;
    claims[name] = inner;
    return setClaim(inner as Record<string, unknown>, rest, value, isMember);
  }
  if (isMember) {
    const list = old === undefined ? [] : old;
    if (!Array.isArray(list)) return false;
    claims[name] = list.includes(value) ? list : [...list, value];
    return true;
  }
  if (old !== undefined && old !== value) return false;
  claims[name] = value;
  return true;
}
