import { CONTINUE, Denial, type Verdict } from "../decision/verdict.ts";
import type { TargetRewrite } from "../filters/rewrite/evaluate.ts";
import { coversShape, parseTemplate } from "../matching/template.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import { excerpt } from "../support/excerpt.ts";
import { routesFor } from "./routes-for.ts";

/** The part of a subject that this looks at. */
export interface RewriteSubject {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
}

/**
 * Writes the target that the service gets. It must not be the place of another route, whose checks the request has not passed:
 * with `/v1/**` → `/**`, `/v1/admin/users` would walk round the rules of `/admin/**`. Only a place that
 * the rewrite itself names is one that its author has seen.
 */
export function rewriteTarget(subject: RewriteSubject, route: Route, rewrite: TargetRewrite): Verdict {
  const { exchange } = subject;
  const { query } = exchange.target;
  const target = rewrite.apply(exchange, route.rewriteQuery?.(query, exchange.version) ?? query, route.keepsInPaths);
  if (target instanceof Denial) return target;
  exchange.upstreamTarget = target;
  exchange.serviceLines += rewrite.lines;
  if (target.path === exchange.target.path && rewrite.authority === null) return CONTINUE;
  const other = ownerOf(subject, rewrite, target.path);
  if (other === null || other === route || isNamed(other, rewrite)) return CONTINUE;
  const seen = `${excerpt(target.path, 128)} after the rewrite, which is the place of '${other.template}'`;
  return new Denial("route_not_found", rewrite.place, seen, "a route of its own that is rewritten to that place");
}

/** The route that takes this path of the same service, also where it does not take the method; null where none does. */
function ownerOf(subject: RewriteSubject, { authority }: TargetRewrite, path: string): Route | null {
  const { snapshot, exchange } = subject;
  const host = authority === null ? exchange.host : authority.replace(/:\d+$/, "");
  const match = routesFor(subject).match(host, exchange.method, path);
  const owner = match.kind === "not_found" ? (match.other?.route ?? null) : match.route;
  if (owner === null) return null;
  const usual = snapshot.listeners.find(({ name }) => name === exchange.connection.listener)?.upstream;
  return (owner.upstream ?? usual) === exchange.upstream ? owner : null;
}

const covering = new WeakMap<Route, Map<string, boolean>>();

/** Whether every path that the rewrite makes is one of the route's: then its author wrote that place, and not by chance. */
function isNamed(route: Route, { shape }: TargetRewrite): boolean {
  const known = covering.get(route) ?? new Map<string, boolean>();
  covering.set(route, known);
  let covers = known.get(shape);
  if (covers === undefined) {
    const template = parseTemplate(route.template);
    covers = template.ok && coversShape(template.value, shape);
    known.set(shape, covers);
  }
  return covers;
}
