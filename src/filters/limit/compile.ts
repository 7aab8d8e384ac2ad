import type { Place } from "../../decision/verdict.ts";
import { type Check, defineFilter, type Limit, type RouteContext } from "../filter.ts";
import { routeFault } from "../limit-port.ts";
import { noteNeeds } from "./needs.ts";
import { addPlan } from "./plan.ts";
import { type LimitEntry, limitSchema } from "./schema.ts";

/** `limit`: names of limits, each of which must let the request pass. */
export const limitFilter = defineFilter<readonly LimitEntry[]>({
  name: "limit",
  defaults: "add",
  schema: limitSchema,
  *compile(entries, context) {
    const seen = new Set<string>();
    const together: Together = { admit: [], limit: [] };
    let plans = 0;
    for (const [at, entry] of entries.entries()) {
      yield;
      if (typeof entry !== "string") {
        if (++plans > 1) context.problem("a caller has one plan; expected 'plan' once", at);
        else addPlan(entry.plan, entry.isAlone === true ? ["plan"] : [at, "plan"], context);
        continue;
      }
      if (seen.has(entry)) context.problem(`'${entry}' stands here twice and would count twice`, at);
      else addLimit(entry, at, context, together);
      seen.add(entry);
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
  const fault = limit.phase === "admit" ? null : routeFault(limit, template);
  if (fault !== null && template !== "defaults") {
    context.problem(`'${name}' cannot count here: ${fault.text}`, at);
    return;
  }
  noteNeeds(limit, context);
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
    ...(limit.looksBackMs === undefined ? {} : { looksBackMs: limit.looksBackMs }),
    share: (exchange) => limit.key?.share(exchange, template) ?? null,
    evaluate: (exchange) => limit.evaluate(exchange, template, together),
    explain: (exchange) => limit.explain(exchange, template),
  };
}
