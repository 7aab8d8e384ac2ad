import { atOnce, type Steps } from "../support/turns.ts";
import { HostTable } from "./host-table.ts";
import { MethodTable, NO_VALUE } from "./method-table.ts";
import { buildOtherPlaces, contestedPlaces, looseReadings, type OtherPlaces, type Place } from "./other-places.ts";
import { NO_ROW, PathTrie, type TrieEntry } from "./path-trie.ts";
import { decodeReserved, innerPaths, isFoldable, type Reading } from "./reading.ts";
import { hostsOf, type RoutePattern, templateOf } from "./route-pattern.ts";
import { scriptWithin } from "./script-names.ts";
import { paramNames, shapeOf } from "./template.ts";

export type { RoutePattern } from "./route-pattern.ts";
export { findShadowed, type Shadowed } from "./shadowed.ts";
export { parseTemplate } from "./template.ts";

const NOT_FOUND = { kind: "not_found", other: null } as const;

/** A route whose place services of a reading may see where the path as it is has another, or none. */
export interface OtherPlace<R> {
  readonly route: R;
  /** `decoded`: by its escapes alone. `inner`: a script at the path routes what stands behind its name. */
  readonly reading: Reading | "decoded" | "inner";
}

/** Found, or why not: nothing at this path, or nothing that all services would take for it, or another method would be. */
export type RouteMatch<R> =
  | {
      readonly kind: "found";
      readonly route: R;
      /** Values of the template's parameters from left to right, as they stand in the path. */ readonly params: readonly string[];
    }
  | { readonly kind: "method_not_allowed"; readonly allow: string /** One that owns the place. */; readonly route: R }
  | { readonly kind: "not_found"; readonly other: OtherPlace<R> | null };

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
 * 4. Other readings: many services decode `%3A` before they route, or fold case, or leave a slash at the end out, or run a script whatever stands behind its
 *    name, which may route that by itself. Where the most specific place that any of them may see is another than the path's own, nothing is found:
 *    `/reports/ALL` is neither `/reports/all` nor `/reports/{id}`. A route with `isCaseSensitive` says that its service
 *    folds nothing: its place hides behind no other, and no other behind it. Templates that are one for such a service
 *    (`/a` and `/a/`, `/x.php` and `/x.php/**`) are each as they are spelled.
 *
 * The first host and path shape that match own the request, with all their methods: a method that none of their
 * routes takes is answered `method_not_allowed`, though a broader path or host might take it. So a strict
 * `GET /v1/orders` is never walked round by `POST /v1/orders` through an open `/**`, and a new broad route changes
 * nothing for paths that have their own. Among the routes of one place, one that names the method wins over one that
 * takes the usual ones (message/method.ts); HEAD, where no route names it, is GET and has GET's route.
 *
 * Templates must have passed `parseTemplate`: one that does not parse throws, for leaving it out would open its paths
 * to broader routes. Two routes that claim the same method of the same place are found by `findShadowed`; here the
 * earlier one has it.
 */
export function buildRouteTree<R extends RoutePattern>(routes: readonly R[]): RouteTree<R> {
  return atOnce(routeTreeSteps(routes));
}

/** The same for a thread that serves meanwhile. */
export function* routeTreeSteps<R extends RoutePattern>(routes: readonly R[]): Steps<RouteTree<R>> {
  const perHost = new Map<string, HostRoutes<R>>();
  for (const [host, ofHost] of routesByHost(routes)) perHost.set(host, yield* compileHost(ofHost));
  const hosts = new HostTable(perHost);
  return { match: (host, method, path) => matchIn(hosts.get(host), method, path) };
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
  readonly otherPlaces: readonly OtherPlaces[];
  /** Whether paths that folding does not change have other places, too. */
  readonly isReadOtherwise: boolean;
}

// A place's word: whether it is a rest, whether other readings of its paths may lead elsewhere, how many parameters lead
// to it (a template's length bounds them), and its set of methods.
const IS_REST = 1;
const IS_CONTESTED = 2;
const PARAMS_SHIFT = 2;
const PARAMS_MASK = 0x3ff;
const SET_SHIFT = 12;
const SETS_MAX = 1 << 19;

const SLASH = 0x2f;

function matchIn<R extends RoutePattern>(hosts: readonly HostRoutes<R>[], method: string, path: string): RouteMatch<R> {
  for (let at = 0; at < hosts.length; at++) {
    const host = hosts[at] as HostRoutes<R>;
    const { trie, methods, routes } = host;
    const { words } = trie;
    const row = trie.find(path);
    const place = words[row] as number;
    const number = row === NO_ROW ? NO_VALUE : methods.get(place >> SET_SHIFT, words, row + 1, method);
    if (number === NO_VALUE || (place & (IS_REST | IS_CONTESTED)) !== 0) {
      if (row === NO_ROW || mayBeElsewhere(host, place, path)) {
        const match = matchWarily(host, method, path, row);
        if (match === null) continue;
        return match;
      }
      if (number === NO_VALUE) return refusedIn(host, row);
    }
    return { kind: "found", route: routes[number] as R, params: readParams(place, path, trie.bounds) };
  }
  return NOT_FOUND;
}

function mayBeElsewhere<R>(host: HostRoutes<R>, place: number, path: string): boolean {
  if ((place & IS_CONTESTED) !== 0 && (host.isReadOtherwise || isFoldable(path))) return true;
  if ((place & IS_REST) !== 0 && (host.hasSlashEnds || path.charCodeAt(path.length - 1) === SLASH)) return true;
  return scriptWithin(path) !== null;
}

