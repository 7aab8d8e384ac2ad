import type { Path } from "./path.ts";

/** Settings of a filter as a route has them after the defaults, and where each part of them stands. */
export interface Merged {
  readonly value: unknown;
  place(inner: Path): Path;
}

/** A value of the policy; undefined where nothing stands at its path. */
export interface Placed {
  readonly value: unknown;
  readonly path: Path;
}

/**
 * The step of the ladder. It is of the place that says it: what a route asks for by itself is enforced, though the
 * defaults only try theirs out. Else `authenticate: { any: [okta] }` would be open wherever the defaults audit.
 */
const LADDER_KEY = "mode";

/**
 * Key by key the route's setting wins; lists and scalars replace whole, and `mode` is never inherited beside others. One of
 * the keys `insteadOf` stands in place of any other of them.
 */
export function mergeSettings(defaults: Placed, route: Placed, insteadOf: readonly string[] = []): Merged {
  const own = route.value;
  const base = defaults.value;
  if (own === undefined && base !== undefined) return { value: base, place: (inner) => [...defaults.path, ...inner] };
  if (!isMapping(own) || !isMapping(base)) return { value: own, place: (inner) => [...route.path, ...inner] };
  const value: Record<string, unknown> = Object.assign(Object.create(null), base);
  delete value[LADDER_KEY];
  if (insteadOf.some((key) => Object.hasOwn(own, key))) for (const key of insteadOf) delete value[key];
  Object.assign(value, own);
  const place = (inner: Path): Path => {
    const [key] = inner;
    const isInherited = key !== undefined && !Object.hasOwn(own, key) && Object.hasOwn(base, key);
    return [...(isInherited ? defaults.path : route.path), ...inner];
  };
  return { value, place };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
