import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { ANY_HOST } from "./host-table.ts";
import type { RoutePattern } from "./route-tree.ts";
import { parseTemplate, shapeOf, type Template } from "./template.ts";

/** A path of a broader route is another route's own, which takes fewer methods: the others are refused there. */
export interface TakenMethods<R> {
  /** Would take `methods` of the path, were `own` not there. */
  readonly broad: R;
  readonly own: R;
  /** What is taken away; empty where `broad` takes any method: then it is every one but those of `own`'s place. */
  readonly methods: readonly string[];
  /** Methods that the routes of `own`'s place take. */
  readonly kept: readonly string[];
}

/** All routes of one host and path shape. */
interface Place<R> {
  readonly template: Template;
  readonly routes: R[];
}

interface Node<R> {
  readonly texts: Map<string, Node<R>>;
  param: Node<R> | null;
  /** Ends here. */
  place: Place<R> | null;
  /** `**` from here on. */
  rest: Place<R> | null;
}

/**
 * Methods that a broader route takes and a more specific one keeps from it (the rules are `buildRouteTree`'s), the nearest
 * broader place for each; templates have passed `parseTemplate`.
 */
export function* findTakenMethods<R extends RoutePattern>(routes: readonly R[]): Steps<readonly TakenMethods<R>[]> {
  const hosts = new Map<string, Node<R>>();
  const places = new Map<string, { readonly host: string; readonly place: Place<R> }>();
  for (const route of routes) {
    const template = parseTemplate(route.template);
    if (!template.ok) continue;
    for (const host of route.hosts.length === 0 ? [ANY_HOST] : route.hosts) {
      const key = `${host} ${shapeOf(template.value)}`;
      const known = places.get(key)?.place ?? { template: template.value, routes: [] };
      known.routes.push(route);
      places.set(key, { host, place: known });
      plant(hosts, host, known);
    }
    yield;
  }
  const taken: TakenMethods<R>[] = [];
  for (const { host, place } of places.values()) {
    const found = takenAt(place, [hosts.get(host), host === ANY_HOST ? undefined : hosts.get(ANY_HOST)]);
    if (found !== null) taken.push(found);
    yield;
  }
  return taken;
}

function plant<R>(hosts: Map<string, Node<R>>, host: string, place: Place<R>): void {
  let node = hosts.get(host) ?? newNode<R>();
  hosts.set(host, node);
  for (const segment of place.template.segments) {
    if (segment.kind === "param") {
      node.param ??= newNode();
      node = node.param;
    } else {
      const next = node.texts.get(segment.text) ?? newNode<R>();
      node.texts.set(segment.text, next);
      node = next;
    }
  }
  if (place.template.hasRest) node.rest = place;
  else node.place = place;
}

function newNode<R>(): Node<R> {
  return { texts: new Map(), param: null, place: null, rest: null };
}

function takenAt<R extends RoutePattern>(
  own: Place<R>,
  hosts: readonly (Node<R> | undefined)[],
): TakenMethods<R> | null {
  const [first] = own.routes;
  const kept = [...new Set(own.routes.flatMap(({ methods }) => methods))];
  if (first === undefined || takesAny(own)) return null;
  const left = { steps: DEFAULTS.broaderPlacesMax };
  for (const host of hosts) {
    const broad = host === undefined ? null : broader(host, own, 0, left);
    if (broad === null) continue;
    for (const route of broad.routes) {
      const methods = route.methods.filter((method) => !takes(kept, method));
      if (route.methods.length === 0 || methods.length > 0) return { broad: route, own: first, methods, kept };
    }
    return null;
  }
  return null;
}

function takesAny<R extends RoutePattern>({ routes }: Place<R>): boolean {
  return routes.some(({ methods }) => methods.length === 0);
}

/** HEAD is GET where nobody names it. */
function takes(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || (method === "HEAD" && methods.includes("GET"));
}

/** The first other place, in the order of a look-up, that has every path of `own`. */
function broader<R>(node: Node<R>, own: Place<R>, at: number, left: { steps: number }): Place<R> | null {
  if (left.steps-- <= 0) return null;
  const segment = own.template.segments[at];
  if (segment === undefined) {
    const ends = own.template.hasRest ? [node.rest] : [node.place, node.rest];
    return ends.find((place) => place !== null && place !== own) ?? null;
  }
  const next = [
    segment.kind === "static" ? (node.texts.get(segment.text) ?? null) : null,
    // A parameter is never empty.
    segment.kind === "static" && segment.text === "" ? null : node.param,
  ];
  for (const child of next) {
    const found = child === null ? null : broader(child, own, at + 1, left);
    if (found !== null) return found;
  }
  return node.rest === own ? null : node.rest;
}
