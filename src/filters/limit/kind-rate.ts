import { gcraOf } from "../../limits/rate/gcra.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import { RateLimit } from "./evaluate.ts";
import { type RateSettings, rateSchema } from "./schema.ts";

/** `rate`: so many in a second, minute, hour or day, exact to the request. */
export const rateKind = defineLimit<RateSettings>({ word: "rate", schema: rateSchema, compile: compileRate });

function compileRate(name: string, settings: RateSettings, context: LimitContext): Limit | null {
  const { count, windowSeconds } = settings.rate;
  const keys = 2 ** Math.ceil(Math.log2(settings.maxKeys ?? context.usualKeys));
  const burst = settings.burst ?? count;
  const { intervalMs, toleranceMs } = gcraOf(settings.rate, burst);
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
      toleranceMs,
      description: `${count}/${unit}, burst ${burst}`,
      // The burst comes back in w seconds, which is the rate; q=count would be less than r after a pause.
      policyField: `"${name}";q=${burst};w=${refillSeconds}`,
      hasOthers: context.hasOthers,
    },
    // Another key means other counters: what the old ones held would only fill the share.
    context.tables.share(JSON.stringify([name, settings.key]), keys),
  );
}
