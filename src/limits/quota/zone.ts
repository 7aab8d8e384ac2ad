import { zoneOffsets } from "../../support/local-time.ts";

/** Offsets of a time zone are below this, whatever the year; in milliseconds. */
export const OFFSET_MS_MAX: number = 16 * 3_600_000;
const HOUR_MS = 3_600_000;

/** What the clocks of one time zone show. */
export class Zone {
  /** What is added to UTC at this moment, in milliseconds. */
  readonly offsetMs: (wallMs: number) => number;

  /** `timeZone` as the IANA database has it; one that does not exist throws. */
  constructor(timeZone: string) {
    this.offsetMs = zoneOffsets(timeZone);
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
