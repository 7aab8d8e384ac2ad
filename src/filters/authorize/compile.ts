import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import { hasKey } from "../../support/has-key.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { compileCallerKeys } from "./compile-caller.ts";
import { compileRequestKeys } from "./compile-request.ts";
import { allOf, anyOf, explainRule, labelOf, noneOf, type Path, type Rule } from "./evaluate.ts";
import { type AuthorizeRule, type AuthorizeSettings, authorizeSchema } from "./schema.ts";
import { language } from "./when.ts";

/** `authorize`: whether the caller may do this. */
export const authorizeFilter = defineFilter<AuthorizeSettings>({
  name: "authorize",
  defaults: "add",
  schema: authorizeSchema,
  section: "roles",
  prepare: (settings) => (settings === undefined || hasKey(settings, "when") ? language.prepare() : undefined),
  compile(settings, context) {
    const rules = compileKeys(settings, [], context);
    if (rules === null) return;
    context.wantScopes(settings.scopes ?? []);
    for (const phase of ["authorize", "validate"] as const) {
      const ofPhase = rules.filter((rule) => rule.phase === phase);
      if (ofPhase.length > 0) addCheck(allOf(ofPhase, ""), phase, settings, context);
    }
  },
});

/** What looks into the body waits for it, and the rest is judged before a byte of it is read. */
function addCheck(rule: Rule, phase: Rule["phase"], { mode }: AuthorizeSettings, context: RouteContext): void {
  context.addCheck({
    name: "authorize",
    phase,
    late: phase === "validate",
    place: context.place(),
    enforcePercent: mode ?? 100,
    tiesObject: rule.tiesObject === true,
    evaluate: (exchange) => rule.judge(exchange),
    explain: (exchange) => `${callerText(exchange)}; ${explainRule(rule, exchange).join("; ")}`,
  });
}

/** Null where a problem was reported; a rule that did not compile must not become one that lets all pass. */
export function compileRule(rule: AuthorizeRule, path: Path, context: RouteContext): Rule | null {
  const rules = compileKeys(rule, path, context);
  return rules === null ? null : allOf(rules, labelOf(path));
}

/** The same as its keys, each of which has to hold. */
function compileKeys(rule: AuthorizeRule, path: Path, context: RouteContext): readonly Rule[] | null {
  if (path.filter((key) => typeof key === "string").length > DEFAULTS.authorizeDepthMax) {
    context.problem(`rules are nested too deeply; expected at most ${DEFAULTS.authorizeDepthMax} levels`, ...path);
    return null;
  }
  const rules = [
    ...compileCallerKeys(rule, path, context, compileRule),
    ...compileRequestKeys(rule, path, context),
    ...compileGroup(rule.all, "all", path, context),
    ...compileGroup(rule.any, "any", path, context),
    ...compileNot(rule.not, [...path, "not"], context),
  ];
  if (rules.length === 0) {
    context.problem("the rule asks for nothing; expected scopes, roles, claims, match or another key", ...path);
    return null;
  }
  const sound = rules.filter((one) => one !== null);
  return sound.length === rules.length ? sound : null;
}

function compileGroup(
  rules: readonly AuthorizeRule[] | undefined,
  key: "any" | "all",
  path: Path,
  context: RouteContext,
): (Rule | null)[] {
  if (rules === undefined) return [];
  const compiled = rules.map((rule, at) => compileRule(rule, [...path, key, at], context));
  const sound = compiled.filter((rule) => rule !== null);
  if (sound.length === 0 || sound.length !== compiled.length) return [null];
  const label = labelOf([...path, key]);
  return [key === "all" ? allOf(sound, label) : anyOf(sound, label, context.place(...path, key))];
}

function compileNot(rule: AuthorizeRule | undefined, path: Path, context: RouteContext): (Rule | null)[] {
  if (rule === undefined) return [];
  const compiled = compileRule(rule, path, context);
  return [compiled === null ? null : noneOf(compiled, labelOf(path), context.place(...path))];
}

function callerText({ principal, certificate }: Exchange): string {
  const spiffeId = certificate?.untrusted === null ? certificate.spiffeId : null;
  const machine = spiffeId === null ? "" : `; certificate ${excerpt(spiffeId, 128)}`;
  if (principal === null) return `no authenticated caller${machine}`;
  const scopes = excerpt([...principal.scopes].join(" ") || "(none)", 200);
  return `caller ${excerpt(principal.key, 128)}; scopes ${scopes}${machine}`;
}
