import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, object } from "../../support/schema.ts";

const waitMs = durationMs.refine((ms) => ms >= 1 && ms <= DEFAULTS.queueTimeoutMsMax, {
  error: "expected a time of 1ms to 60s",
});

/** Where requests wait. */
export const queueShape = {
  length: z
    .int()
    .min(1)
    .max(DEFAULTS.queueLengthMax)
    .default(DEFAULTS.queueLength)
    .describe(`How many requests of one key may wait. ${DEFAULTS.queueLength} if absent.`),
  timeout: waitMs.default(DEFAULTS.queueTimeoutMs).describe("How long a request may wait. 1s if absent."),
};

/** `throttle` of a rate. */
export const throttleSchema = object({
  queue: queueShape.length,
  timeout: queueShape.timeout,
}).describe("Requests beyond the rate wait for their turn, in place of being refused.");

export type ThrottleSettings = z.output<typeof throttleSchema>;
