import type { Authenticator } from "../../filters/filter.ts";
import { DEFAULTS_KEY } from "../compile-defaults.ts";
import type { Path } from "../path.ts";
import type { Route } from "../snapshot.ts";
import type { Work } from "../work.ts";

/** A route, what the policy says of it, and whom it asks who its caller is. */
export interface LintedRoute {
  readonly route: Route;
  /** In the policy, descriptions laid into it. */
  readonly path: Path;
  /** None where one of the policy did not compile, or its files are not here: nobody knows who else may call. */
  readonly authenticators: readonly Authenticator[];
}

/** All of them; none where one of them did not compile, for then nobody knows which is which. */
export function lintedRoutes(work: Work): readonly LintedRoute[] {
  if (work.routes.length !== work.reader.listLength(["routes"])) return [];
  return work.routes.map((route, at) => ({
    route,
    path: ["routes", at],
    authenticators: work.hasAllAuthenticators
      ? [...(work.routeUses[at]?.authenticators ?? [])].flatMap((name) => work.authenticators.get(name) ?? [])
      : [],
  }));
}

/** The settings of one filter as they hold on a route, and where they stand: its own, or those of the defaults. */
export function settingsOf({ reader }: Work, { path }: LintedRoute, filter: string): readonly Path[] {
  return [
    [DEFAULTS_KEY, filter],
    [...path, filter],
  ].filter((one) => reader.raw(one) !== undefined);
}
