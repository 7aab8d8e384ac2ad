import { type Gcra, gcraOf } from "../../limits/rate/gcra.ts";
import type { RateTerms } from "../../limits/redis/ask.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import { compileCost } from "./cost.ts";
import { countsOf } from "./counted.ts";
import { RateLimit } from "./evaluate.ts";
import { compileLimitKey } from "./key.ts";
import { type RateSettings, rateSchema } from "./schema.ts";
import { compileShare } from "./share.ts";
import { ThrottledRate } from "./throttled-rate.ts";
import { countedBy, limitPolicy } from "./told.ts";

/** `rate`: so many in a second, minute, hour or day, exact to the request. */
export const rateKind = defineLimit<RateSettings>({ word: "rate", schema: rateSchema, compile: compileRate });

const UNITS: Readonly<Record<number, string>> = { 1: "second", 60: "minute", 3600: "hour", 86400: "day" };

function compileRate(name: string, settings: RateSettings, context: LimitContext): Limit | null {
  const { count, windowSeconds } = settings.rate;
  const keys = 2 ** Math.ceil(Math.log2(settings.maxKeys ?? context.usualKeys));
  const burst = settings.burst ?? count;
  const share = compileShare(settings.replicas, context);
  const refillSeconds = Math.ceil((burst * windowSeconds) / count);
  const isSlow = refillSeconds > DEFAULTS.rateRefillSecondsMax;
  if (isSlow) {
    context.problem(
      `a burst of ${burst} takes ${refillSeconds} s to come back; expected at most ${DEFAULTS.rateRefillSecondsMax} s`,
      settings.burst === undefined ? "rate" : "burst",
    );
  }
  const { scope, by } = countedBy(settings.store !== undefined, share);
  // The burst comes back within the window, which is the rate; q=count would be less than r after a pause.
  const factor = share?.factor ?? 1;
  const part = Math.max(1, Math.floor(burst * factor));
  const quota = settings.store === undefined ? part : burst;
  const facts = { name, quota, windowSeconds: refillSeconds, unit: "requests", scope } as const;
  const policy = limitPolicy(facts, context);
  const key = compileLimitKey(name, settings, context);
  const cost = compileCost(settings.cost, context);
  if (cost && cost.max > burst) {
    context.problem(`a request that costs ${cost.max} never passes; expected at most the burst of ${burst}`, "cost");
    return null;
  }
  if (settings.throttle !== undefined && settings.store !== undefined) {
    context.problem("requests wait in their own process, and cannot for a rate that several share", "throttle");
    return null;
  }
  const store = settings.store === undefined ? undefined : context.store(settings.store);
  if (policy === null || key === null || cost === undefined || store === null || isSlow) return null;
  // Another key means other counters: what the old ones held would only fill the share.
  const table = context.tables.share(JSON.stringify([name, key.reader.identity]), keys);
  const limit = new RateLimit(
    {
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      key,
      keys,
      // Of a costly request a part of the burst may be less than one.
      ...gcraOf({ count, windowSeconds: windowSeconds / factor }, Math.max(part, cost?.max ?? 1)),
      terms: storeTerms(gcraOf(settings.rate, burst), burst),
      countedBy: by,
      description: `${count}/${UNITS[windowSeconds] ?? `${windowSeconds} s`}, burst ${burst}${share?.text ?? ""}`,
      costs: cost?.text ?? "",
      policy,
      tellsPartition: context.tellsPartition,
      cost,
      counts: settings.count === undefined ? null : countsOf(settings.count),
      hasOthers: context.hasOthers,
    },
    table,
  );
  if (store !== undefined) return store.share(limit, settings.lease);
  const { throttle } = settings;
  if (throttle === undefined) return limit;
  const rules = { lengthMax: throttle.queue, timeoutMs: throttle.timeout };
  return new ThrottledRate(limit, rules, context.places.throttle(JSON.stringify([name, key.reader.identity])));
}

/** As a store counts it, whose time has whole microseconds. */
function storeTerms({ intervalMs }: Gcra, burst: number): RateTerms {
  const intervalUs = Math.ceil(intervalMs * 1000 - 0.001);
  return { kind: "rate", intervalUs, toleranceUs: burst * intervalUs };
}
