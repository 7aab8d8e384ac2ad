import { decodeSegment } from "../message/target.ts";
import { ANY_HOST, HostTable } from "./host-table.ts";
import { type MethodClaim, MethodTable, NO_VALUE } from "./method-table.ts";
import { NO_ROW, PathTrie } from "./path-trie.ts";
import { paramNames, parseTemplate, shapeOf, type Template } from "./template.ts";

export { parseTemplate } from "./template.ts";

/** What the tree needs of a route; see policy/snapshot.ts for the rest. */
export interface RoutePattern {
  readonly template: string;
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
}

const NOT_FOUND = { kind: "not_found" } as const;

/** Found, or why not: nothing at this path, or another method would be. */
export type RouteMatch<R> =
  | { readonly kind: "found"; readonly route: R; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: "method_not_allowed"; readonly allow: string /** One that owns the place. */; readonly route: R }
  | { readonly kind: "not_found" };

export interface RouteTree<R> {
  /** `host` in lower case without port, `method` as received, `path` canonical (message/target.ts). */
  match(host: string, method: string, path: string): RouteMatch<R>;
}

/**
 * Routes → look-up. The order of the routes is of no account; the most specific place wins, by these rules in turn:
 *
 * 1. Host: an exact name, then `*.suffix` from long to short, then any.
 * 2. Path, segment by segment from the left: static text, then `{param}`, then `**`.
 * 3. A path and the same path with a slash at its end are one place, unless each has a template: many services take
 *    them for the same, and what `/admin` asks for must not be walked round by `/admin/` through an open `/**`.
 *
 * The first host and path shape that match own the request, with all their methods: a method that none of their
 * routes takes is answered `method_not_allowed`, though a broader path or host might take it. So a strict
 * `GET /v1/orders` is never walked round by `POST /v1/orders` through an open `/**`, and a new broad route changes
 * nothing for paths that have their own. Among the routes of one place, one that names the method wins over one that
 * takes any; HEAD, where no route names it, is GET and has GET's route.
 *
 * Templates must have passed `parseTemplate`: one that does not parse throws, for leaving it out would open its paths
 * to broader routes. Two routes that claim the same method of the same place are found by `findShadowed`; here the
 * earlier one has it.
 */
export function buildRouteTree<R extends RoutePattern>(routes: readonly R[]): RouteTree<R> {
  const perHost = [...routesByHost(routes)].map(([host, ofHost]) => [host, compileHost(ofHost)] as const);
  const hosts = new HostTable(new Map(perHost));
  return { match: (host, method, path) => matchIn(hosts.get(host), method, path) };
}

/** Two routes that claim the same methods of one host and path shape: `route` can never match there. */
export interface Shadowed<R> {
  readonly route: R;
  /** The earlier route, which has what `route` claims. */
  readonly by: R;
  /** The host pattern where they meet; `*` is any. */
  readonly host: string;
  /** The methods both claim; empty where both take any. */
  readonly methods: readonly string[];
}

/** All claims that an earlier route makes void, in the order of the routes; templates as for `buildRouteTree`. */
export function findShadowed<R extends RoutePattern>(routes: readonly R[]): Shadowed<R>[] {
  const shadowed: Shadowed<R>[] = [];
  const earlier = new Map<string, R[]>();
  for (const route of routes) {
    const shape = shapeOf(templateOf(route));
    for (const host of hostsOf(route)) {
      const claims = earlier.get(`${host} ${shape}`) ?? [];
      for (const by of claims) {
        const methods = route.methods.filter((method) => by.methods.includes(method));
        const areBothAny = route.methods.length === 0 && by.methods.length === 0;
        if (areBothAny || methods.length > 0) shadowed.push({ route, by, host, methods });
      }
      earlier.set(`${host} ${shape}`, [...claims, route]);
    }
  }
  return shadowed;
}

/** The routes of one host pattern. */
interface HostRoutes<R> {
  readonly trie: PathTrie;
  /** Method → number of the route, by the trie's rows. */
  readonly methods: MethodTable;
  /** By number. Apart from the routes, so that a look-up touches no route: those lie scattered in memory. */
  readonly routes: readonly R[];
  readonly paramNames: readonly (readonly string[])[];
  /** By number: 1 where the template ends with `**`. */
  readonly isRest: Uint8Array;
  /** Whether a template ends with a slash; where none does, as mostly, no path needs a look for one. */
  readonly hasSlashEnds: boolean;
}

const SLASH = 0x2f;

function matchIn<R>(hosts: readonly HostRoutes<R>[], method: string, path: string): RouteMatch<R> {
  for (let at = 0; at < hosts.length; at++) {
    const host = hosts[at] as HostRoutes<R>;
    const { trie, methods, routes, paramNames, isRest } = host;
    const row = trie.find(path);
    const number = row === NO_ROW ? NO_VALUE : methods.get(trie.words, row, method);
    if (number === NO_VALUE || isRest[number] === 1) {
      const match = matchTwin(host, method, path, row);
      if (match !== null) return match;
      if (row === NO_ROW) continue;
      if (number === NO_VALUE) return refusedIn(host, row);
    }
    const names = paramNames[number] as readonly string[];
    const params = names.length === 0 ? NO_PARAMS : readParams(names, path, trie.bounds);
    return { kind: "found", route: routes[number] as R, params };
  }
  return NOT_FOUND;
}

