// Goal: a quota's window is the calendar's, to the millisecond, over changes of the clocks and ends of months. Method: a
// naive calendar that walks minute by minute and asks the runtime for each what the zone's clocks show; known dates; seeded
// random moments in zones that are known for oddities.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Calendar, type CalendarSettings, PERIODS } from "../../../src/limits/quota/calendar.ts";

const MINUTE_MS = 60_000;
const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns", // half an hour; until 2011 clocks changed a minute past midnight
  "Australia/Lord_Howe", // changes by half an hour
  "Asia/Kathmandu", // three quarters of an hour
  "Africa/Cairo", // clocks leap over midnight
  "Asia/Beirut",
  "America/Santiago", // at midnight, backward
  "America/Havana", // midnight comes twice
  "Africa/Casablanca", // back for one month, the moon's
  "Pacific/Apia", // left out 2011-12-30
  "Antarctica/Troll", // two hours
];

/** What the zone's clocks show, by the one reading of the runtime that does not share code with what is tested. */
function shown(timeZone: string): (atMs: number) => { localMs: number; offset: string } {
  return (atMs) => {
    const at = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
    return {
      localMs: Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second, at.millisecond),
      offset: at.offset,
    };
  };
}

/** The window in which a moment of the zone's clocks lies, as a number that grows; boundaries are where it does. */
function labelOf({ period, resetDay }: CalendarSettings): (localMs: number) => number {
  const day = (localMs: number): number => Math.floor(localMs / 86_400_000);
  if (period === "hour") return (localMs) => Math.floor(localMs / 3_600_000);
  if (period === "day") return day;
  if (period === "week") return (localMs) => Math.floor((day(localMs) + 3 - (resetDay - 1)) / 7);
  return (localMs) => {
    const date = new Date(localMs);
    const lengthOfMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    const isReached = date.getUTCDate() >= Math.min(resetDay, lengthOfMonth);
    return date.getUTCFullYear() * 12 + date.getUTCMonth() + (isReached ? 1 : 0);
  };
}

/** All moments between two at which a window begins, found by looking at every minute. */
function naiveBoundaries(settings: CalendarSettings, fromMs: number, toMs: number): number[] {
  const clock = shown(settings.timeZone);
  const label = labelOf(settings);
  const boundaries: number[] = [];
  let most = label(clock(fromMs - MINUTE_MS).localMs);
  let before = clock(fromMs - MINUTE_MS);
  for (let atMs = fromMs; atMs < toMs; atMs += MINUTE_MS) {
    const now = clock(atMs);
    const is = label(now.localMs);
    const isNew = settings.period === "hour" ? is !== label(before.localMs) || now.offset !== before.offset : is > most;
    if (isNew) boundaries.push(atMs);
    most = Math.max(most, is);
    before = now;
  }
  return boundaries;
}

function ownBoundaries(settings: CalendarSettings, fromMs: number, toMs: number): number[] {
  const calendar = new Calendar(settings);
  const boundaries: number[] = [];
  for (let atMs = fromMs; ; ) {
    const { startMs, endMs } = calendar.at(atMs);
    expect(startMs).toBeLessThanOrEqual(atMs);
    expect(endMs).toBeGreaterThan(atMs);
    if (startMs >= fromMs && startMs < toMs) boundaries.push(startMs);
    if (endMs >= toMs) return boundaries;
    atMs = endMs;
  }
}

/** Days on which something happens: the clocks' changes of some years, and ends of months. */
const ODD_DAYS = [
  ["America/St_Johns", "2010-03-13"],
  ["America/St_Johns", "2010-11-06"],
  ["Africa/Cairo", "2024-04-25"],
  ["Africa/Cairo", "2024-10-31"],
  ["Asia/Beirut", "2025-03-29"],
  ["Asia/Beirut", "2025-10-25"],
  ["America/Santiago", "2026-04-04"],
  ["America/Santiago", "2026-09-05"],
  ["America/Havana", "2026-10-31"],
  ["Pacific/Apia", "2011-12-29"],
  ["Australia/Lord_Howe", "2026-04-04"],
  ["Australia/Lord_Howe", "2026-10-03"],
  ["Europe/Berlin", "2026-03-28"],
  ["Europe/Berlin", "2026-10-24"],
  ["Africa/Casablanca", "2026-02-14"],
  ["Africa/Casablanca", "2026-03-21"],
  ["Antarctica/Troll", "2026-03-28"],
] as const;

