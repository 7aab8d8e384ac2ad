import * as z from "zod";
import { PERIODS, type Period } from "../../limits/quota/calendar.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object } from "../../support/schema.ts";
import { estimate, otherwise, response, type SettledCost } from "./budget-schema.ts";
import { calendarShape } from "./calendar-shape.ts";
import { type CostSettings, costSchema } from "./cost.ts";
import type { KeySettings } from "./key.ts";
import { keyShape } from "./key-schema.ts";
import { type Counted, countSchema, storeShape } from "./schema.ts";
import type { ReplicasSettings } from "./share.ts";

/** '10000/day' → count and period. */
export interface Quota {
  readonly count: number;
  readonly period: Period;
}

/** Of a quota whose requests cost what their answers say. */
export interface QuotaSettledCost extends Omit<SettledCost, "estimate"> {
  readonly estimate?: SettledCost["estimate"] | undefined;
}

export interface QuotaSettings extends KeySettings {
  readonly quota: Quota;
  readonly timeZone?: string | undefined;
  readonly resetDay?: number | undefined;
  readonly cost?: CostSettings | QuotaSettledCost | undefined;
  readonly count?: Counted | undefined;
  readonly maxKeys?: number | undefined;
  readonly store?: string | undefined;
  readonly lease?: number | undefined;
  readonly replicas?: ReplicasSettings | undefined;
  readonly mode?: number | undefined;
}

const QUOTA_PATTERN = /^([1-9]\d{0,11})\/(hour|day|week|month)$/;
const QUOTA_EXPECTED = `expected a quota: COUNT/${PERIODS.join(", /")}, as in 10000/day`;

const quota: z.ZodType<Quota, string> = z
  .string({ error: QUOTA_EXPECTED })
  .regex(QUOTA_PATTERN, { error: QUOTA_EXPECTED })
  .transform((text) => {
    const [count = "1", period = "day"] = text.split("/");
    return { count: Number(count), period: PERIODS.find((one) => one === period) ?? "day" };
  });

/** A value under `limits:` that has a `quota`. */
export const quotaSchema: z.ZodType<QuotaSettings> = object({
  quota: quota.describe(
    "Requests that each key may send in an hour, day, week or month of the calendar, as in 10000/day.",
  ),
  ...keyShape,
  cost: z
    .union(
      [
        object({
          estimate: estimate.optional(),
          response,
          otherwise,
        }),
        costSchema,
      ],
      {
        error:
          "expected a number, costs by method as in { POST: 10, default: 1 }, { from: ATTRIBUTE, default: 1 }, or { response: $.usage.total_tokens }",
      },
    )
    .optional()
    .describe(
      "What one request costs: a number, by method, from an attribute, or what its answer says, which makes the quota a budget with an estimate of 1 where it names none. 1 if absent.",
    ),
  count: countSchema.optional(),
  ...calendarShape,
  maxKeys: z
    .int()
    .min(DEFAULTS.rateKeysMin)
    .max(DEFAULTS.quotaKeysMax)
    .optional()
    .describe(`How many keys are counted at once. ${DEFAULTS.quotaKeys} if absent.`),
  ...storeShape,
  mode: mode.optional(),
});
