import * as z from "zod";
import type { Reason } from "../../decision/reason.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, mode, nearest, object } from "../../support/schema.ts";
import { parseRate, RATE_PATTERN } from "../../support/units.ts";
import { keyShape } from "../limit/key-schema.ts";
import { BANNED_FOR } from "./reasons.ts";

const TIMES_EXPECTED = "expected a count within a time, as in 20/minute";

/** So much within so long, as in 20/minute. */
const count = z
  .string({ error: TIMES_EXPECTED })
  .regex(RATE_PATTERN, { error: TIMES_EXPECTED })
  .transform((text) => {
    const parsed = parseRate(text);
    return parsed.ok ? parsed.value : { count: 1, windowSeconds: 1 };
  });

/** There are too many reasons to list. */
function hintOf(input: unknown): string {
  const near = typeof input === "string" ? nearest(input, BANNED_FOR) : undefined;
  return near === undefined ? "policies/REFERENCE.md lists them" : `did you mean '${near}'?`;
}

/** A value under `bans:`. */
export const banSchema = object({
  on: z
    .array(
      z.enum(BANNED_FOR as [Reason, ...Reason[]], {
        error: ({ input }) => `expected a reason for which a client is refused; ${hintOf(input)}`,
      }),
    )
    .min(1, { error: "expected at least one reason, as in [api_key_unknown]" })
    .optional()
    .describe("Reasons of denials that count, with 'times'."),
  times: count
    .optional()
    .describe("So many denials within so long are free, as in 20/minute; the next one is the ban."),
  suspicion: count
    .optional()
    .describe(
      "In place of 'on' and 'times': scores of all that detectors find in requests add up, also in those that pass; so much within so long is free, as in 30/hour.",
    ),
  key: keyShape.key.describe(
    "Whom denials count against and the ban meets: client.address, account (of failed logins), principal, any attribute, an expression, or a list of them.",
  ),
  ipv6Prefix: keyShape.ipv6Prefix,
  absent: keyShape.absent,
  for: durationMs
    .refine((ms) => ms >= 1_000 && ms <= DEFAULTS.banMsMax, { error: "expected a time of 1s to 24h" })
    .describe("How long a ban lasts."),
  growing: z
    .boolean()
    .default(false)
    .describe("Each ban within a day of the last one is twice as long, up to 24h. false if absent."),
  mode: mode.optional(),
});

export type BanSettings = z.output<typeof banSchema>;
