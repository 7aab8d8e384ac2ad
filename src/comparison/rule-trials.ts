import { parseClaimPath } from "../attributes/claim-path.ts";
import { type AuthorizeRule, ruleSchema, type TimeWindow } from "../filters/authorize/schema.ts";
import { edgesOf } from "./address-edges.ts";
import { ANYTHING, type Atom, allTrials, anyTrials, type Conjunct, meeting, neither, type Trials } from "./atoms.ts";
import { withoutStars } from "./certificates.ts";
import { alikeTrials, type ConditionWorld, conditionTrials } from "./condition-trials.ts";
import { momentIn } from "./hours.ts";

/** What a rule can be tried with beside itself. */
export interface RuleWorld extends ConditionWorld {
  /** Roles of the policy by name, as it has them. */
  role(name: string): unknown;
  /** Unix milliseconds of the comparison. */
  readonly nowMs: number;
}

const DEPTH_MAX = 16;

/** A rule as the policy has it → what to try it with. When the hours of `time` end, `times` tries. */
export function ruleTrials(value: unknown, world: RuleWorld, depth = 0): Trials {
  const parsed = ruleSchema.safeParse(withoutMode(value));
  return parsed.success && depth < DEPTH_MAX ? keysOf(parsed.data, world, depth) : ANYTHING;
}

/** Hours of the day that the rule, or one in it, names. */
export function windowsOf(value: unknown): readonly TimeWindow[] {
  const parsed = ruleSchema.safeParse(withoutMode(value));
  const within = ({ time = [], any = [], all = [], not }: AuthorizeRule, depth: number): readonly TimeWindow[] => {
    if (depth >= DEPTH_MAX) return [];
    const inner = [...any, ...all, ...(not === undefined ? [] : [not])];
    return [...time, ...inner.flatMap((one) => within(one, depth + 1))];
  };
  return parsed.success ? within(parsed.data, 0) : [];
}

function withoutMode(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { mode: _mode, ...rest } = Object.assign({ mode: undefined }, value);
  return rest;
}

function keysOf(rule: AuthorizeRule, world: RuleWorld, depth: number): Trials {
  const inner = (one: AuthorizeRule): Trials => keysOf(one, world, depth + 1);
  const { scopes = [], groups = [], roles, claims = {}, callers, networks, methods, match = {}, when } = rule;
  return allTrials([
    meeting(...scopes.map((value): Atom => ({ at: "scope", value }))),
    meeting(...groups.map((value): Atom => ({ at: "claim", path: ["groups"], value, isMember: true }))),
    rolesTrials(roles, world, depth),
    ...Object.entries(claims).map(([path, values]) => eachOf(values, (value) => claimAtoms(path, value))),
    eachOf(callers, (value) => [{ at: "caller", value }]),
    eachOf(rule.time, (window) => [{ at: "time", atMs: momentIn(window, world.nowMs) }]),
    eachOf(rule.spiffeId, (value) => [{ at: "certificate", name: "spiffeId", value: withoutStars(value) }]),
    eachOf(rule.dnsNames, (value) => [{ at: "certificate", name: "dnsNames", value: value.replace(/^\*/, "x") }]),
    eachOf(rule.subjects, (value) => [{ at: "certificate", name: "subject", value }]),
    eachOf(networks?.flatMap(edgesOf), (value) => [{ at: "client", value }]),
    eachOf(methods, (value) => [{ at: "method", value }]),
    ...Object.entries(match).map(([a, b]) => matchTrials(a, b, world)),
    when === undefined ? ANYTHING : conditionTrials(when, world),
    ...(rule.all ?? []).map(inner),
    rule.any === undefined ? ANYTHING : anyTrials(rule.any.map(inner)),
    rule.not === undefined ? ANYTHING : neither(inner(rule.not)),
  ]);
}

/** A list of which one will do. */
function eachOf<T>(values: readonly T[] | undefined, atoms: (value: T) => Conjunct): Trials {
  return values === undefined ? ANYTHING : { meets: values.map(atoms), breaks: [] };
}

function claimAtoms(path: string, value: unknown, isMember = false): Conjunct {
  const parsed = parseClaimPath(path);
  return parsed.ok ? [{ at: "claim", path: parsed.value, value, isMember }] : [];
}

function rolesTrials(roles: AuthorizeRule["roles"], world: RuleWorld, depth: number): Trials {
  if (roles === undefined) return ANYTHING;
  const { claim, has } = roles;
  return allTrials(
    has.map((name) => {
      if (claim !== null) return meeting(...claimAtoms(claim, name, true));
      const defined = world.role(name);
      if (defined !== undefined) return ruleTrials(defined, world, depth + 1);
      return meeting({ at: "claim", path: ["roles"], value: name, isMember: true });
    }),
  );
}

function matchTrials(a: string, b: string, world: RuleWorld): Trials {
  return alikeTrials(
    [a, b].map((text) => text.replace(/\["([^"]*)"\]/g, ".$1").split(".")),
    world,
  );
}
