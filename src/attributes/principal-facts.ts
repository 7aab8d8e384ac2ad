import type { Principal } from "../message/principal.ts";
import { claimAt } from "./claim-path.ts";

/** What rules ask of a principal again and again; a principal is shared by all requests of a verified token. */
interface Facts {
  readonly scopes: readonly string[];
  readonly roles: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly roleList: readonly string[];
  readonly groupList: readonly string[];
}

const factsOf = new WeakMap<Principal, Facts>();

/** Those that were asked for last: a rule with a hundred roles asks a hundred times of one principal. */
let lastPrincipal: Principal | null = null;
let lastFacts: Facts | null = null;

function facts(principal: Principal): Facts {
  if (principal === lastPrincipal && lastFacts !== null) return lastFacts;
  const known = factsFor(principal);
  lastPrincipal = principal;
  lastFacts = known;
  return known;
}

function factsFor(principal: Principal): Facts {
  let known = factsOf.get(principal);
  if (known === undefined) {
    const { roles, groups, claims } = principal;
    const roleList = roles === undefined ? textsOf(claimAt(claims, ["roles"])) : Object.freeze([...roles]);
    const groupList = groups === undefined ? textsOf(claimAt(claims, ["groups"])) : Object.freeze([...groups]);
    known = {
      scopes: Object.freeze([...principal.scopes]),
      roles: new Set(roleList),
      groups: new Set(groupList),
      roleList,
      groupList,
    };
    factsOf.set(principal, known);
  }
  return known;
}

/** A list's texts, or one text; texts are not split at blanks. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return Object.freeze([value]);
  return Object.freeze(Array.isArray(value) ? value.filter((item) => typeof item === "string") : []);
}

export function scopeList(principal: Principal): readonly string[] {
  return facts(principal).scopes;
}

export function rolesOf(principal: Principal): ReadonlySet<string> {
  return facts(principal).roles;
}

export function roleList(principal: Principal): readonly string[] {
  return facts(principal).roleList;
}

export function groupsOf(principal: Principal): ReadonlySet<string> {
  return facts(principal).groups;
}

export function groupList(principal: Principal): readonly string[] {
  return facts(principal).groupList;
}

/** What an authenticator of these types has as claims comes from a token. */
const TOKENS: ReadonlySet<string> = new Set(["jwt", "introspection"]);

export function isToken({ type }: Pick<Principal, "type">): boolean {
  return TOKENS.has(type);
}
