import { QuotaBook } from "../../limits/quota/book.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import { isCalendarSound, PERIOD_SECONDS } from "./calendar-shape.ts";
import { compileCost } from "./cost.ts";
import { countsOf } from "./counted.ts";
import { compileLimitKey } from "./key.ts";
import { compileBudget } from "./kind-budget.ts";
import { QuotaLimit } from "./quota-limit.ts";
import { type QuotaSettings, type QuotaSettledCost, quotaSchema } from "./quota-schema.ts";
import { compileShare } from "./share.ts";
import { countedBy, limitPolicy } from "./told.ts";

/** `quota`: so many in an hour, day, week or month of the calendar, over restarts. */
export const quotaKind = defineLimit<QuotaSettings>({ word: "quota", schema: quotaSchema, compile: compileQuota });

function compileQuota(name: string, settings: QuotaSettings, context: LimitContext): Limit | null {
  const { cost: costs } = settings;
  if (isSettled(costs)) return compileSettled(name, settings, costs, context);
  const { count, period } = settings.quota;
  const { timeZone = "UTC", resetDay = 1 } = settings;
  const share = compileShare(settings.replicas, context);
  const { scope, by } = countedBy(settings.store !== undefined, share);
  const part = Math.max(1, Math.floor(count * (share?.factor ?? 1)));
  const quota = settings.store === undefined ? part : count;
  const facts = { name, quota, windowSeconds: PERIOD_SECONDS[period], unit: "requests", scope } as const;
  const policy = limitPolicy(facts, context);
  const key = compileLimitKey(name, settings, context);
  const cost = compileCost(costs, context);
  const store = settings.store === undefined ? undefined : context.store(settings.store);
  if (
    !isCalendarSound("quota", period, settings.resetDay, context) ||
    store === null ||
    policy === null ||
    key === null ||
    cost === undefined
  )
    return null;
  if (cost !== null && cost.max > count) {
    context.problem(`a request that costs ${cost.max} never passes; expected at most the quota of ${count}`, "cost");
    return null;
  }
  if (store === undefined && !context.hasState && period !== "hour") {
    context.warning(
      "state_missing",
      "without 'state' a restart forgets what was counted, and every caller has the whole quota again",
    );
  }
  const book = context.resource("quotas", [], (world) => new QuotaBook(world));
  const { maxKeys: keysMax = DEFAULTS.quotaKeys } = settings;
  const shared = book.share({ name, by: key.reader.identity, period, timeZone, resetDay, keysMax }, part);
  const isDefault = settings.timeZone === undefined && settings.resetDay === undefined;
  const { waiting } = context;
  const limit = new QuotaLimit(
    {
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      key,
      limit: Math.max(part, cost?.max ?? 1),
      whole: count,
      countedBy: by,
      description: `${count}/${period}${isDefault ? "" : ` in ${timeZone}`}${share?.text ?? ""}`,
      costs: cost?.text ?? "",
      policy,
      cost,
      counts: settings.count === undefined ? null : countsOf(settings.count),
      hasOthers: context.hasOthers,
      clock: context.clock,
      waiting,
    },
    shared,
  );
  return store === undefined ? limit : store.share(limit, settings.lease);
}

function isSettled(cost: QuotaSettings["cost"]): cost is QuotaSettledCost {
  return typeof cost === "object" && "response" in cost;
}

/** A quota of what answers say is a budget: each request takes 1, as of any quota, until it is known. */
function compileSettled(
  name: string,
  settings: QuotaSettings,
  cost: QuotaSettledCost,
  context: LimitContext,
): Limit | null {
  const { quota, count, replicas, lease, ...rest } = settings;
  const strays = { count, replicas, lease };
  for (const [key, value] of Object.entries(strays)) {
    if (value === undefined) continue;
    context.problem(`its requests cost what their answers say; expected no '${key}'`, key);
    return null;
  }
  const budget = { amount: String(quota.count), period: quota.period };
  return compileBudget(name, { ...rest, budget, cost: { ...cost, estimate: cost.estimate ?? 1 } }, context);
}
