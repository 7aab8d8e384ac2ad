import * as z from "zod";
import { PRIORITIES, type Priority } from "../../limits/overload/pressure.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, mode, object } from "../../support/schema.ts";

const SHARE = /^(\d{1,2}|100)%$/;

/** Section `overload`. */
export const overloadSchema = object({
  eventLoopDelay: durationMs
    .refine((ms) => ms >= DEFAULTS.overloadDelayMsMin && ms <= DEFAULTS.overloadDelayMsMax, {
      error: "expected a time of 20ms to 10s",
    })
    .optional()
    .describe("So long may events wait for the thread before requests are shed. 200ms if absent."),
  memory: z
    .string()
    .regex(SHARE, { error: "expected a share of 50% to 100%" })
    .transform((text) => Number.parseInt(text, 10) / 100)
    .refine((share) => share >= 0.5, { error: "expected a share of 50% to 100%" })
    .optional()
    .describe("So much of what the process may hold may be resident before requests are shed. 90% if absent."),
  mode: mode.optional(),
});

export type OverloadSettings = z.output<typeof overloadSchema>;

/** `priority` of a route. */
export const prioritySchema: z.ZodType<Priority> = z
  .enum(PRIORITIES, { error: "expected low, normal, high or critical" })
  .describe(
    "How much the route matters when 'overload' sheds requests: low goes first, critical never. normal if absent, critical for a health check.",
  );
