/** Offsets change at quarters of an hour, so within one the offset is what it was at its beginning. */
const QUARTER_MS = 15 * 60_000;
const DAY_MS = 24 * 3_600_000;

/** What the clocks of one time zone say. The zone's own tables are asked once a quarter of an hour. */
export class LocalTime {
  readonly #offsetAt: (wallMs: number) => number;
  #quarter = Number.NaN;
  #offsetMs = 0;

  /** `timeZone` as the IANA database has it; one that does not exist throws. */
  constructor(timeZone: string) {
    this.#offsetAt = zoneOffsets(timeZone);
  }

  /** Day of the week from Monday, 0, and minute of the day. */
  at(wallMs: number): { readonly weekday: number; readonly minute: number } {
    const localMs = this.localMs(wallMs);
    const day = Math.floor(localMs / DAY_MS);
    // 1970-01-01 was a Thursday.
    return { weekday: (((day + 3) % 7) + 7) % 7, minute: Math.floor((localMs - day * DAY_MS) / 60_000) };
  }

  /** What its clocks show, as if they were those of UTC. */
  localMs(wallMs: number): number {
    const quarter = Math.floor(wallMs / QUARTER_MS);
    if (quarter !== this.#quarter) {
      this.#offsetMs = this.#offsetAt(quarter * QUARTER_MS);
      this.#quarter = quarter;
    }
    return wallMs + this.#offsetMs;
  }
}

/**
 * What is added to UTC at a moment, in milliseconds, from the tables that the runtime has of the zone. Asking costs about a
 * microsecond. A zone that does not exist throws.
 */
export function zoneOffsets(timeZone: string): (wallMs: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (wallMs) => {
    const secondMs = Math.floor(wallMs / 1000) * 1000;
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] =
      format.format(secondMs).match(/\d+/g)?.map(Number) ?? [];
    return Date.UTC(year, month - 1, day, hour, minute, second) - secondMs;
  };
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
