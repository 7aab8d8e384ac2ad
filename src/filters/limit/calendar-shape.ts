import * as z from "zod";
import type { Period } from "../../limits/quota/calendar.ts";
import { isTimeZone } from "../../support/local-time.ts";
import type { LimitContext } from "../filter.ts";

/** What kinds of limits have that count in windows of the calendar. */
export const calendarShape = {
  timeZone: z
    .string()
    .refine(isTimeZone, { error: "expected a time zone as the IANA database has it, as in Europe/Berlin" })
    .optional()
    .describe("Where hours, days, weeks and months begin, as in Europe/Berlin. UTC if absent."),
  resetDay: z
    .int()
    .min(1)
    .max(31)
    .optional()
    .describe(
      "On which day a week begins, 1 (Monday) to 7, or a month, 1 to 31; where a month has no such day, on its last. 1 if absent.",
    ),
};

/** For clients; a month is told as thirty days. */
export const PERIOD_SECONDS: Readonly<Record<Period, number>> = {
  hour: 3_600,
  day: 86_400,
  week: 7 * 86_400,
  month: 30 * 86_400,
};

/** False with a problem where the day is none of the period. `kind`: the limit's word. */
export function isCalendarSound(
  kind: string,
  period: Period,
  resetDay: number | undefined,
  context: LimitContext,
): boolean {
  if (resetDay === undefined) return true;
  if (period === "hour" || period === "day") {
    context.problem(`a ${kind} by ${period} begins anew each ${period}; expected no 'resetDay'`, "resetDay");
    return false;
  }
  if (period !== "week" || resetDay <= 7) return true;
  context.problem("a week has days 1 (Monday) to 7", "resetDay");
  return false;
}
