import type { Place } from "../../decision/verdict.ts";
import { type Check, defineFilter, type Limit, type RouteContext } from "../filter.ts";
import { limitSchema } from "./schema.ts";

/** `limit`: names of limits, each of which must let the request pass. */
export const limitFilter = defineFilter<readonly string[]>({
  name: "limit",
  defaults: "add",
  schema: limitSchema,
  *compile(names, context) {
    const seen = new Set<string>();
    const together: Together = { admit: [], limit: [] };
    for (const [at, name] of names.entries()) {
      yield;
      if (seen.has(name)) context.problem(`'${name}' stands here twice and would count twice`, at);
      else addLimit(name, at, context, together);
      seen.add(name);
    }
  },
});

/** All of a route's, so that the first in a store can ask for the others. */
type Together = Readonly<Record<Limit["phase"], Limit[]>>;

function addLimit(name: string, at: number, context: RouteContext, all: Together): void {
  const limit = context.limits.get(name);
  if (limit === undefined) {
    if (context.isDefined("limits", name)) return;
    context.problem(`no limit '${name}' is defined; ${context.hint("limits", name)}`, at);
    return;
  }
  const { template } = context;
  const fault = limit.phase === "admit" ? null : (limit.key?.reader.bindRoute(template) ?? null);
  if (fault !== null && template !== "defaults") {
    context.problem(`'${name}' cannot count here: ${fault.text}`, at);
    return;
  }
  const together = all[limit.phase];
  together.push(limit);
  context.addCheck(limitCheck(limit, template, context.place(at), together));
}

/** One named limit as a check of a route; `together`: all of them that the route has in this phase. */
export function limitCheck(limit: Limit, template: string, place: Place, together: readonly Limit[]): Check {
  return {
    name: "limit",
    phase: limit.phase,
    place,
    enforcePercent: limit.enforcePercent,
    once: true,
    share: (exchange) => limit.key?.share(exchange, template) ?? null,
    evaluate: (exchange) => limit.evaluate(exchange, template, together),
    explain: (exchange) => limit.explain(exchange, template),
  };
}