describe.each(ODD_DAYS)("%s around %s", (timeZone, date) => {
  test.each(PERIODS)("by %s", (period) => {
    const day = Number(date.slice(-2));
    const weekday = ((new Date(date).getUTCDay() + 6) % 7) + 1;
    const settings = { period, timeZone, resetDay: period === "week" ? weekday : period === "month" ? day : 1 };
    const fromMs = Date.parse(date) - 20 * 3_600_000;
    const toMs = fromMs + 96 * 3_600_000;
    expect(ownBoundaries(settings, fromMs, toMs)).toEqual(naiveBoundaries(settings, fromMs, toMs));
  });
});

test("any moment, zone, period and day", () => {
  const settings = fc.record({
    period: fc.constantFrom(...PERIODS),
    timeZone: fc.constantFrom(...ZONES),
    resetDay: fc.integer({ min: 1, max: 31 }),
  });
  const moment = fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2037, 0) });
  fc.assert(
    fc.property(settings, moment, ({ resetDay, ...rest }, atMs) => {
      const one = { ...rest, resetDay: rest.period === "week" ? ((resetDay - 1) % 7) + 1 : resetDay };
      const { startMs, endMs } = new Calendar(one).at(atMs);
      expect(startMs).toBeLessThanOrEqual(atMs);
      expect(endMs).toBeGreaterThan(atMs);
      const longest = { hour: 1, day: 50, week: 8 * 24, month: 33 * 24 }[one.period] * 3_600_000;
      expect(endMs - startMs).toBeLessThanOrEqual(longest);
      for (const edge of [startMs, endMs]) {
        const fromMs = edge - 90 * MINUTE_MS;
        expect(naiveBoundaries(one, fromMs, edge + MINUTE_MS)).toContain(edge);
      }
      // Nothing begins between the two: windows of its own would lie there.
      for (const share of [0.01, 0.5, 0.99]) {
        const within = Math.floor(startMs + share * (endMs - startMs));
        expect(new Calendar(one).at(within)).toEqual({ startMs, endMs });
      }
    }),
    { numRuns: 300, seed: 12 },
  );
});

describe("months", () => {
  const starts = (resetDay: number, year: number): string[] =>
    ownBoundaries({ period: "month", timeZone: "UTC", resetDay }, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)).map(
      (ms) => new Date(ms).toISOString().slice(5, 10),
    );

  test("a day that a month lacks is its last one, and the next month has its own again", () => {
    expect(starts(31, 2027).slice(0, 4)).toEqual(["01-31", "02-28", "03-31", "04-30"]);
    expect(starts(30, 2028).slice(0, 3)).toEqual(["01-30", "02-29", "03-30"]);
  });

  test("each month has one beginning", () => {
    for (let resetDay = 1; resetDay <= 31; resetDay++) expect(starts(resetDay, 2026)).toHaveLength(12);
  });
});

describe("a clock that is set", () => {
  const calendar = new Calendar({ period: "day", timeZone: "UTC", resetDay: 1 });
  const midnight = Date.UTC(2026, 5, 2);

  test("back by a little does not bring yesterday back", () => {
    expect(calendar.at(midnight + 1, 60_000).startMs).toBe(midnight);
    expect(calendar.at(midnight - 30_000, 60_000).startMs).toBe(midnight);
  });

  test("back by more is believed", () => {
    expect(calendar.at(midnight - 61_000, 60_000).endMs).toBe(midnight);
  });
});

test("a time zone that does not exist throws", () => {
  expect(() => new Calendar({ period: "day", timeZone: "Europe/Atlantis", resetDay: 1 })).toThrow(RangeError);
});
