import type { Outlined } from "../policy/outline.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import type { SchemaSource } from "./schema-source.ts";
import { type Settings, settingsOf } from "./settings.ts";

/** One route with what the policy says of it. */
export interface PlacedRoute {
  readonly route: Route;
  readonly settings: Settings;
}

/** One of the two policies, as the grid looks at it. */
export interface Side {
  readonly snapshot: Snapshot;
  readonly defaults: Settings;
  readonly routes: readonly PlacedRoute[];
  /** The route that has the path, whatever its methods; null where none has. */
  routeAt(host: string, method: string, path: string): PlacedRoute | null;
  section(name: string): unknown;
  /** The schemas that it names. */
  readonly schemas: SchemaSource;
}

export function sideOf(snapshot: Snapshot, schemas: SchemaSource): Side {
  const sections = snapshot.outline?.sections ?? new Map<string, Outlined>();
  const outlined = snapshot.outline?.routes ?? [];
  const defaults = [...sections].flatMap(([name, { value }]) =>
    name.startsWith("defaults.") ? [[name.slice("defaults.".length), value] as const] : [],
  );
  const routes = snapshot.routeList.map((route, at) => ({ route, settings: settingsOf(outlined[at]?.value) }));
  const byRoute = new Map(routes.map((placed) => [placed.route, placed]));
  return {
    snapshot,
    schemas,
    defaults: Object.fromEntries(defaults),
    routes,
    routeAt: (host, method, path) => {
      const match = snapshot.routes.match(host, method, path);
      return match.kind === "not_found" ? null : (byRoute.get(match.route) ?? null);
    },
    section: (name) => sections.get(name)?.value,
  };
}

/** Routes of both policies for one template, on the same hosts, for the same versions. */
export interface Place {
  readonly template: string;
  readonly hosts: readonly string[];
  readonly versions: readonly string[];
  readonly routes: readonly SidedRoute[];
}

export interface SidedRoute {
  readonly side: Side;
  readonly placed: PlacedRoute;
}

/** In the order of the first policy, then those that only the second has. */
export function placesOf(sides: readonly Side[]): readonly Place[] {
  const places = new Map<string, SidedRoute[]>();
  for (const side of sides) {
    for (const placed of side.routes) {
      const { template, hosts, versions } = placed.route;
      const key = JSON.stringify([template, hosts.toSorted(), versions.toSorted()]);
      const known = places.get(key);
      if (known === undefined) places.set(key, [{ side, placed }]);
      else known.push({ side, placed });
    }
  }
  return [...places.values()].map((routes) => {
    const [first] = routes;
    const { template = "/", hosts = [], versions = [] } = first?.placed.route ?? {};
    return { template, hosts, versions, routes };
  });
}
