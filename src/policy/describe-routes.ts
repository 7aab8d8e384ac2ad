import { DEFAULTS_KEY } from "./compile-defaults.ts";
import type { DescribedPolicy, DescribedRoute } from "./described-routes.ts";
import type { Path } from "./path.ts";
import type { RouteFacts, RouteParts } from "./route-parts.ts";
import type { Work } from "./work.ts";

export function describedRoute(
  { reader }: Work,
  { template, methods, isPublic }: RouteFacts,
  hosts: readonly string[],
  parts: RouteParts,
  path: Path,
): DescribedRoute {
  return {
    template,
    methods,
    isPublic,
    hosts,
    authenticators: parts.authenticators,
    scopes: parts.namedScopes,
    authorize: reader.raw([...path, "authorize"]) ?? reader.raw([DEFAULTS_KEY, "authorize"]),
    parts: parts.requestParts,
  };
}

/** Null where nobody asks, or there is nothing to describe. */
export function describedPolicy(work: Work): DescribedPolicy | null {
  if (work.inputs.describes !== true || !work.isWhole) return null;
  const { reader, described } = work;
  return { routes: described, authenticators: reader.raw(["authenticators"]), roles: reader.raw(["roles"]) };
}
