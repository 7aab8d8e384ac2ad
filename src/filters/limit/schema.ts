import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object, rate } from "../../support/schema.ts";
import type { Rate } from "../../support/units.ts";
import { type CostSettings, costSchema } from "./cost.ts";
import type { KeySettings } from "./key.ts";
import { keyShape } from "./key-schema.ts";
import { type PlanChoice, planChoiceSchema } from "./plan-schema.ts";
import { type ThrottleSettings, throttleSchema } from "./queue-schema.ts";
import { type ReplicasSettings, replicasSchema } from "./share.ts";

export interface RateSettings extends KeySettings {
  readonly rate: Rate;
  /** Requests that may come at once; undefined: the rate's count. */
  readonly burst?: number | undefined;
  readonly throttle?: ThrottleSettings | undefined;
  readonly cost?: CostSettings | undefined;
  readonly count?: Counted | undefined;
  /** How many keys are counted at once. */
  readonly maxKeys?: number | undefined;
  /** Of the policy's stores; undefined for none. */
  readonly store?: string | undefined;
  readonly lease?: number | undefined;
  readonly replicas?: ReplicasSettings | undefined;
  readonly mode?: number | undefined;
}

/** Which requests count, by how they end. */
export type Counted = "failures" | "successes";

/** `count` of a limit. */
export const countSchema: z.ZodType<Counted> = z
  .enum(["failures", "successes"])
  .describe(
    "Counts only requests that end so: failures (status 400 and above, or none) or successes (below 400). A request that is under way counts until then. All requests if absent.",
  );

/** `store` of a limit. */
export const storeName: z.ZodOptional<z.ZodString> = z
  .string()
  .optional()
  .describe("Name of a store: all processes that use it count together. Each process counts for itself if absent.");

/** Keys of limits that several processes can share. */
export const storeShape = {
  replicas: replicasSchema.optional(),
  store: storeName,
  lease: z
    .int()
    .min(0)
    .max(DEFAULTS.storeLeaseMax)
    .optional()
    .describe("Units that are taken of the store at once, and spent here; 0 for none. The store's setting if absent."),
};

/** A value under `limits:` that has a `rate`. */
export const rateSchema: z.ZodType<RateSettings> = object({
  rate: rate.describe("Requests that each key may send in the long run, as in 50/second."),
  burst: z
    .int()
    .min(1)
    .max(999_999_999)
    .optional()
    .describe("Requests of one key that may come at once. The count of 'rate' if absent."),
  ...keyShape,
  throttle: throttleSchema.optional(),
  cost: costSchema.optional(),
  count: countSchema.optional(),
  maxKeys: z
    .int()
    .min(DEFAULTS.rateKeysMin)
    .max(DEFAULTS.rateKeysMax)
    .optional()
    .describe(
      `How many keys are counted at once, rounded up to a power of two. Default ${DEFAULTS.rateKeys}, or an even share ` +
        `of the ${DEFAULTS.rateKeysMax} that all limits together may count.`,
    ),
  ...storeShape,
  mode: mode.optional(),
});

/** An entry of a route's `limit`: the name of one, or who has which plan. */
export type LimitEntry = string | { readonly plan: PlanChoice /** It stands in no list. */; readonly isAlone?: true };

const PLAN = "Which of the policy's plans a caller has.";

const limitEntry = z.union([z.string(), object({ plan: planChoiceSchema.describe(PLAN) })], {
  error: "expected a name of 'limits', or { plan: { from: jwt.plan, default: free } }",
});

/** `limit` of a route: limits, each of which must let the request pass. */
export const limitSchema: z.ZodType<readonly LimitEntry[]> = z
  .union(
    [
      z.array(limitEntry).min(1, { error: "expected at least one name of 'limits'" }),
      object({ plan: planChoiceSchema.describe(PLAN) }).transform(({ plan }): LimitEntry[] => [
        { plan, isAlone: true },
      ]),
    ],
    { error: "expected a list of names of 'limits', or { plan: { from: jwt.plan, default: free } }" },
  )
  .describe("Names of limits, each of which must let the request pass, and who has which plan.");
