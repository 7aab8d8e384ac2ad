import { type Attribute, attributeName } from "../../attributes/attribute.ts";
import type { Place } from "../../decision/verdict.ts";
import { buildCidrTable } from "../../matching/cidr-table.ts";
import type { RouteContext } from "../filter.ts";
import { bindFor, noteUse } from "./bind.ts";
import { requireDnsName, requireSpiffeId, requireSubject } from "./certificate.ts";
import { labelOf, type Path, type Rule } from "./evaluate.ts";
import { requireMatch } from "./match.ts";
import { requireMethod, requireNetwork, requireTime } from "./request.ts";
import type { AuthorizeRule } from "./schema.ts";
import { compileWhen } from "./when.ts";

/** What a rule asks of connection, request and moment, and which attributes it compares. */
export function compileRequestKeys(rule: AuthorizeRule, path: Path, context: RouteContext): (Rule | null)[] {
  const rules: (Rule | null)[] = [];
  const { clock } = context;
  const at = (key: string): [label: string, place: Place] => [labelOf([...path, key]), context.place(...path, key)];
  const given = (key: string) => ({ label: labelOf([...path, key]), place: context.place(...path, key), clock });
  const { spiffeId, dnsNames, subjects, networks, methods, time, match, when } = rule;
  if (spiffeId !== undefined) rules.push(requireSpiffeId(spiffeId, given("spiffeId")));
  if (dnsNames !== undefined) rules.push(requireDnsName(dnsNames, given("dnsNames")));
  if (subjects !== undefined) rules.push(requireSubject(subjects, given("subjects")));
  if (networks !== undefined) rules.push(compileNetworks(networks, [...path, "networks"], context));
  if (methods !== undefined) {
    context.judgeMethod();
    checkMethods(methods, [...path, "methods"], context);
    rules.push(requireMethod(methods, ...at("methods")));
  }
  if (time !== undefined) rules.push(requireTime(time, clock, ...at("time")));
  if (match !== undefined) rules.push(...compileMatch(match, [...path, "match"], context));
  if (when !== undefined) rules.push(compileWhen(when, [...path, "when"], context));
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

/** Null where a problem was reported. */
function compileAttribute(text: string, path: Path, context: RouteContext): Attribute | null {
  const name = attributeName(text);
  const bound = name.ok ? bindFor(name.value, context) : name;
  if (!bound.ok) context.problem(bound.error, ...path);
  else noteUse(bound.value, path, context);
  return bound.ok ? bound.value : null;
}
