import { hostsOf, type RoutePattern, templateOf } from "./route-pattern.ts";
import { shapeOf } from "./template.ts";

/** Two routes that claim the same methods of one host and path shape: `route` can never match there. */
export interface Shadowed<R> {
  readonly route: R;
  /** The earliest route that has what `route` claims. */
  readonly by: R;
  /** The host pattern where they meet; `*` is any. */
  readonly host: string;
  /** The methods both claim; empty where both take the usual ones. */
  readonly methods: readonly string[];
}

/** Which route has which methods of one place. */
interface PlaceClaims<R> {
  /** The first that takes the usual methods. */
  usual: R | null;
  readonly byMethod: Map<string, R>;
}

/**
 * Claims that an earlier route makes void, one by one, in the order of the routes, and null behind each route; templates
 * as for `buildRouteTree`.
 */
export function* findShadowed<R extends RoutePattern>(routes: readonly R[]): Generator<Shadowed<R> | null> {
  const places = new Map<string, PlaceClaims<R>>();
  for (const route of routes) {
    const shape = shapeOf(templateOf(route));
    for (const host of hostsOf(route)) {
      const place = places.get(`${host} ${shape}`) ?? { usual: null, byMethod: new Map() };
      places.set(`${host} ${shape}`, place);
      for (const [by, methods] of claim(place, route)) yield { route, by, host, methods };
    }
    yield null;
  }
}

/** Notes what `route` claims of a place; gives the routes that have some of it already, with those methods. */
function claim<R extends RoutePattern>(place: PlaceClaims<R>, route: R): ReadonlyMap<R, string[]> {
  const earlier = new Map<R, string[]>();
  if (route.methods.length === 0) {
    if (place.usual !== null) earlier.set(place.usual, []);
    place.usual ??= route;
  }
  for (const method of route.methods) {
    const by = place.byMethod.get(method);
    if (by === undefined) place.byMethod.set(method, route);
    else if (by !== route) earlier.set(by, [...(earlier.get(by) ?? []), method]);
  }
  return earlier;
}
