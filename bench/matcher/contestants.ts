import createFindMyWay, { type HTTPMethod } from "find-my-way";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { Memoirist } from "memoirist";
import { addRoute, createRouter, findRoute } from "rou3";
import { compileRouter } from "rou3/compiler";
import { buildRouteTree } from "../../src/matching/route-tree.ts";
import type { BenchRoute } from "./tables.ts";

export type Params = Readonly<Record<string, string | undefined>>;

/** A router over one table. */
export interface Contestant {
  /** For the check before the clock runs: id of the route and its parameters, or null. */
  find(method: string, path: string): { id: number; params: Params } | null;
  /**
   * What is timed: looks every path up, takes route and parameters in the router's own form, and counts how often the
   * route is another than the one before. So nothing is left out, and no route's own fields are waited for. Each
   * contestant has its own loop, so that no adapter stands between the clock and the router.
   */
  run(methods: readonly string[], paths: readonly string[]): number;
}

/** Builders throw where a router cannot take a table. */
export const CONTESTANTS: Readonly<Record<string, (routes: readonly BenchRoute[]) => Contestant>> = {
  postern,
  "find-my-way": findMyWay,
  rou3,
  "rou3-compiled": rou3Compiled,
  memoirist,
  "hono-regexp": honoRegExp,
};

function postern(routes: readonly BenchRoute[]): Contestant {
  const tree = buildRouteTree(routes);
  return {
    find(method, path) {
      const match = tree.match("api.example.org", method, path);
      return match.kind === "found" ? { id: match.route.id, params: named(match.route.template, match.params) } : null;
    },
    run(methods, paths) {
      let changes = 0;
      let previous: unknown = null;
      for (let at = 0; at < paths.length; at++) {
        const match = tree.match("api.example.org", methods[at] as string, paths[at] as string);
        if (match.kind === "found" && match.params !== undefined) {
          if (match.route !== previous) changes++;
          previous = match.route;
        }
      }
      return changes;
    },
  };
}

/** Postern gives values by position; their names are in the route. */
function named(template: string, values: readonly string[]): Params {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  return Object.fromEntries(names.map((name, at) => [name, values[at]]));
}

function findMyWay(routes: readonly BenchRoute[]): Contestant {
  const router = createFindMyWay();
  for (const route of routes) router.on(methodOf(route), colonPath(route, "*"), () => {}, route);
  return {
    find(method, path) {
      const match = router.find(method as HTTPMethod, path);
      return match === null ? null : { id: (match.store as BenchRoute).id, params: match.params };
    },
    run(methods, paths) {
      let changes = 0;
      let previous: unknown = null;
      for (let at = 0; at < paths.length; at++) {
        const match = router.find(methods[at] as HTTPMethod, paths[at] as string);
        if (match !== null && match.params !== undefined) {
          if (match.store !== previous) changes++;
          previous = match.store;
        }
      }
      return changes;
    },
  };
}

function rou3(routes: readonly BenchRoute[]): Contestant {
  const router = rou3Router(routes);
  return {
    find(method, path) {
      const match = findRoute(router, method, path);
      return match === undefined ? null : { id: match.data.id, params: match.params ?? {} };
    },
    run(methods, paths) {
      let changes = 0;
      let previous: unknown = null;
      for (let at = 0; at < paths.length; at++) {
        const match = findRoute(router, methods[at] as string, paths[at] as string);
        if (match !== undefined && match.params !== null) {
          if (match.data !== previous) changes++;
          previous = match.data;
        }
      }
      return changes;
    },
  };
}

function rou3Compiled(routes: readonly BenchRoute[]): Contestant {
  const find = compileRouter(rou3Router(routes));
  return {
    find(method, path) {
      const match = find(method, path);
      return match === undefined ? null : { id: match.data.id, params: match.params ?? {} };
    },
    run(methods, paths) {
      let changes = 0;
      let previous: unknown = null;
      for (let at = 0; at < paths.length; at++) {
        const match = find(methods[at] as string, paths[at] as string);
        if (match !== undefined && match.params !== null) {
          if (match.data !== previous) changes++;
          previous = match.data;
        }
      }
      return changes;
    },
  };
}

function rou3Router(routes: readonly BenchRoute[]) {
  const router = createRouter<BenchRoute>();
  for (const route of routes) addRoute(router, methodOf(route), colonPath(route, "**"), route);
  return router;
}

function memoirist(routes: readonly BenchRoute[]): Contestant {
  const router = new Memoirist<BenchRoute>();
  for (const route of routes) router.add(methodOf(route), colonPath(route, "*"), route);
  return {
    find(method, path) {
      const match = router.find(method, path);
      return match === null ? null : { id: match.store.id, params: match.params };
    },
    run(methods, paths) {
      let changes = 0;
      let previous: unknown = null;
      for (let at = 0; at < paths.length; at++) {
        const match = router.find(methods[at] as string, paths[at] as string);
        if (match !== null && match.params !== undefined) {
          if (match.store !== previous) changes++;
          previous = match.store;
        }
      }
      return changes;
    },
  };
}

/** Hono gives indexes into the match; its `Context` makes parameters of them in this way. */
function honoRegExp(routes: readonly BenchRoute[]): Contestant {
  const router = new RegExpRouter<BenchRoute>();
  for (const route of routes) router.add(methodOf(route), colonPath(route, "*"), route);
  function find(method: string, path: string): { route: BenchRoute; params: Params } | null {
    const [handlers, stash] = router.match(method, path);
    const first = handlers[0];
    if (first === undefined) return null;
    const params: Record<string, string | undefined> = {};
    const indexes = first[1] as Record<string, number>;
    for (const name in indexes) params[name] = stash?.[indexes[name] as number];
    return { route: first[0], params };
  }
  // The first look-up builds the matcher, and throws where it cannot.
  find("GET", "/");
  return {
    find(method, path) {
      const match = find(method, path);
      return match === null ? null : { id: match.route.id, params: match.params };
    },
    run(methods, paths) {
      let changes = 0;
      let previous: unknown = null;
      for (let at = 0; at < paths.length; at++) {
        const match = find(methods[at] as string, paths[at] as string);
        if (match !== null && match.params !== undefined) {
          if (match.route !== previous) changes++;
          previous = match.route;
        }
      }
      return changes;
    },
  };
}

function methodOf(route: BenchRoute): HTTPMethod {
  return (route.methods[0] ?? "GET") as HTTPMethod;
}

/** `/a/{x}/**` in the notation that the other routers share: `/a/:x/*`. */
function colonPath(route: BenchRoute, rest: string): string {
  return route.template.replace(/\{(\w+)\}/g, ":$1").replace("**", rest);
}
