import { buildCidrTable } from "../../matching/cidr-table.ts";
import { parseAddress } from "../../message/address.ts";
import type { Steps } from "../../support/turns.ts";
import { DEFAULTS_KEY } from "../compile-defaults.ts";
import type { Path } from "../path.ts";
import type { Work } from "../work.ts";
import { type LintedRoute, lintedRoutes } from "./routes.ts";
import { type PlacedRule, rulesWithin } from "./rules.ts";

/** Rules of which one line takes back what another says. */
export function* lintContradictions(work: Work): Steps<void> {
  lintAddresses(work, [DEFAULTS_KEY, "address"]);
  for (const linted of lintedRoutes(work)) {
    yield;
    const { path } = linted;
    lintAddresses(work, [...path, "address"]);
    for (const part of ["request", "response"]) lintHeaders(work, [...path, part]);
    for (const rule of rulesWithin(work, [...path, "authorize"])) lintRule(work, linted, rule);
  }
  for (const part of ["request", "response"]) lintHeaders(work, [DEFAULTS_KEY, part]);
}

/** An entry of `allow` that lies within one of `deny`, which wins. */
function lintAddresses(work: Work, path: Path): void {
  const allow = textsAt(work, [...path, "allow"]);
  const deny = textsAt(work, [...path, "deny"]);
  if (work.reader.raw([...path, "except"]) !== undefined || work.reader.raw([...path, "exceptFile"]) !== undefined)
    return;
  for (const [at, prefix] of allow.entries()) {
    const outer = deny.find((one) => isWithin(prefix, one));
    if (outer === undefined) continue;
    const text = `'${outer}' in 'deny' wins, so '${prefix}' is never let in`;
    work.warnings.add("rule_contradicted", work.reader.document.place([...path, "allow", at]), text);
  }
}

function isWithin(inner: string, outer: string): boolean {
  const [base = "", length] = inner.split("/");
  const address = parseAddress(base);
  const table = buildCidrTable([outer]);
  if (address === null || !table.ok) return false;
  const bits = (text: string | undefined): number => (text === undefined ? 128 : Number(text));
  return table.value.has(address) && bits(outer.split("/")[1]) <= bits(length);
}

function lintHeaders(work: Work, path: Path): void {
  const removed = new Set(textsAt(work, [...path, "removeHeaders"]).map((name) => name.toLowerCase()));
  const set = work.reader.raw([...path, "setHeaders"]);
  if (typeof set !== "object" || set === null) return;
  for (const name of Object.keys(set)) {
    if (!removed.has(name.toLowerCase())) continue;
    const text = `'${name}' stands in 'removeHeaders' as well; what is set replaces what comes, so that is of no use`;
    work.warnings.add("rule_contradicted", work.reader.document.place([...path, "setHeaders", name]), text);
  }
}

function lintRule(work: Work, { authenticators }: LintedRoute, { path, rule, isDenied }: PlacedRule): void {
  const tell = (key: string, text: string): void =>
    work.warnings.add("rule_contradicted", work.reader.document.place([...path, key]), text);
  if (isDenied || path[0] !== "routes") return;
  const named = listOf(rule["authenticators"]);
  const known = new Set(authenticators.map(({ name }) => name));
  // One that is not there, as where its file is elsewhere, may be the route's.
  const areThere = named.length > 0 && named.every((name) => work.authenticators.get(name) !== undefined);
  if (areThere && known.size > 0 && !named.some((name) => known.has(name)))
    tell("authenticators", "the route asks none of these who its caller is, so this is never met");
  const together = [...conjuncts(path, rule)];
  for (const { at, not } of together) {
    if (typeof not !== "object" || not === null || Object.keys(not).length !== 1) continue;
    const [key = "", value] = Object.entries(not)[0] ?? [];
    if (!together.some(({ wanted }) => isTaken(key, listOf(wanted[key]), listOf(value)))) continue;
    const text = `'${key}' beside it asks for what this denies, so nobody ever meets the rule`;
    work.warnings.add("rule_contradicted", work.reader.document.place([...at, "not"]), text);
  }
}

interface Conjunct {
  readonly at: Path;
  readonly wanted: Readonly<Record<string, unknown>>;
  readonly not: unknown;
}

/** What has to hold together: the rule, and what stands in its `all`. */
function* conjuncts(at: Path, rule: Readonly<Record<string, unknown>>): Generator<Conjunct> {
  yield { at, wanted: rule, not: rule["not"] };
  const all: readonly unknown[] = Array.isArray(rule["all"]) ? rule["all"] : [];
  for (const [nth, inner] of all.entries())
    if (typeof inner === "object" && inner !== null) yield* conjuncts([...at, "all", nth], { ...inner });
}

/** All scopes are wanted; of the others any one is enough. */
function isTaken(key: string, wanted: readonly string[], denied: readonly string[]): boolean {
  if (denied.length === 0 || wanted.length === 0) return false;
  if (key === "scopes") return denied.every((one) => wanted.includes(one));
  return LISTS.has(key) && wanted.every((one) => denied.includes(one));
}

const LISTS: ReadonlySet<string> = new Set(["groups", "roles", "callers", "methods", "authenticators"]);

function textsAt(work: Work, path: Path): readonly string[] {
  return listOf(work.reader.raw(path));
}

function listOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === "string");
}
