import { hostsOf, templateOf } from "../matching/route-pattern.ts";
import { shapeOf } from "../matching/template.ts";
import type { Route } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Routes that meet in requests: all of them, or those of one version, which is null for requests without. */
export interface RouteSet {
  readonly version: string | null;
  readonly routes: readonly Route[];
}

export function routeSets({ versionRules, routes }: Work): readonly RouteSet[] {
  if (versionRules === null) return [{ version: null, routes }];
  const names = new Set(routes.flatMap(({ versions }) => versions));
  return [null, ...names].map((version) => ({ version, routes: routes.filter((route) => isOf(route, version)) }));
}

function isOf({ versions }: Route, version: string | null): boolean {
  return versions.length === 0 || (version !== null && versions.includes(version));
}

/**
 * The routes of a version, and of others those whose places it does not have: such a place is no broader route's, for what
 * one version asks for is not to be walked round by naming another.
 */
export function withOthersPlaces({ version, routes }: RouteSet, all: readonly Route[]): readonly Route[] {
  const own = new Set(routes.flatMap(placesOf));
  const others = all.flatMap((route) => {
    if (isOf(route, version)) return [];
    const shape = shapeOf(templateOf(route));
    const hosts = hostsOf(route).filter((host) => !own.has(`${host} ${shape}`));
    if (hosts.length === 0) return [];
    return [{ ...route, hosts: route.hosts.length === 0 ? [] : hosts }];
  });
  return [...routes, ...others];
}

function placesOf(route: Route): readonly string[] {
  const shape = shapeOf(templateOf(route));
  return hostsOf(route).map((host) => `${host} ${shape}`);
}
