import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object } from "../../support/schema.ts";

/** A limit in a plan: its name, or its name and the keys of it that are other here. */
export type PlanEntry = string | Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const ENTRY_EXPECTED =
  "expected the name of a limit, or { NAME: { rate: 500/second } } for one that is other in this plan";

/** A value under `plans:`. */
export const planSchema: z.ZodType<readonly PlanEntry[]> = z
  .array(
    z
      .union([z.string().min(1), z.record(z.string(), z.record(z.string(), z.unknown()))], { error: ENTRY_EXPECTED })
      .refine((entry) => typeof entry === "string" || Object.keys(entry).length === 1, { error: ENTRY_EXPECTED }),
    { error: "expected a list of limits" },
  )
  .max(DEFAULTS.planLimitsMax)
  .describe(
    "Limits of the callers who have this plan. { NAME: { rate: 500/second } } changes keys of a limit for them.",
  );

/** Who has which plan. */
export interface PlanChoice {
  readonly from?: string | undefined;
  readonly roles?: Readonly<Record<string, string>> | undefined;
  readonly overrides?: Readonly<Record<string, string>> | undefined;
  readonly exempt?: readonly string[] | undefined;
  /** A plan, or one of these words. */
  readonly default: string;
  readonly mode?: number | undefined;
}

const caller = z
  .string()
  .regex(/^[^/\s]+\/.+$/, { error: "expected a caller as AUTHENTICATOR/ID, as in partners/acme" });

/** `plan` of a route's `limit`. */
export const planChoiceSchema: z.ZodType<PlanChoice> = object({
  from: z
    .string()
    .min(1)
    .max(DEFAULTS.attributeCharsMax)
    .optional()
    .describe("The attribute that names the caller's plan, as jwt.plan. What is no plan counts as absent."),
  roles: z.record(z.string(), z.string()).optional().describe("Role → plan; the first that the caller has."),
  overrides: z
    .record(caller, z.string())
    .optional()
    .describe("Caller → plan, whatever else is said of it. Callers are AUTHENTICATOR/ID."),
  exempt: z
    .array(caller)
    .max(DEFAULTS.planCallersMax)
    .optional()
    .describe("Callers without a plan's limits, as a monitor."),
  default: z
    .string({ error: "expected a plan, unlimited or deny" })
    .min(1)
    .describe("The plan of all others; unlimited or deny where there is none."),
  mode: mode.optional().describe("As 'mode' of every check, for those who have no plan where 'default' is deny."),
});
