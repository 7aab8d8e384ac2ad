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
  | {
      readonly kind: "found";
      readonly route: R;
      /** Values of the template's parameters from left to right, as they stand in the path. */ readonly params: readonly string[];
    }
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
  /** The earliest route that has what `route` claims. */
  readonly by: R;
  /** The host pattern where they meet; `*` is any. */
  readonly host: string;
  /** The methods both claim; empty where both take any. */
  readonly methods: readonly string[];
}

/** Which route has which methods of one place. */
interface PlaceClaims<R> {
  /** The first that takes any method. */
  any: R | null;
  readonly byMethod: Map<string, R>;
}

/** Claims that an earlier route makes void, one by one, in the order of the routes; templates as for `buildRouteTree`. */
export function* findShadowed<R extends RoutePattern>(routes: readonly R[]): Generator<Shadowed<R>> {
  const places = new Map<string, PlaceClaims<R>>();
  for (const route of routes) {
    const shape = shapeOf(templateOf(route));
    for (const host of hostsOf(route)) {
      const place = places.get(`${host} ${shape}`) ?? { any: null, byMethod: new Map() };
      places.set(`${host} ${shape}`, place);
      for (const [by, methods] of claim(place, route)) yield { route, by, host, methods };
    }
  }
}

/** Notes what `route` claims of a place; gives the routes that have some of it already, with those methods. */
function claim<R extends RoutePattern>(place: PlaceClaims<R>, route: R): ReadonlyMap<R, string[]> {
  const earlier = new Map<R, string[]>();
  if (route.methods.length === 0) {
    if (place.any !== null) earlier.set(place.any, []);
    place.any ??= route;
  }
  for (const method of route.methods) {
    const by = place.byMethod.get(method);
    if (by === undefined) place.byMethod.set(method, route);
    else if (by !== route) earlier.set(by, [...(earlier.get(by) ?? []), method]);
  }
  return earlier;
}

/** The routes of one host pattern. */
interface HostRoutes<R> {
  /** Its rows: a word of the place itself, then its methods' values. */
  readonly trie: PathTrie;
  /** Method → number of the route. */
  readonly methods: MethodTable;
  /** By number. Apart from the trie, so that a look-up touches no route: those lie scattered in memory. */
  readonly routes: readonly R[];
  /** Whether a template ends with a slash; where none does, as mostly, no path needs a look for one. */
  readonly hasSlashEnds: boolean;
}

// A place's word: whether it is a rest, how many parameters lead to it (a template's length bounds them), and its
// set of methods.
const IS_REST = 1;
const PARAMS_SHIFT = 1;
const PARAMS_MASK = 0x7ff;
const SET_SHIFT = 12;
const SETS_MAX = 1 << 19;

const SLASH = 0x2f;

function matchIn<R>(hosts: readonly HostRoutes<R>[], method: string, path: string): RouteMatch<R> {
  for (let at = 0; at < hosts.length; at++) {
    const host = hosts[at] as HostRoutes<R>;
    const { trie, methods, routes } = host;
    const { words } = trie;
    const row = trie.find(path);
    const place = words[row] as number;
    const number = row === NO_ROW ? NO_VALUE : methods.get(place >> SET_SHIFT, words, row + 1, method);
    if (number === NO_VALUE || (place & IS_REST) !== 0) {
      const match = matchTwin(host, method, path, row);
      if (match !== null) return match;
      if (row === NO_ROW) continue;
      if (number === NO_VALUE) return refusedIn(host, row);
    }
    return { kind: "found", route: routes[number] as R, params: readParams(place, path, trie.bounds) };
  }
  return NOT_FOUND;
}

/** Where the path's own place is a rest or none: the same path with or without its last slash, if that has a place. */
function matchTwin<R>(host: HostRoutes<R>, method: string, path: string, row: number): RouteMatch<R> | null {
  const { trie, routes } = host;
  if (!host.hasSlashEnds && path.charCodeAt(path.length - 1) !== SLASH) return null;
  if (path === "/" || (row !== NO_ROW && !isRest(host, row))) return null;
  const twin = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
  const twinRow = trie.find(twin);
  if (twinRow !== NO_ROW && !isRest(host, twinRow)) {
    const number = numberIn(host, twinRow, method);
    if (number === NO_VALUE) return refusedIn(host, twinRow);
    return {
      kind: "found",
      route: routes[number] as R,
      params: readParams(trie.words[twinRow] as number, twin, trie.bounds),
    };
  }
  // The parameters' bounds are those of the last look-up, which shall be the path's own.
  trie.find(path);
  return null;
}

function isRest<R>(host: HostRoutes<R>, row: number): boolean {
  return ((host.trie.words[row] as number) & IS_REST) !== 0;
}

/** Number of the route that takes the method, or NO_VALUE. */
function numberIn<R>({ trie, methods }: HostRoutes<R>, row: number, method: string): number {
  return methods.get((trie.words[row] as number) >> SET_SHIFT, trie.words, row + 1, method);
}

function refusedIn<R>({ trie, methods, routes }: HostRoutes<R>, row: number): RouteMatch<R> {
  const allow = methods.allow((trie.words[row] as number) >> SET_SHIFT);
  return { kind: "method_not_allowed", allow, route: routes[trie.words[row + 1] as number] as R };
}

function readParams(place: number, path: string, bounds: Int32Array): readonly string[] {
  const count = (place >> PARAMS_SHIFT) & PARAMS_MASK;
  if (count === 0) return NO_PARAMS;
  // A list that begins with its first value is made faster than one that grows from nothing.
  const params = [path.slice(bounds[0], bounds[1])];
  for (let at = 1; at < count; at++) params.push(path.slice(bounds[2 * at], bounds[2 * at + 1]));
  return params;
}

const NO_PARAMS: readonly string[] = Object.freeze([]);

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
  const entries = [...shapes.values()].map(({ template, claims }) => {
    const { set, values } = methods.add(claims);
    if (set >= SETS_MAX) throw new RangeError("too many different sets of methods for one table");
    const params = paramNames(template).length;
    const place = (set << SET_SHIFT) | (params << PARAMS_SHIFT) | (template.hasRest ? IS_REST : 0);
    return { template, row: [place, ...values] };
  });
  const hasSlashEnds = numbered.some(({ template }) => template !== "/" && template.endsWith("/"));
  const trie = new PathTrie(entries);
  return { trie, methods, routes: numbered, hasSlashEnds };
}
