import { DEFAULTS } from "../../support/defaults.ts";
import { type CompileContext, defineFilter, type Limit, type RouteContext } from "../filter.ts";
import { RateLimit } from "./evaluate.ts";
import { TICK_MS } from "./rate-table.ts";
import type { RateTables } from "./rate-tables.ts";
import { type LimitDefinition, limitSchema } from "./schema.ts";

/** One entry of `limits:` → limit, or null with problems reported. */
export function compileLimit(
  name: string,
  settings: LimitDefinition,
  context: CompileContext,
  tables: RateTables,
  usualKeys: number,
): Limit | null {
  const { count, windowSeconds } = settings.rate;
  const keys = 2 ** Math.ceil(Math.log2(settings.maxKeys ?? usualKeys));
  const burst = settings.burst ?? count;
  // Rounded up to the tick: never more than the rate says.
  const intervalMs = Math.ceil((windowSeconds * 1000) / count / TICK_MS) * TICK_MS;
  const refillSeconds = Math.ceil((burst * windowSeconds) / count);
  let sound = true;
  if (refillSeconds > DEFAULTS.rateRefillSecondsMax) {
    context.problem(
      `a burst of ${burst} takes ${refillSeconds} s to come back; expected at most ${DEFAULTS.rateRefillSecondsMax} s`,
      settings.burst === undefined ? "rate" : "burst",
    );
    sound = false;
  }
  // It stands between quotes in the RateLimit fields (RFC 9651 section 3.3.3).
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(name)) {
    context.problem(`the name '${name}' stands in a response header; expected visible ASCII without quotes`);
    sound = false;
  }
  if (!sound) return null;
  const unit = { 1: "second", 60: "minute", 3600: "hour", 86400: "day" }[windowSeconds] ?? `${windowSeconds} s`;
  return new RateLimit(
    {
      name,
      place: context.place(),
      phase: settings.key.every((part) => part.kind === "client.address" || part.kind === "header") ? "admit" : "limit",
      enforcePercent: settings.mode ?? 100,
      key: settings.key,
      keys,
      intervalMs,
      toleranceMs: burst * intervalMs,
      description: `${count}/${unit}, burst ${burst}`,
      // The burst comes back in w seconds, which is the rate; q=count would be less than r after a pause.
      policyField: `"${name}";q=${burst};w=${refillSeconds}`,
    },
    // Another key means other counters: what the old ones held would only fill the share.
    tables.share(JSON.stringify([name, settings.key]), keys),
  );
}

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
