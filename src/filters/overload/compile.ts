import { OverloadWatch } from "../../limits/overload/overload-watch.ts";
import type { Priority } from "../../limits/overload/pressure.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { type CompileContext, defineFilter, type RouteContext } from "../filter.ts";
import { describeShedding, type Overload, shed } from "./evaluate.ts";
import { type OverloadSettings, prioritySchema } from "./schema.ts";

/** Section `overload`. */
export function compileOverload(settings: OverloadSettings, context: CompileContext): Overload {
  const rules = {
    loopDelayMsMax: settings.eventLoopDelay ?? DEFAULTS.overloadDelayMs,
    memoryShareMax: settings.memory ?? DEFAULTS.overloadMemoryShare,
  };
  return {
    ...rules,
    place: context.place(),
    enforcePercent: settings.mode ?? 100,
    watch: context.resource("overload", [JSON.stringify(rules)], (world) => new OverloadWatch(rules, world)),
  };
}

/** Paths at which orchestrators and balancers ask whether a service lives, and the same of gRPC. */
const HEALTH =
  /^\/(?:-\/|api\/|actuator\/)?(?:health|healthz|healthcheck|livez|readyz|live|ready|alive|ping|up|status|healthy)$/;
const GRPC_HEALTH = /^\/grpc\.health\.v1\.Health\/(?:Check|Watch|List)$/;

/** An answer that is late or 503 there has the service restarted, which helps nobody. */
function usualPriority({ template }: RouteContext): Priority {
  return HEALTH.test(template) || GRPC_HEALTH.test(template) ? "critical" : "normal";
}

/** `priority`: what goes first when not everything can be served. Without section `overload` nothing goes. */
export const priorityFilter = defineFilter<Priority | undefined>({
  name: "priority",
  defaults: "override",
  schema: prioritySchema,
  always: true,
  compile(settings, context) {
    const { overload } = context;
    if (overload === null) {
      if (settings !== undefined) {
        context.warning(
          "no_effect",
          "nothing is shed without section 'overload'; expected 'overload: {}' at the top level",
        );
      }
      return;
    }
    const priority = settings ?? usualPriority(context);
    context.addCheck({
      name: "overload",
      phase: "match",
      place: overload.place,
      enforcePercent: overload.enforcePercent,
      once: true,
      evaluate: (exchange) => shed(overload, priority, exchange),
      explain: () => describeShedding(overload, priority),
    });
  },
});
