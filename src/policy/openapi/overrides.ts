import { parseTemplate, shapeOf } from "../../matching/template.ts";
import { USUAL_METHODS } from "../../message/method.ts";
import { nearestHint } from "../../support/schema.ts";
import type { Path } from "../path.ts";
import type { Work } from "../work.ts";
import type { RouteSource } from "./composed.ts";
import { type OperationEntry, routeKey } from "./entries.ts";
import { isMapping, overlayKeys, RouteEntry } from "./entry.ts";

/** What an operation is called in `operations`, besides its id: `GET /orders/{id}`, as the document has it. */
export function methodAndPath({ operation }: Pick<OperationEntry, "operation">): string {
  return `${operation.method} ${operation.template}`;
}

/** Keys that say which requests a route takes: the document's alone. */
export const OWN_KEYS: readonly string[] = ["path", "methods"];

/** Lays the keys of `operations` over the entries that they name. */
export function overrideOperations(work: Work, section: Path, entries: readonly OperationEntry[]): void {
  const written = work.reader.raw([...section, "operations"]);
  if (!isMapping(written)) return;
  const known = namesOf(entries);
  for (const [name, keys] of Object.entries(written)) {
    const path = [...section, "operations", name];
    const meant = known.get(name);
    if (meant === undefined) {
      work.reader.keyProblem(`the document has no operation '${name}'; ${nearestHint(name, [...known.keys()])}`, path);
      continue;
    }
    if (!isMapping(keys)) continue;
    for (const key of OWN_KEYS) {
      if (Object.hasOwn(keys, key)) work.reader.keyProblem(`'${key}' is what the document says`, [...path, key]);
    }
    const own = Object.fromEntries(Object.entries(keys).filter(([key]) => !OWN_KEYS.includes(key)));
    const { document } = work.reader;
    for (const { entry } of meant) overlayKeys(entry, own, (rest) => document.place([...path, ...rest]));
  }
}

/** By id, and by method and path; an operation at several base paths is all of its entries. */
export function namesOf(entries: readonly OperationEntry[]): ReadonlyMap<string, readonly OperationEntry[]> {
  const known = new Map<string, OperationEntry[]>();
  const add = (name: string, entry: OperationEntry): void => {
    const others = known.get(name);
    if (others === undefined) known.set(name, [entry]);
    else others.push(entry);
  };
  for (const entry of entries) {
    add(methodAndPath(entry), entry);
    if (entry.operation.id !== null) add(entry.operation.id, entry);
  }
  return known;
}

/** A route that stands elsewhere: host and path shape with its method tell it from others. */
type Joined = Pick<OperationEntry, "entry" | "template" | "key">;

/**
 * The policy's routes and those of descriptions as one list. A route of the policy with the path and method of an operation is
 * laid over it, so that it adds or stands in place; what it takes besides stays a route of its own.
 */
export function joinRoutes(work: Work, entries: readonly Joined[]): readonly RouteSource[] {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const routes: RouteSource[] = [];
  const count = work.reader.listLength(["routes"]);
  for (let at = 0; at < count; at++) {
    const left = overrideByRoute(work, at, byKey);
    if (left === null) routes.push(at);
    else if (left.length > 0) routes.push(withMethods(work, at, left));
  }
  return [...routes, ...entries.map(({ entry }) => entry)];
}

/** Methods that the route has left for itself; null where it is no operation's. */
function overrideByRoute(work: Work, at: number, byKey: ReadonlyMap<string, Joined>): readonly string[] | null {
  const path: Path = ["routes", at];
  const route = work.reader.raw(path);
  if (!isMapping(route) || typeof route["path"] !== "string" || route["hosts"] !== undefined) return null;
  const template = parseTemplate(route["path"]);
  if (!template.ok) return null;
  const shape = shapeOf(template.value);
  const written: unknown = route["methods"];
  const methods: readonly unknown[] = Array.isArray(written) ? written : USUAL_METHODS;
  const taken = methods.filter((method) => byKey.has(routeKey(shape, String(method), route["version"])));
  if (taken.length === 0) return null;
  const own = Object.fromEntries(Object.entries(route).filter(([key]) => !OWN_KEYS.includes(key)));
  const { document } = work.reader;
  for (const method of taken) {
    const operation = byKey.get(routeKey(shape, String(method), route["version"]));
    if (operation === undefined) continue;
    const { entry } = operation;
    // Parameters are called as the route calls them, and those of the document by their place.
    renameParameters(entry, operation.template, route["path"]);
    overlayKeys(entry, own, (rest) => document.place([...path, ...rest]));
  }
  // HEAD is GET's where no route names it; with the other methods it would be asked for less.
  const gone = taken.includes("GET") && !Array.isArray(written) ? [...taken, "HEAD"] : taken;
  return methods.filter((method): method is string => typeof method === "string" && !gone.includes(method));
}

function renameParameters(entry: RouteEntry, from: string, to: string): void {
  if (from === to) return;
  const names = (template: string): readonly string[] =>
    [...template.matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name);
  const validate = entry.value["validate"];
  const path = isMapping(validate) ? validate["path"] : undefined;
  const place = entry.place(["path"]);
  entry.set(["path"], to, () => place);
  if (!isMapping(path)) return;
  const settings = { ...path };
  const places = Object.fromEntries(Object.keys(path).map((name) => [name, entry.place(["validate", "path", name])]));
  for (const name of Object.keys(path)) Reflect.deleteProperty(path, name);
  for (const [at, name] of names(from).entries()) {
    const other = names(to)[at];
    const known = places[name];
    if (other !== undefined && known !== undefined && settings[name] !== undefined)
      entry.set(["validate", "path", other], settings[name], () => known);
  }
}

function withMethods(work: Work, at: number, methods: readonly string[]): RouteEntry {
  const path: Path = ["routes", at];
  const { document } = work.reader;
  const entry = new RouteEntry(document.place(path));
  const route = work.reader.raw(path);
  for (const [key, value] of Object.entries(isMapping(route) ? route : {})) {
    entry.set([key], value, (rest) => document.place([...path, key, ...rest]));
  }
  entry.set(["methods"], methods, () => document.place([...path, "methods"]));
  return entry;
}
