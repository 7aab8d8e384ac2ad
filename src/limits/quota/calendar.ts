import { OFFSET_MS_MAX, Zone } from "./zone.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const PERIODS = ["hour", "day", "week", "month"] as const;
export type Period = (typeof PERIODS)[number];

/** What a quota is counted over. */
export interface CalendarSettings {
  readonly period: Period;
  /** As the IANA database has it. */
  readonly timeZone: string;
  /** Of a week: 1, Monday, to 7. Of a month: 1 to 31; a shorter month's last day stands for those that it lacks. */
  readonly resetDay: number;
}

/** Unix milliseconds; the end is the next one's beginning. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Windows of the calendar, one behind the other without a gap, whatever the clocks of the zone do. Days, weeks and months
 * begin when the zone's clocks first show midnight or later: a day may have 23 hours, or 25. An hour begins whenever they
 * show a full one, and where they are set: of an hour that is shown twice each is one, so none is longer than an hour.
 * A window is found once and then kept until it is over.
 */
export class Calendar {
  readonly #zone: Zone;
  readonly #settings: CalendarSettings;
  #window: Window = { startMs: 0, endMs: 0 };

  constructor(settings: CalendarSettings) {
    this.#settings = settings;
    this.#zone = new Zone(settings.timeZone);
  }

  /**
   * The window that `wallMs` is in. A clock that is set back by less than `setBackMsMax` does not bring the last window
   * back: what was counted in this one goes on to count.
   */
  at(wallMs: number, setBackMsMax: number = 0): Window {
    const { startMs, endMs } = this.#window;
    if (wallMs < endMs && wallMs >= startMs - setBackMsMax) return this.#window;
    this.#window = this.#settings.period === "hour" ? this.#hourAt(wallMs) : this.#daysAt(wallMs);
    return this.#window;
  }

  #hourAt(wallMs: number): Window {
    const offsetMs = this.#zone.offsetMs(wallMs);
    const hourMs = Math.floor((wallMs + offsetMs) / HOUR_MS) * HOUR_MS - offsetMs;
    const changes = this.#zone.changes(hourMs - 1000, hourMs + HOUR_MS);
    return {
      startMs: Math.max(hourMs, ...changes.filter((changeMs) => changeMs <= wallMs)),
      endMs: Math.min(hourMs + HOUR_MS, ...changes.filter((changeMs) => changeMs > wallMs)),
    };
  }

  #daysAt(wallMs: number): Window {
    // Two days ahead of whatever the clocks show.
    let localMs = this.#boundary(wallMs + OFFSET_MS_MAX + DAY_MS, 1);
    let endMs = this.#zone.firstAt(localMs);
    for (;;) {
      localMs = this.#boundary(localMs, -1);
      const startMs = this.#zone.firstAt(localMs);
      // A day that the zone left out, as Samoa did one of 2011, is no window.
      if (startMs <= wallMs && startMs < endMs) return { startMs, endMs };
      endMs = startMs;
    }
  }

  /** The next beginning of a window behind `localMs`, by 1, or the last one before it, by -1; on the zone's clocks. */
  #boundary(localMs: number, by: 1 | -1): number {
    const day = by === 1 ? Math.floor(localMs / DAY_MS) + 1 : Math.ceil(localMs / DAY_MS) - 1;
    if (this.#settings.period === "day") return day * DAY_MS;
    if (this.#settings.period === "week") {
      // 1970-01-01 was a Thursday.
      const past = (((day + 3 - (this.#settings.resetDay - 1)) % 7) + 7) % 7;
      return (by === 1 ? day + ((7 - past) % 7) : day - past) * DAY_MS;
    }
    const date = new Date(day * DAY_MS);
    const own = this.#monthStart(date.getUTCFullYear(), date.getUTCMonth());
    if (by === 1 ? own >= day * DAY_MS : own <= day * DAY_MS) return own;
    return this.#monthStart(date.getUTCFullYear(), date.getUTCMonth() + by);
  }

  #monthStart(year: number, month: number): number {
    const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    return Date.UTC(year, month, Math.min(this.#settings.resetDay, lastDay));
  }
}
