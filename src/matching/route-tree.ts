import { decodeSegment } from "../message/target.ts";
import { ANY_HOST, HostTable } from "./host-table.ts";
import { type MethodClaim, MethodTable } from "./method-table.ts";
import { NO_LEAF, PathTrie } from "./path-trie.ts";
import { paramNames, parseTemplate, shapeOf, type Template } from "./template.ts";

export { parseTemplate } from "./template.ts";

/** What the tree needs of a route; see policy/snapshot.ts for the rest. */
export interface RoutePattern {
  readonly template: string;
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
}

/** Found, or why not: nothing at this path, or another method would be. */
export type RouteMatch<R> =
  | { readonly kind: "found"; readonly route: R; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: "method_not_allowed"; readonly allow: string }
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
  const perHost = [...groupRoutes(routes)].map(([host, shapes]) => [host, compileHost([...shapes.values()])] as const);
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

/** A route as one place offers it. */
interface Endpoint<R> {
  readonly route: R;
  readonly paramNames: readonly string[];
  /** The ready answer where there are no parameters to read from the path, else null. */
  readonly found: RouteMatch<R> | null;
}

/** The routes of one host pattern. */
interface HostRoutes<R> {
  readonly trie: PathTrie;
  /** By the trie's leaf. */
  readonly methods: MethodTable<Endpoint<R>>;
}

const NOT_FOUND = { kind: "not_found" } as const;

function compileHost<R extends RoutePattern>(shapes: readonly Shape<R>[]): HostRoutes<R> {
  return {
    trie: new PathTrie(shapes.map((shape) => shape.template)),
    methods: new MethodTable(shapes.map((shape) => shape.claims)),
  };
}

function matchIn<R>(hosts: readonly HostRoutes<R>[], method: string, path: string): RouteMatch<R> {
  for (let at = 0; at < hosts.length; at++) {
    const { trie, methods } = hosts[at] as HostRoutes<R>;
    const leaf = trie.find(path);
    if (leaf === NO_LEAF) continue;
    const endpoint = methods.get(leaf, method);
    if (endpoint === null) return { kind: "method_not_allowed", allow: methods.allow(leaf) };
    if (endpoint.found !== null) return endpoint.found;
    return { kind: "found", route: endpoint.route, params: readParams(endpoint.paramNames, path, trie.bounds) };
  }
  return NOT_FOUND;
}

function readParams(names: readonly string[], path: string, bounds: Int32Array): Readonly<Record<string, string>> {
  const params = newParams();
  const isPlain = !path.includes("%");
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

/** All routes of one host pattern whose templates match the same paths. */
interface Shape<R> {
  readonly template: Template;
  readonly claims: MethodClaim<Endpoint<R>>[];
}

/** Routes by host pattern and by shape of their path. */
function groupRoutes<R extends RoutePattern>(routes: readonly R[]): Map<string, Map<string, Shape<R>>> {
  const byHost = new Map<string, Map<string, Shape<R>>>();
  for (const route of routes) {
    const template = templateOf(route);
    const text = shapeOf(template);
    const claim = { methods: route.methods, value: newEndpoint(route, template) };
    for (const host of hostsOf(route)) {
      const shapes = byHost.get(host) ?? new Map<string, Shape<R>>();
      const shape = shapes.get(text) ?? { template, claims: [] };
      shape.claims.push(claim);
      byHost.set(host, shapes.set(text, shape));
    }
  }
  return byHost;
}

function newEndpoint<R>(route: R, template: Template): Endpoint<R> {
  const names = paramNames(template).map(internalized);
  return { route, paramNames: names, found: names.length === 0 ? { kind: "found", route, params: NO_PARAMS } : null };
}

/** The engine's own copy of a property name: with any other, every use would look that one up. */
function internalized(name: string): string {
  return Object.keys({ [name]: 0 })[0] ?? name;
}
