import type { Clock } from "./clock.ts";

/** Something that must not take for ever. */
export interface Timed {
  /** Monotonic milliseconds at which patience ends; Infinity for none. Set by plain assignment, so it costs nothing. */
  deadlineMs: number;
  onDeadline(): void;
}

/**
 * The deadlines of all connections, looked at by one timer: a timer per request would cost more than the request's
 * parsing. A deadline is met late by at most the sweep's interval.
 */
export class Deadlines {
  readonly #items = new Set<Timed>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(item: Timed): void {
    this.#items.add(item);
  }

  remove(item: Timed): void {
    this.#items.delete(item);
  }

  /** Calls `onDeadline` once for each item whose time has come. */
  sweep(): void {
    const now = this.#clock.monotonicMs();
    for (const item of this.#items) {
      if (item.deadlineMs > now) continue;
      item.deadlineMs = Number.POSITIVE_INFINITY;
      item.onDeadline();
    }
  }
}
