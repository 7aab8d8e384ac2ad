import { QuotaBook } from "../../limits/quota/book.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import { QuotaLimit } from "./quota-limit.ts";
import { type QuotaSettings, quotaSchema } from "./quota-schema.ts";

/** `quota`: so many in an hour, day, week or month of the calendar, over restarts. */
export const quotaKind = defineLimit<QuotaSettings>({ word: "quota", schema: quotaSchema, compile: compileQuota });

const SECONDS = { hour: 3_600, day: 86_400, week: 7 * 86_400, month: 30 * 86_400 } as const;

function compileQuota(name: string, settings: QuotaSettings, context: LimitContext): Limit | null {
  const { count, period } = settings.quota;
  const { timeZone = "UTC", resetDay = 1 } = settings;
  if (!isSound(name, settings, context)) return null;
  if (!context.hasState && period !== "hour") {
    context.warning("without 'state' a restart forgets what was counted, and every caller has the whole quota again");
  }
  const book = context.resource("quotas", [], (world) => new QuotaBook(world));
  const key = JSON.stringify(settings.key);
  const { maxKeys: keysMax = DEFAULTS.quotaKeys } = settings;
  const shared = book.share({ name, by: key, period, timeZone, resetDay, keysMax }, count);
  const isDefault = settings.timeZone === undefined && settings.resetDay === undefined;
  const { waiting } = context;
  return new QuotaLimit(
    {
      name,
      place: context.place(),
      phase: settings.key.every((part) => part.kind === "client.address" || part.kind === "header") ? "admit" : "limit",
      enforcePercent: settings.mode ?? 100,
      key: settings.key,
      limit: count,
      description: `${count}/${period}${isDefault ? "" : ` in ${timeZone}`}`,
      policyField: `"${name}";q=${count};w=${SECONDS[period]}`,
      hasOthers: context.hasOthers,
      clock: context.clock,
      waiting,
    },
    shared,
  );
}

function isSound(name: string, { quota: { period }, resetDay }: QuotaSettings, context: LimitContext): boolean {
  let sound = true;
  if (resetDay !== undefined && (period === "hour" || period === "day")) {
    context.problem(`a quota by ${period} begins anew each ${period}; expected no 'resetDay'`, "resetDay");
    sound = false;
  } else if (resetDay !== undefined && period === "week" && resetDay > 7) {
    context.problem("a week has days 1 (Monday) to 7", "resetDay");
    sound = false;
  }
  // It stands between quotes in the RateLimit fields (RFC 9651 section 3.3.3).
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(name)) {
    context.problem(`the name '${name}' stands in a response header; expected visible ASCII without quotes`);
    sound = false;
  }
  return sound;
}
