import { placeText } from "../records/step.ts";
import type { Steps } from "../support/turns.ts";
import type { InventoryBook } from "./book.ts";
import { type DeclaredRoute, documentPlaceOf, shapeText } from "./declared.ts";
import type { Entry, Status } from "./entry.ts";
import { type Finding, findingsOf, type Surroundings } from "./findings.ts";
import { isSafe, type OperationUse } from "./operation-use.ts";
import { keyOfRoute, type RouteUse, UNMATCHED } from "./route-use.ts";
import { templateOf } from "./segment-kind.ts";

/** An entry with what there is to say of it. */
export interface JudgedEntry extends Entry {
  readonly findings: readonly Finding[];
}

/** Everything that is declared or was seen, in the order of paths. */
export function* entrySteps(book: InventoryBook, declared: readonly DeclaredRoute[]): Steps<readonly JudgedEntry[]> {
  book.learn();
  const entries: Entry[] = [];
  const groups = Map.groupBy(declared, ({ id }) => keyOfRoute(id));
  for (const routes of groups.values()) {
    const [first] = routes;
    const use = first === undefined ? null : book.find(first.id);
    if (use !== null && use.prefix !== null) entries.push(...learntEntries(routes, use, use.prefix));
    else if (use === null && first?.id.template.endsWith("/**") === true) entries.push(...deadRests(routes));
    else entries.push(...placedEntries(routes, use));
    yield;
  }
  for (const { route, steps, use } of book.probed.all()) {
    if (route.template !== UNMATCHED.template && !groups.has(keyOfRoute(route))) continue;
    const prefix = route.template === UNMATCHED.template ? "" : route.template.replace(/\/\*\*$/, "");
    entries.push(entryOf("probed", use.method, templateOf(prefix, steps), route, null, use));
    yield;
  }
  const surroundings = surroundingsOf(entries);
  const judged: JudgedEntry[] = [];
  for (const entry of entries) {
    judged.push({ ...entry, findings: findingsOf(entry, surroundings) });
    yield;
  }
  return judged.toSorted((a, b) => compare(a.path, b.path) || compare(a.method, b.method));
}

/** Routes with one place: their methods are theirs. */
function* placedEntries(routes: readonly DeclaredRoute[], use: RouteUse | null): Generator<Entry> {
  const left = new Set(use?.operations.values());
  for (const route of routes.filter(({ isUndeclared }) => !isUndeclared)) {
    for (const method of methodsOf(route, use)) {
      const operation = use?.operations.get(method) ?? null;
      if (operation !== null) left.delete(operation);
      yield declaredEntry(route, method, operation);
    }
  }
  const [{ id } = UNKNOWN] = routes;
  for (const operation of left) {
    // Who may call from a page is asked by browsers, and answered by postern.
    if (operation.method === "OPTIONS" && operation.counts.confirmed === 0) continue;
    const status = operation.counts.confirmed > 0 ? "undeclared" : "probed";
    yield entryOf(status, operation.method, id.template, id, null, operation);
  }
}

const UNKNOWN = { id: UNMATCHED } as const;

/** GET lets HEAD pass, too; of a route without methods those count that were asked for. */
function methodsOf({ methods }: DeclaredRoute, use: RouteUse | null): readonly string[] {
  const seen = [...(use?.operations.keys() ?? [])];
  if (methods.length === 0) return seen.length === 0 ? ["*"] : seen;
  return methods.includes("GET") && seen.includes("HEAD") ? [...new Set([...methods, "HEAD"])] : methods;
}

function declaredEntry(route: DeclaredRoute, method: string, use: OperationUse | null): Entry {
  const isUsed = use !== null && (use.counts.confirmed > 0 || (route.isAnswered && use.counts.answered > 0));
  return entryOf(isUsed ? "used" : "dead", method, route.id.template, route.id, route, use);
}

/** What was learnt below a route with `**`: the route lets it through, and nothing names it. */
function* learntEntries(routes: readonly DeclaredRoute[], route: RouteUse, prefix: string): Generator<Entry> {
  let isUsed = false;
  for (const [steps, use] of route.tree.all()) {
    isUsed = true;
    const path = templateOf(prefix, steps);
    const isDeprecated = routes.some((one) => one.isDeprecated);
    yield { ...entryOf("undeclared", use.method, path, route.id, null, use), isDeprecated };
  }
  if (!isUsed) yield* deadRests(routes);
}

function* deadRests(routes: readonly DeclaredRoute[]): Generator<Entry> {
  for (const route of routes.filter(({ isUndeclared, isAnswered }) => !isUndeclared && !isAnswered)) {
    yield entryOf("dead", route.methods.join(",") || "*", route.id.template, route.id, route, null);
  }
}

function entryOf(
  status: Status,
  method: string,
  path: string,
  { template, hosts, versions }: DeclaredRoute["id"],
  declared: DeclaredRoute | null,
  use: OperationUse | null,
): Entry {
  return {
    status,
    method,
    path,
    shape: shapeText(path),
    route: template,
    hosts,
    versions,
    declared: declared === null ? null : placeText(declared.place),
    document: declared === null ? null : documentPlaceOf(declared),
    isDeprecated: declared?.isDeprecated ?? false,
    use,
  };
}

function surroundingsOf(entries: readonly Entry[]): Surroundings {
  const declared = entries.filter(({ declared }) => declared !== null);
  const changed = new Set(declared.filter(({ method }) => method === "*" || !isSafe(method)).map(({ shape }) => shape));
  const readOnly = new Set(declared.map(({ shape }) => shape).filter((shape) => !changed.has(shape)));
  const answered = new Set(entries.filter(({ use }) => (use?.counts.confirmed ?? 0) > 0).map(({ shape }) => shape));
  const spellings = Map.groupBy(answered, (shape) => shape.toLowerCase().replace(/(.)\/$/, "$1"));
  const spelled = new Set([...spellings.values()].filter((shapes) => shapes.length > 1).flat());
  return { readOnly, spelled };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
