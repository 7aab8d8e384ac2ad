import { parseClaimPath } from "../../attributes/claim-path.ts";
import { CONTINUE, Denial, type Place } from "../../decision/verdict.ts";
import { nearest } from "../../support/schema.ts";
import type { RouteContext } from "../filter.ts";
import { requireClaim, requireGroups, requireName, requireRoles, requireRolesIn, requireScopes } from "./caller.ts";
import { allOf, labelOf, type Path, type Rule, Undecided } from "./evaluate.ts";
import type { AuthorizeRule, RoleRule } from "./schema.ts";

export type CompileRule = (rule: AuthorizeRule, path: Path, context: RouteContext) => Rule | null;

/** What a rule asks of the caller. Null stands for what did not compile. */
export function compileCallerKeys(
  rule: AuthorizeRule,
  path: Path,
  context: RouteContext,
  compileRule: CompileRule,
): (Rule | null)[] {
  const rules: (Rule | null)[] = [];
  if (context.isPublic) checkPublic(rule, path, context);
  const at = (key: string): [label: string, place: Place] => [labelOf([...path, key]), context.place(...path, key)];
  const { scopes, roles, groups, claims, callers, authenticators } = rule;
  if (scopes !== undefined) {
    if (!path.includes("not")) context.nameScopes(scopes);
    rules.push(requireScopes(scopes, ...at("scopes"), context.authenticators));
  }
  if (roles !== undefined) rules.push(compileRoles(roles, [...path, "roles"], context, compileRule));
  if (groups !== undefined) rules.push(requireGroups(groups, ...at("groups")));
  if (claims !== undefined) rules.push(...compileClaims(claims, [...path, "claims"], context));
  if (callers !== undefined) rules.push(requireName("id", callers, "caller_mismatch", ...at("callers")));
  if (authenticators !== undefined) {
    checkAuthenticators(authenticators, [...path, "authenticators"], context);
    rules.push(requireName("authenticator", authenticators, "authenticator_mismatch", ...at("authenticators")));
  }
  return rules;
}

const OF_CALLERS = ["scopes", "roles", "groups", "claims", "callers", "authenticators"] as const;

function checkPublic(rule: AuthorizeRule, path: Path, context: RouteContext): void {
  for (const key of OF_CALLERS) {
    if (rule[key] === undefined) continue;
    context.problem(`a public route has no caller, so '${key}' can never hold; expected 'authenticate'`, ...path, key);
  }
}

function checkAuthenticators(names: readonly string[], path: Path, context: RouteContext): void {
  for (const name of names) {
    if (context.authenticators.has(name) || context.isDefined("authenticators", name)) continue;
    context.problem(`authenticator '${name}' is not defined; ${context.hint("authenticators", name)}`, ...path);
  }
}

/** Names that the policy defines are its own rules, and no claim can stand for one; the others are what callers have. */
function compileRoles(rule: RoleRule, path: Path, context: RouteContext, compileRule: CompileRule): Rule | null {
  const [label, place] = [labelOf(path), context.place(...path)];
  if (rule.claim !== null) {
    const parsed = parseClaimPath(rule.claim);
    if (parsed.ok) warnOfUnquoted(rule.claim, [...path, "claim"], context);
    if (parsed.ok) return requireRolesIn(parsed.value, rule.has, label, place);
    context.problem(parsed.error, ...path, "claim");
    return null;
  }
  const rules: Rule[] = [];
  const plain: string[] = [];
  for (const [at, name] of rule.has.entries()) {
    const defined = context.role(name);
    if (defined !== null) {
      const compiled = compileRule(defined.rule, [], { ...defined.context, role: () => null, roleNames: [] });
      if (compiled === null) return null;
      rules.push(named(name, compiled, label, place));
    } else if (context.isDefined("roles", name)) return null;
    else {
      plain.push(name);
      checkPlain(name, [...path, at], context);
    }
  }
  if (plain.length > 0) rules.push(requireRoles(plain, label, place));
  return allOf(rules, label);
}

/** A denial by a named role says which one it was, and at the route. */
function named(name: string, rule: Rule, label: string, place: Place): Rule {
  const wanted = `role ${name} (${rule.wanted})`;
  return {
    ...rule,
    label: `${label} ${name}`,
    wanted,
    parts: [],
    judge: (exchange, quiet) => {
      const verdict = rule.judge(exchange, quiet);
      if (verdict === CONTINUE || quiet === true) return verdict;
      const Kind = verdict instanceof Undecided ? Undecided : Denial;
      return new Kind(
        "role_missing",
        place,
        `not in role ${name}: ${verdict.seen}`,
        wanted,
        verdict.headers,
        false,
        verdict.parts,
      );
    },
  };
}

/** Roles that only a claim can give. */
function checkPlain(name: string, path: Path, context: RouteContext): void {
  const known = [...context.authenticators.values()];
  if (context.hasAllAuthenticators && known.length > 0 && known.every(({ type }) => type === "client-certificate")) {
    const hint = context.roleNames.length === 0 ? "define it under 'roles'" : context.hint("roles", name);
    context.problem(
      `'roles' does not define '${name}', and no caller of this policy has roles of its own; ${hint}`,
      ...path,
    );
    return;
  }
  const near = nearest(name, context.roleNames);
  if (near === undefined) return;
  context.warning(
    "role_not_defined",
    `'roles' does not define '${name}', so that it is a role that callers bring; did you mean '${near}'?`,
    ...path,
  );
}

function compileClaims(
  claims: NonNullable<AuthorizeRule["claims"]>,
  path: Path,
  context: RouteContext,
): (Rule | null)[] {
  if (Object.keys(claims).length === 0) {
    context.problem("no claims are named; expected at least one", ...path);
    return [null];
  }
  return Object.entries(claims).map(([name, allowed]) => {
    const parsed = parseClaimPath(name);
    if (parsed.ok) warnOfUnquoted(name, [...path, name], context);
    if (parsed.ok) return requireClaim(parsed.value, allowed, labelOf([...path, name]), context.place(...path, name));
    context.problem(parsed.error, ...path, name);
    return null;
  });
}

/** `https://example.org/tenant` is the member `org/tenant` of a claim `https://example` to a path. */
function warnOfUnquoted(name: string, path: Path, context: RouteContext): void {
  if (name.includes('"') || !(name.includes("/") && name.includes("."))) return;
  const parts = name.split(".").map((part) => `'${part}'`);
  context.warning(
    "claim_name_split",
    `read as ${parts.join(" in ")}; a name that has dots itself stands in quotes: '"${name}"'`,
    ...path,
  );
}
