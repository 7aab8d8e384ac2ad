import * as z from "zod";
import { REASONS, type Reason } from "../../decision/reason.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, object } from "../../support/schema.ts";
import { parseRate, RATE_PATTERN } from "../../support/units.ts";

/** What a ban can be for: credentials that were there and were not good. */
export const BANNED_FOR: readonly Reason[] = (Object.keys(REASONS) as Reason[]).filter((reason) =>
  /^(?:certificate|api_key|basic|password|user|token|attempts|proof|signature)_/.test(reason),
);

const TIMES_EXPECTED = "expected a count within a time, as in 20/minute";

/** A value under `bans:`. */
export const banSchema = object({
  on: z
    .array(z.enum(BANNED_FOR as [Reason, ...Reason[]], { error: `expected one of ${BANNED_FOR.join(", ")}` }))
    .min(1, { error: "expected at least one reason, as in [api_key_unknown]" })
    .describe("Reasons of denials that count as a failure."),
  times: z
    .string()
    .regex(RATE_PATTERN, { error: TIMES_EXPECTED })
    .transform((text) => {
      const parsed = parseRate(text);
      return parsed.ok ? parsed.value : { count: 1, windowSeconds: 1 };
    })
    .describe("So many failures within so long are a ban, as in 20/minute."),
  key: z
    .enum(["client.address", "account"], { error: "expected client.address or account" })
    .describe("Whom failures count against: the client's address (IPv6: its /64), or the account that was tried."),
  for: durationMs
    .refine((ms) => ms >= 1_000 && ms <= DEFAULTS.banMsMax, { error: "expected a time of 1s to 24h" })
    .describe("How long a ban lasts."),
  growing: z
    .boolean()
    .default(false)
    .describe("Each ban within a day of the last one is twice as long, up to 24h. false if absent."),
});

export type BanSettings = z.output<typeof banSchema>;