/** What `row`, the path's own, leads to by rules 3 and 4; null where the host has no place for the path. */
function matchWarily<R extends RoutePattern>(
  host: HostRoutes<R>,
  method: string,
  path: string,
  row: number,
): RouteMatch<R> | null {
  const { trie, routes } = host;
  const { words } = trie;
  const spelled = spellingOf(host, path, row);
  const own = spelled === path ? row : trie.find(spelled);
  let match: RouteMatch<R> | null = null;
  if (own !== NO_ROW) {
    const place = words[own] as number;
    const number = host.methods.get(place >> SET_SHIFT, words, own + 1, method);
    if (number === NO_VALUE) match = refusedIn(host, own);
    else match = { kind: "found", route: routes[number] as R, params: readParams(place, spelled, trie.bounds) };
    if ((place & (IS_REST | IS_CONTESTED)) === 0) return match;
  }
  const other = otherPlaceOf(host, path, own) ?? innerPlaceOf(host, path, own);
  return other === null ? match : { kind: "not_found", other };
}

/** The most specific place that some reading has for the path, where that is not the one of row `own`. */
function otherPlaceOf<R>(host: HostRoutes<R>, path: string, own: number): OtherPlace<R> | null {
  const ownNumber = own === NO_ROW ? NO_VALUE : (host.trie.words[own + 1] as number);
  for (const others of host.otherPlaces) {
    const number = others.find(path, ownNumber);
    if (number === NO_VALUE) continue;
    const decoded = decodeReserved(path);
    const isDecoded = decoded !== path && host.trie.find(decoded) !== own;
    return { route: host.routes[number] as R, reading: isDecoded ? "decoded" : others.reading };
  }
  return null;
}

/** The place of a script on the path, or of what it may route, unless that is no more specific than the path's own. */
function innerPlaceOf<R extends RoutePattern>(host: HostRoutes<R>, path: string, own: number): OtherPlace<R> | null {
  for (const { path: inner, before, reading } of innerPaths(path)) {
    // A route that reaches beyond the script says what follows it.
    if (reading === "exact" && own !== NO_ROW && templateOf(routeOf(host, own)).segments.length > before) continue;
    const row = host.trie.find(spellingOf(host, inner, host.trie.find(inner)));
    const other = otherPlaceOf(host, inner, row);
    if (other !== null && !isAround(other.route, before)) return { route: other.route, reading };
    if (row === NO_ROW || row === own) continue;
    const route = routeOf(host, row);
    if (!isAround(route, before)) return { route, reading };
  }
  return null;
}

/** A rest that begins before the script has the whole path, too. */
function isAround(route: RoutePattern, before: number): boolean {
  const { segments, hasRest } = templateOf(route);
  return hasRest && segments.length <= before;
}

/** One of the routes of a place. */
function routeOf<R>({ trie, routes }: HostRoutes<R>, row: number): R {
  return routes[trie.words[row + 1] as number] as R;
}

/** The path as the template that has it is spelled: with or without its last slash, where its own is a rest or none. */
function spellingOf<R>(host: HostRoutes<R>, path: string, row: number): string {
  const { trie } = host;
  if (!host.hasSlashEnds && path.charCodeAt(path.length - 1) !== SLASH) return path;
  if (path === "/" || (row !== NO_ROW && !isRest(host, row))) return path;
  const twin = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
  const twinRow = trie.find(twin);
  if (twinRow !== NO_ROW && !isRest(host, twinRow)) return twin;
  // The parameters' bounds are those of the last look-up, which shall be the path's own.
  trie.find(path);
  return path;
}

function isRest<R>(host: HostRoutes<R>, row: number): boolean {
  return ((host.trie.words[row] as number) & IS_REST) !== 0;
}

function refusedIn<R>(host: HostRoutes<R>, row: number): RouteMatch<R> {
  const allow = host.methods.allow((host.trie.words[row] as number) >> SET_SHIFT);
  return { kind: "method_not_allowed", allow, route: routeOf(host, row) };
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

function* compileHost<R extends RoutePattern>(routes: readonly R[]): Steps<HostRoutes<R>> {
  // Number 0 is NO_VALUE; it stands for no route, so what is there is never read.
  const numbered = [...routes.slice(0, 1), ...routes];
  const shapes = new Map<string, Place & { readonly numbers: number[]; isCaseSensitive: boolean }>();
  for (const [at, route] of routes.entries()) {
    const template = templateOf(route);
    const shape = shapeOf(template);
    const place = shapes.get(shape) ?? { template, numbers: [], isCaseSensitive: false };
    place.numbers.push(at + 1);
    place.isCaseSensitive ||= route.isCaseSensitive === true;
    shapes.set(shape, place);
    yield;
  }
  const places = [...shapes.values()];
  const readings = yield* looseReadings(places);
  const contested = yield* contestedPlaces(readings);
  const methods = new MethodTable();
  const entries: TrieEntry[] = [];
  for (const place of places) {
    const { template, numbers } = place;
    const { set, values } = methods.add(
      numbers.map((number) => ({ methods: numbered[number]?.methods ?? [], value: number })),
    );
    if (set >= SETS_MAX) throw new RangeError("too many different sets of methods for one table");
    const flags = (template.hasRest ? IS_REST : 0) | (contested.has(place) ? IS_CONTESTED : 0);
    const word = (set << SET_SHIFT) | (paramNames(template).length << PARAMS_SHIFT) | flags;
    entries.push({ template, row: [word, ...values] });
    yield;
  }
  const hasSlashEnds = numbered.some(({ template }) => template !== "/" && template.endsWith("/"));
  const trie = yield* PathTrie.build(entries);
  const otherPlaces: OtherPlaces[] = [];
  for (const reading of readings) otherPlaces.push(yield* buildOtherPlaces(reading, trie));
  const isReadOtherwise = otherPlaces.some((others) => others.isForAllPaths);
  return { trie, methods, routes: numbered, hasSlashEnds, otherPlaces, isReadOtherwise };
}
