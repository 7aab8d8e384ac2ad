import * as z from "zod";
import { PERIODS, type Period } from "../../limits/quota/calendar.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object } from "../../support/schema.ts";
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

export interface QuotaSettings extends KeySettings {
  readonly quota: Quota;
  readonly timeZone?: string | undefined;
  readonly resetDay?: number | undefined;
  readonly cost?: CostSettings | undefined;
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
  cost: costSchema.optional(),
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
