import type { TimeWindow } from "../filters/authorize/schema.ts";
import { LocalTime } from "../support/local-time.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/** At its begin and its end, and just before each, on a day of the window; then its begin on the other days of the week. */
export function edgesOfWindow(window: TimeWindow, nowMs: number): readonly number[] {
  const [first = nowMs, ...others] = beginsOf(window, nowMs);
  const endMs = first + ((window.toMinute - window.fromMinute + DAY_MINUTES - 1) % DAY_MINUTES) * MINUTE_MS + MINUTE_MS;
  return [first - 1, first, endMs - 1, endMs, ...(window.days.size === 7 ? [] : others)];
}

/** A moment in the window, soon. */
export function momentIn(window: TimeWindow, nowMs: number): number {
  return beginsOf(window, nowMs)[0] ?? nowMs;
}

/** When its first minute is on each day of the week from now on, by the clocks of its time zone; on a day of its own first. */
function beginsOf({ fromMinute, timeZone, days }: TimeWindow, nowMs: number): readonly number[] {
  const local = new LocalTime(timeZone);
  const startMs = nowMs - (nowMs % MINUTE_MS);
  const minutes = fromMinute - local.at(startMs).minute;
  const begins = [0, 1, 2, 3, 4, 5, 6].map((day) => {
    const aboutMs = startMs + day * DAY_MINUTES * MINUTE_MS + minutes * MINUTE_MS;
    // Clocks may be put forward or back on the way.
    const apart = local.at(aboutMs).minute - fromMinute;
    return Math.abs(apart) <= 120 ? aboutMs - apart * MINUTE_MS : aboutMs;
  });
  const isOwn = (atMs: number): boolean => days.has(local.at(atMs).weekday);
  return [...begins.filter(isOwn), ...begins.filter((atMs) => !isOwn(atMs))];
}
