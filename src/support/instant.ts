const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

export const INSTANT_EXPECTED = "expected a date or a time with its zone, as in 2027-01-01 or 2027-01-01T12:00:00Z";

/** A day, of which the first or the last millisecond in UTC is meant, or a time with its zone → Unix milliseconds; null for anything else. */
export function instantMs(text: string, endOfDay: boolean = false): number | null {
  const day = DATE.test(text);
  if (!day && !INSTANT.test(text)) return null;
  const parsed = new Date(day ? `${text}T${endOfDay ? "23:59:59.999" : "00:00:00.000"}Z` : text);
  if (Number.isNaN(parsed.getTime())) return null;
  // Date.parse takes February 30th for March 2nd.
  const dayOfMonth = new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate();
  return dayOfMonth === Number(text.slice(8, 10)) ? parsed.getTime() : null;
}
