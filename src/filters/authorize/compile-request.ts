import { type Attribute, type AttributeName, attribute, attributeName } from "../../attributes/attribute.ts";
import type { AttributeScope } from "../../attributes/types.ts";
import type { Place } from "../../decision/verdict.ts";
import { buildCidrTable } from "../../matching/cidr-table.ts";
import { paramNames, parseTemplate } from "../../matching/template.ts";
import type { RouteContext } from "../filter.ts";
import { requireDnsName, requireSpiffeId, requireSubject } from "./certificate.ts";
import { labelOf, type Path, type Rule } from "./evaluate.ts";
import { requireMatch } from "./match.ts";
import { requireMethod, requireNetwork, requireTime } from "./request.ts";
import type { AuthorizeRule } from "./schema.ts";

/** What a rule asks of connection, request and moment, and which attributes it compares. */
export function compileRequestKeys(rule: AuthorizeRule, path: Path, context: RouteContext): (Rule | null)[] {
  const rules: (Rule | null)[] = [];
  const { clock } = context;
  const at = (key: string): [label: string, place: Place] => [labelOf([...path, key]), context.place(...path, key)];
  const given = (key: string) => ({ label: labelOf([...path, key]), place: context.place(...path, key), clock });
  const { spiffeId, dnsNames, subjects, networks, methods, time, match } = rule;
  if (spiffeId !== undefined) rules.push(requireSpiffeId(spiffeId, given("spiffeId")));
  if (dnsNames !== undefined) rules.push(requireDnsName(dnsNames, given("dnsNames")));
  if (subjects !== undefined) rules.push(requireSubject(subjects, given("subjects")));
  if (networks !== undefined) rules.push(compileNetworks(networks, [...path, "networks"], context));
  if (methods !== undefined) {
    checkMethods(methods, [...path, "methods"], context);
    rules.push(requireMethod(methods, ...at("methods")));
  }
  if (time !== undefined) rules.push(requireTime(time, clock, ...at("time")));
  if (match !== undefined) rules.push(...compileMatch(match, [...path, "match"], context));
  return rules;
}

function compileNetworks(prefixes: readonly string[], path: Path, context: RouteContext): Rule | null {
  const table = buildCidrTable(prefixes);
  if (table.ok) return requireNetwork(table.value, prefixes, labelOf(path), context.place(...path));
  for (const { text } of table.error) context.problem(text, ...path);
  return null;
}

/** HEAD comes where GET does. */
function checkMethods(methods: readonly string[], path: Path, context: RouteContext): void {
  if (context.methods.length === 0) return;
  for (const [at, method] of methods.entries()) {
    if (context.methods.includes(method) || (method === "HEAD" && context.methods.includes("GET"))) continue;
    context.problem(`the route does not take ${method}, so that this can never be met by it`, ...path, at);
  }
}

function compileMatch(pairs: Readonly<Record<string, string>>, path: Path, context: RouteContext): (Rule | null)[] {
  return Object.entries(pairs).map(([left, right]) => {
    const at = [...path, left];
    const sides = [left, right].map((text) => compileAttribute(text, at, context));
    const [a, b] = sides;
    if (a === null || b === null || a === undefined || b === undefined) return null;
    const fault = faultOf(a, b);
    if (fault !== null) context.problem(fault, ...at);
    return fault === null ? requireMatch(a, b, labelOf(at), context.place(...at)) : null;
  });
}

/** A comparison that can never hold, or never fail. */
function faultOf(a: Attribute, b: Attribute): string | null {
  if (a.text === b.text) return `'${a.text}' is compared with itself, which always holds`;
  if (a.type === "texts" && b.type === "texts") return "two lists are never equal; expected a single value on one side";
  if (a.type === "time" || b.type === "time") return "a moment is never equal to another value; expected 'time'";
  return null;
}

/** Null where a problem was reported. In phase `validate` if it is of the body, else in phase `authorize`. */
function compileAttribute(text: string, path: Path, context: RouteContext): Attribute | null {
  const name = attributeName(text);
  if (!name.ok) {
    context.problem(name.error, ...path);
    return null;
  }
  if (context.isPublic && name.value.row.from === "authorize") {
    context.problem(`a public route has no caller, so that '${text}' is never there; expected 'authenticate'`, ...path);
    return null;
  }
  const bound = attribute(text, scopeFor(name.value, context));
  if (bound.ok) {
    if (bound.value.row.name === "body") context.wantBody(...path);
    return bound.value;
  }
  context.problem(`${bound.error} (${context.template})`, ...path);
  return null;
}

/** In `defaults` no route is known yet; with each one they compile again. */
function scopeFor({ row, rest }: AttributeName, { template, clock }: RouteContext): AttributeScope {
  const parsed = parseTemplate(template);
  const parameters = parsed.ok ? paramNames(parsed.value) : rest;
  return { phase: row.from === "validate" ? "validate" : "authorize", parameters, route: template, clock };
}
