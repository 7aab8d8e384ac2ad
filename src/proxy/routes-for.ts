import type { RouteTree } from "../matching/route-tree.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";

/** The routes that a request is matched with: all, or where the policy has `versions`, those of its own. */
export function routesFor({ snapshot, exchange }: { snapshot: Snapshot; exchange: Exchange }): RouteTree<Route> {
  return snapshot.versions?.routesFor(exchange) ?? snapshot.routes;
}
