import { defineFilter, type RouteContext } from "../filter.ts";
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
  context.addCheck({
    name: "limit",
    phase: limit.phase,
    place: context.place(at),
    enforcePercent: limit.enforcePercent,
    once: true,
    evaluate: (exchange) => limit.evaluate(exchange, template),
    explain: (exchange) => limit.explain(exchange, template),
  });
}
