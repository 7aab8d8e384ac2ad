import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { INSTANT_EXPECTED, instantMs } from "../../support/instant.ts";
import { mode, object } from "../../support/schema.ts";
import { type AuthorizeRule, ruleBeside } from "../authorize/schema.ts";

/** A time in which requests are answered as after the end. Unix milliseconds; the end is not part of it. */
export interface Brownout {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Whom the end does not touch yet: a rule of `authorize`, and a time. */
export interface ExceptionSettings extends AuthorizeRule {
  readonly until: number;
}

export interface DeprecatedSettings {
  readonly mode?: number | undefined;
  /** Unix milliseconds. */
  readonly since?: number | undefined;
  readonly sunset?: number | undefined;
  /** References of URIs (RFC 3986), without anything that a header would have to quote. */
  readonly successor?: string | undefined;
  readonly announcement?: string | undefined;
  readonly brownouts?: readonly Brownout[] | undefined;
  readonly except?: readonly ExceptionSettings[] | undefined;
}

function instant(endOfDay: boolean): z.ZodType<number, string> {
  return z
    .string({ error: INSTANT_EXPECTED })
    .refine((text) => instantMs(text, endOfDay) !== null, { error: INSTANT_EXPECTED })
    .transform((text) => instantMs(text, endOfDay) ?? 0);
}

const REFERENCE_EXPECTED =
  "expected a path or an https URL, as in /v2/ or https://example.org/news, blanks written as %20";
const reference = z
  .string({ error: REFERENCE_EXPECTED })
  .max(2_048)
  .regex(/^(?:https?:\/\/[^/?#]+|\/(?!\/))[!#-;=?-Z_a-z[\]~%]*$/, { error: REFERENCE_EXPECTED });

const BROWNOUT_EXPECTED =
  "expected a beginning with its zone and a duration or an end, as in 2026-12-01T09:00Z/PT15M or 2026-12-01T09:00Z/2026-12-01T09:15Z";
const HOURS = /^P(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?)?$/;

/** ISO 8601 section 5.5.2: beginning and end, or beginning and duration. */
function brownoutOf(text: string): Brownout | null {
  const [begin = "", end = "", more] = text.split("/");
  if (more !== undefined || !begin.includes("T")) return null;
  const fromMs = instantMs(begin);
  if (fromMs === null) return null;
  const untilMs = end.startsWith("P") ? fromMs + durationMs(end) : end.includes("T") ? instantMs(end) : null;
  return untilMs === null || untilMs <= fromMs ? null : { fromMs, untilMs };
}

/** Days of 24 hours, hours, minutes and seconds; 0 for anything else. */
function durationMs(text: string): number {
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = HOURS.exec(text) ?? [];
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
}

const brownout: z.ZodType<Brownout, string> = z
  .string({ error: BROWNOUT_EXPECTED })
  .refine((text) => brownoutOf(text) !== null, { error: BROWNOUT_EXPECTED })
  .transform((text) => brownoutOf(text) ?? { fromMs: 0, untilMs: 0 });

const exceptions: z.ZodType<readonly ExceptionSettings[]> = z
  .array(ruleBeside({ until: instant(true).describe("The last day, or the time, until which they are served.") }))
  .max(DEFAULTS.deprecatedExceptionsMax);

export const deprecatedSchema: z.ZodType<DeprecatedSettings> = z.lazy(() =>
  object(
    {
      mode: mode.optional(),
      since: instant(false)
        .optional()
        .describe("Since when, or from when on, it should not be used: answers say so in Deprecation (RFC 9745)."),
      sunset: instant(false)
        .optional()
        .describe("When it ends: answers say so in Sunset (RFC 8594), and from then on requests get 410."),
      successor: reference
        .optional()
        .describe("Where what takes its place is: a path or URL, told in Link as successor-version."),
      announcement: reference
        .optional()
        .describe("Where the end is told of to people: a path or URL, in Link as deprecation and sunset."),
      brownouts: z
        .array(brownout)
        .max(DEFAULTS.deprecatedBrownoutsMax)
        .optional()
        .describe(
          "Times in which requests get 410 before it ends, each BEGIN/DURATION or BEGIN/END, as in 2026-12-01T09:00Z/PT15M.",
        ),
      except: exceptions
        .optional()
        .describe(
          "Callers, by rules as in 'authorize', whom end and brown-outs do not touch until a day of their own.",
        ),
    },
    "{ since: 2026-01-01, sunset: 2027-01-01 }",
  ).describe("That this is to end: what answers say of it, and when it is over."),
);