/** Where the path's own place is a rest or none: the same path with or without its last slash, if that has a place. */
function matchTwin<R>(host: HostRoutes<R>, method: string, path: string, row: number): RouteMatch<R> | null {
  const { trie, methods, routes, paramNames, isRest } = host;
  if (!host.hasSlashEnds && path.charCodeAt(path.length - 1) !== SLASH) return null;
  if (path === "/" || (row !== NO_ROW && isRest[ownerOf(host, row)] === 0)) return null;
  const twin = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
  const twinRow = trie.find(twin);
  if (twinRow !== NO_ROW && isRest[ownerOf(host, twinRow)] === 0) {
    const number = methods.get(trie.words, twinRow, method);
    if (number === NO_VALUE) return refusedIn(host, twinRow);
    const params = readParams(paramNames[number] as readonly string[], twin, trie.bounds);
    return { kind: "found", route: routes[number] as R, params };
  }
  // The parameters' bounds are those of the last look-up, which shall be the path's own.
  trie.find(path);
  return null;
}

function refusedIn<R>(host: HostRoutes<R>, row: number): RouteMatch<R> {
  const allow = host.methods.allow(host.trie.words, row);
  return { kind: "method_not_allowed", allow, route: host.routes[ownerOf(host, row)] as R };
}

/** Number of a route of this place; all of them have the same path shape. */
function ownerOf<R>({ methods, trie }: HostRoutes<R>, row: number): number {
  const allow = methods.allow(trie.words, row);
  return methods.get(trie.words, row, allow.slice(0, `${allow},`.indexOf(",")));
}

function readParams(names: readonly string[], path: string, bounds: Int32Array): Readonly<Record<string, string>> {
  const params = newParams();
  const isPlain = path.indexOf("%", bounds[0]) < 0;
  for (let at = 0; at < names.length; at++) {
    const value = path.slice(bounds[2 * at], bounds[2 * at + 1]);
    params[names[at] as string] = isPlain ? value : decodeSegment(value);
  }
  return params;
}

/**
 * Parameters by name, with nothing inherited: `params.constructor` is undefined unless a route names it so. A class,
 * for objects made with `Object.create(null)` are slow hash tables.
 */
class Params {
  [name: string]: string;
}
Object.setPrototypeOf(Params.prototype, null);
Reflect.deleteProperty(Params.prototype, "constructor");

function newParams(): Record<string, string> {
  return new Params();
}

const NO_PARAMS = Object.freeze(newParams());

function templateOf(route: RoutePattern): Template {
  const template = parseTemplate(route.template);
  if (!template.ok) throw new Error(`template ${route.template}: ${template.error}`);
  return template.value;
}

function hostsOf(route: RoutePattern): readonly string[] {
  return route.hosts.length === 0 ? [ANY_HOST] : [...new Set(route.hosts)];
}

/** The routes of each host pattern; a route without hosts is of all. */
function routesByHost<R extends RoutePattern>(routes: readonly R[]): Map<string, R[]> {
  const byHost = new Map<string, R[]>();
  for (const route of routes) {
    for (const host of hostsOf(route)) {
      const others = byHost.get(host);
      if (others === undefined) byHost.set(host, [route]);
      else others.push(route);
    }
  }
  return byHost;
}

function compileHost<R extends RoutePattern>(routes: readonly R[]): HostRoutes<R> {
  // Number 0 is NO_VALUE; it stands for no route, so what is there is never read.
  const numbered = [...routes.slice(0, 1), ...routes];
  const templates = numbered.map(templateOf);
  const shapes = new Map<string, { template: Template; claims: MethodClaim[] }>();
  for (const [number, route] of numbered.entries()) {
    const template = templates[number];
    if (template === undefined || number === NO_VALUE) continue;
    const shape = shapes.get(shapeOf(template)) ?? { template, claims: [] };
    shape.claims.push({ methods: route.methods, value: number });
    shapes.set(shapeOf(template), shape);
  }
  const methods = new MethodTable();
  const entries = [...shapes.values()].map(({ template, claims }) => ({ template, row: methods.addRow(claims) }));
  const isRest = Uint8Array.from(numbered, (route) => (route.template.endsWith("**") ? 1 : 0));
  const hasSlashEnds = numbered.some(({ template }) => template !== "/" && template.endsWith("/"));
  const trie = new PathTrie(entries);
  return { trie, methods, routes: numbered, paramNames: shareNames(templates), isRest, hasSlashEnds };
}

/** Parameters' names of every template; equal lists are one, which stays in the processor's cache. */
function shareNames(templates: readonly Template[]): readonly (readonly string[])[] {
  const lists = new Map<string, readonly string[]>();
  return templates.map((template) => {
    const names = paramNames(template);
    const list = lists.get(names.join("/")) ?? names.map(internalized);
    lists.set(names.join("/"), list);
    return list;
  });
}

/** The engine's own copy of a property name: with any other, every use would look that one up. */
function internalized(name: string): string {
  return Object.keys({ [name]: 0 })[0] ?? name;
}
