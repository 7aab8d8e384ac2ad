import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { parseClaimPath } from "./claim-path.ts";
import {
  type Requirement,
  requireAll,
  requireAny,
  requireClaim,
  requireRoles,
  requireScopes,
  requireSpiffeId,
} from "./evaluate.ts";
import { type AuthorizeRule, type AuthorizeSettings, authorizeSchema, type RoleRule } from "./schema.ts";

type Path = readonly (string | number)[];

/** `authorize`: whether the caller may do this, by scopes, roles, claims and SPIFFE ID. */
export const authorizeFilter = defineFilter<AuthorizeSettings>({
  name: "authorize",
  defaults: "add",
  schema: authorizeSchema,
  compile(settings, context) {
    const evaluate = compileRule(settings, [], context);
    if (evaluate === null) return;
    context.addCheck({
      name: "authorize",
      phase: "authorize",
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      evaluate,
      explain: explainCaller,
    });
  },
});

/** Null where a problem was reported; a rule that did not compile must not become one that lets all pass. */
function compileRule(rule: AuthorizeRule, path: Path, context: RouteContext): Requirement | null {
  if (path.length > 2 * DEFAULTS.authorizeDepthMax) {
    context.problem(`rules are nested too deeply; expected at most ${DEFAULTS.authorizeDepthMax} levels`, ...path);
    return null;
  }
  const requirements = [
    ...compileKeys(rule, path, context),
    ...compileGroup(rule.all, "all", path, context),
    ...compileGroup(rule.any, "any", path, context),
  ];
  if (requirements.length === 0) {
    context.problem("the rule asks for nothing; expected scopes, roles, claims, spiffeId, any or all", ...path);
    return null;
  }
  const compiled = requirements.filter((requirement) => requirement !== null);
  return compiled.length === requirements.length ? requireAll(compiled) : null;
}

function compileKeys(rule: AuthorizeRule, path: Path, context: RouteContext): (Requirement | null)[] {
  const requirements: (Requirement | null)[] = [];
  if (context.isPublic) {
    for (const key of ["scopes", "roles", "claims"] as const) {
      if (rule[key] === undefined) continue;
      context.problem(
        `a public route has no caller, so '${key}' can never hold; expected 'authenticate'`,
        ...path,
        key,
      );
    }
  }
  if (rule.scopes !== undefined) requirements.push(requireScopes(rule.scopes, context.place(...path, "scopes")));
  if (rule.roles !== undefined) requirements.push(compileRoles(rule.roles, [...path, "roles"], context));
  if (rule.claims !== undefined) requirements.push(...compileClaims(rule.claims, [...path, "claims"], context));
  if (rule.spiffeId !== undefined) {
    const prefixes = rule.spiffeId.filter((id) => id.endsWith("/**")).map((id) => id.slice(0, -"/**".length));
    const ids = rule.spiffeId.filter((id) => !id.endsWith("/**"));
    requirements.push(requireSpiffeId(ids, prefixes, context.place(...path, "spiffeId"), context.clock));
  }
  return requirements;
}

function compileRoles(rule: RoleRule, path: Path, context: RouteContext): Requirement | null {
  const place = context.place(...path);
  if (rule.claim === null) return requireRoles([["roles"], ["groups"]], "roles or groups", rule.has, place);
  const parsed = parseClaimPath(rule.claim);
  if (parsed.ok) warnOfUnquoted(rule.claim, [...path, "claim"], context);
  if (parsed.ok) return requireRoles([parsed.value], rule.claim, rule.has, place);
  context.problem(parsed.error, ...path, "claim");
  return null;
}

function compileClaims(
  claims: NonNullable<AuthorizeRule["claims"]>,
  path: Path,
  context: RouteContext,
): (Requirement | null)[] {
  if (Object.keys(claims).length === 0) {
    context.problem("no claims are named; expected at least one", ...path);
    return [null];
  }
  return Object.entries(claims).map(([name, allowed]) => {
    const parsed = parseClaimPath(name);
    if (parsed.ok) warnOfUnquoted(name, [...path, name], context);
    if (parsed.ok) return requireClaim(parsed.value, allowed, context.place(...path, name));
    context.problem(parsed.error, ...path, name);
    return null;
  });
}

/** `https://example.org/tenant` is the member `org/tenant` of a claim `https://example` to a path. */
function warnOfUnquoted(name: string, path: Path, context: RouteContext): void {
  if (name.includes('"') || !(name.includes("/") && name.includes("."))) return;
  const parts = name.split(".").map((part) => `'${part}'`);
  context.warning(`read as ${parts.join(" in ")}; a name that has dots itself stands in quotes: '"${name}"'`, ...path);
}

function compileGroup(
  rules: readonly AuthorizeRule[] | undefined,
  key: "any" | "all",
  path: Path,
  context: RouteContext,
): (Requirement | null)[] {
  if (rules === undefined) return [];
  const compiled = rules.map((rule, at) => compileRule(rule, [...path, key, at], context));
  const sound = compiled.filter((requirement) => requirement !== null);
  if (sound.length === 0 || sound.length !== compiled.length) return [null];
  return [key === "all" ? requireAll(sound) : requireAny(sound, context.place(...path, key))];
}

function explainCaller({ principal, connection }: Exchange): string {
  const spiffeId = connection.certificate?.untrusted === null ? connection.certificate.spiffeId : null;
  const certificate = spiffeId === null ? "" : `; certificate ${excerpt(spiffeId, 128)}`;
  if (principal === null) return `no authenticated caller${certificate}`;
  const scopes = excerpt([...principal.scopes].join(" ") || "(none)", 200);
  return `caller ${excerpt(principal.key, 128)}; scopes ${scopes}${certificate}`;
}
