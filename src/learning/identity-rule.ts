import { DEFAULTS } from "../support/defaults.ts";
import type { Identity, OperationEvidence } from "./operation-evidence.ts";
import { Support, type Thresholds } from "./support.ts";

/** Words of `authorize` that are learnt. */
export interface CallerRule {
  readonly authenticators?: string;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  readonly callers?: readonly string[];
  readonly spiffeId?: readonly string[];
  readonly any?: readonly CallerRule[];
}

/** Who may call an operation. */
export interface IdentityRule {
  /** Those by which enough callers were known. */
  readonly authenticators: readonly string[];
  /** Null where its callers have nothing in common that a rule could ask for. */
  readonly authorize: CallerRule | null;
  /** Callers that the rule leaves out. */
  readonly leftOut: readonly (readonly [what: string, support: Support])[];
}

/** Every token of a log-in has these, whatever its holder may do (OpenID Connect Core section 5.4). */
const OF_EVERYBODY: ReadonlySet<string> = new Set(["openid", "profile", "email", "address", "phone", "offline_access"]);

interface Seen {
  readonly identity: Identity;
  readonly support: Support;
}

/**
 * What callers of an operation have in common. `defined`: roles that the policy defines itself, in which others than these
 * words may stand.
 */
export function identityRule(
  { identities, identitiesMore }: OperationEvidence,
  thresholds: Thresholds,
  defined: ReadonlySet<string>,
): IdentityRule {
  const byAuthenticator = new Map<string, Seen[]>();
  for (const key of [...identities.keys()].toSorted()) {
    const seen = identities.get(key);
    const name = seen?.identity.authenticator ?? null;
    if (seen !== undefined && name !== null) byAuthenticator.set(name, [...(byAuthenticator.get(name) ?? []), seen]);
  }
  const leftOut: (readonly [string, Support])[] = [];
  const rules: (readonly [name: string, rule: CallerRule])[] = [];
  for (const [name, seen] of byAuthenticator) {
    const all = joined(seen);
    // The only one there is has the operation's own support.
    if (byAuthenticator.size > 1 && !all.isEnough(thresholds)) leftOut.push([`callers of ${name}`, all]);
    else rules.push([name, ruleOf(seen, identitiesMore.requests > 0, thresholds, defined, leftOut)]);
  }
  return { authenticators: rules.map(([name]) => name), authorize: together(rules), leftOut };
}

function together(rules: readonly (readonly [string, CallerRule])[]): CallerRule | null {
  if (rules.every(([, rule]) => Object.keys(rule).length === 0)) return null;
  const [first, ...others] = rules;
  if (first !== undefined && others.length === 0) return first[1];
  return { any: rules.map(([name, rule]) => ({ authenticators: name, ...rule })) };
}

function ruleOf(
  seen: readonly Seen[],
  hasMore: boolean,
  thresholds: Thresholds,
  defined: ReadonlySet<string>,
  leftOut: (readonly [string, Support])[],
): CallerRule {
  // Of callers that nobody remembers nobody knows what they had.
  if (hasMore) return {};
  const scopes = common(seen, "scopes", thresholds, leftOut).filter((scope) => !OF_EVERYBODY.has(scope));
  const roles = common(seen, "roles", thresholds, leftOut).filter((role) => !defined.has(role));
  const groups = common(seen, "groups", thresholds, leftOut);
  if (scopes.length + roles.length + groups.length === 0) return namedOf(seen, thresholds, leftOut);
  return {
    ...(scopes.length === 0 ? {} : { scopes }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(groups.length === 0 ? {} : { groups }),
  };
}

/**
 * What all have, but for too few callers to count: one caller that the service should never have answered does not take a
 * scope out of the rule. Those few are left out, and no more than a tenth of all.
 */
function common(
  seen: readonly Seen[],
  what: "scopes" | "roles" | "groups",
  { callers }: Thresholds,
  leftOut: (readonly [string, Support])[],
): readonly string[] {
  const all = new Set(seen.flatMap(({ identity }) => identity[what]));
  return [...all].toSorted().filter((one) => {
    const having = joined(seen.filter(({ identity }) => identity[what].includes(one)));
    const lacking = joined(seen.filter(({ identity }) => !identity[what].includes(one)));
    const few = lacking.sources.size;
    if (having.sources.size < callers || few >= callers || few * TENTH > having.sources.size) return false;
    if (few > 0) leftOut.push([`callers without ${what.slice(0, -1)} ${one}`, lacking]);
    return true;
  });
}

const TENTH = 10;

/** Partners and machines by name, where all have one and they are few. */
function namedOf(seen: readonly Seen[], { requests }: Thresholds, leftOut: (readonly [string, Support])[]): CallerRule {
  const key = seen.every(({ identity }) => identity.spiffeId !== null) ? "spiffeId" : "id";
  const names = new Map<string, Support>();
  for (const { identity, support } of seen) {
    const name = identity[key];
    if (name === null || name.endsWith("…")) return {};
    const own = names.get(name) ?? new Support();
    own.join(support);
    names.set(name, own);
  }
  const kept = [...names].filter(([, support]) => support.requests >= requests).map(([name]) => name);
  if (kept.length === 0 || kept.length > DEFAULTS.learnNamedMax) return {};
  for (const [name, support] of names) if (!kept.includes(name)) leftOut.push([`caller ${name}`, support]);
  return key === "spiffeId" ? { spiffeId: kept.toSorted() } : { callers: kept.toSorted() };
}

function joined(seen: readonly Seen[]): Support {
  const all = new Support(DEFAULTS.learnIdentitiesMax);
  for (const { support } of seen) all.join(support);
  return all;
}
