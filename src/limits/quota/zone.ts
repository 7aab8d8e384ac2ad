/** Offsets of a time zone are below this, whatever the year; in milliseconds. */
export const OFFSET_MS_MAX: number = 16 * 3_600_000;
const HOUR_MS = 3_600_000;

/** What the clocks of one time zone show, from the tables that the runtime has of it. Asking costs about a microsecond. */
export class Zone {
  readonly #format: Intl.DateTimeFormat;

  /** `timeZone` as the IANA database has it; one that does not exist throws. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** What is added to UTC at this moment, in milliseconds. */
  offsetMs(wallMs: number): number {
    const secondMs = Math.floor(wallMs / 1000) * 1000;
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] =
      this.#format.format(secondMs).match(/\d+/g)?.map(Number) ?? [];
    return Date.UTC(year, month - 1, day, hour, minute, second) - secondMs;
  }

  /**
   * The first moment at which the clocks show `localMs` (as if they were those of UTC) or later: where they leap over it,
   * the leap; where they show it twice, the first time.
   */
  firstAt(localMs: number): number {
    const changes = this.changes(localMs - OFFSET_MS_MAX, localMs + OFFSET_MS_MAX);
    let fromMs = localMs - OFFSET_MS_MAX;
    for (const changeMs of [...changes, Number.POSITIVE_INFINITY]) {
      const atMs = Math.max(fromMs, localMs - this.offsetMs(fromMs));
      if (atMs < changeMs) return atMs;
      fromMs = changeMs;
    }
    return fromMs;
  }

  /** Moments in (`fromMs`, `toMs`] at which the offset becomes another one. No two are within an hour of each other. */
  changes(fromMs: number, toMs: number): readonly number[] {
    const found: number[] = [];
    let beforeMs = fromMs;
    let before = this.offsetMs(fromMs);
    while (beforeMs < toMs) {
      const nextMs = Math.min(beforeMs + HOUR_MS, toMs);
      const next = this.offsetMs(nextMs);
      if (next !== before) found.push(this.#changeBetween(beforeMs, nextMs, before));
      beforeMs = nextMs;
      before = next;
    }
    return found;
  }

  /** Offsets change at whole seconds. */
  #changeBetween(fromMs: number, toMs: number, before: number): number {
    let low = Math.floor(fromMs / 1000);
    let high = Math.ceil(toMs / 1000);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetMs(middle * 1000) === before) low = middle;
      else high = middle;
    }
    return high * 1000;
  }
}
