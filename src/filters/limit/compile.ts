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
    for (const [at, name] of names.entries()) {
      yield;
      if (seen.has(name)) context.problem(`'${name}' stands here twice and would count twice`, at);
      else addLimit(name, at, context);
      seen.add(name);
    }
  },
});

function addLimit(name: string, at: number, context: RouteContext): void {
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
  context.addCheck(limitCheck(limit, template, context.place(at)));
}

/** One named limit as a check of a route. */
export function limitCheck(limit: Limit, template: string, place: Place): Check {
  return {
    name: "limit",
    phase: limit.phase,
    place,
    enforcePercent: limit.enforcePercent,
    once: true,
    share: (exchange) => limit.key?.share(exchange, template) ?? null,
    evaluate: (exchange) => limit.evaluate(exchange, template),
    explain: (exchange) => limit.explain(exchange, template),
  };
}
