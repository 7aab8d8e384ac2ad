import { CONTINUE, Denial, type Verdict } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";

/** TRACE would echo the identity headers that were put on; CONNECT would make a tunnel past every check. */
export const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["TRACE", "TRACK", "CONNECT"]);

/**
 * Judges the methods for which a service may take the request, because its query or body names them: each has to lead to
 * `route`, which is the request's own, so that the same checks were asked. `where` tells in the log where it stood.
 */
export function judgeMethods(
  snapshot: Snapshot,
  exchange: Exchange,
  route: Route,
  methods: readonly string[],
  where: "query" | "body",
): Verdict {
  for (const method of methods) {
    if (method === exchange.method) continue;
    const match = snapshot.routes.match(exchange.host, method, exchange.target.path);
    if (match.kind === "found" && match.route === route && !FORBIDDEN_METHODS.has(method)) continue;
    const other = match.kind === "found" ? "another route" : "no route";
    const seen = `${exchange.method} whose ${where} names method ${method}, which has ${other}`;
    const wanted = `a method of this route, or 'methodParameters: []' under 'request' where the service reads none`;
    return new Denial("method_overridden", route.place, seen, wanted);
  }
  return CONTINUE;
}
