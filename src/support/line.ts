import { type Clock, systemClock } from "./clock.ts";
import { DEFAULTS } from "./defaults.ts";

/** What a line knows of the thread; tests pass their own. */
export interface Thread extends Pick<Clock, "monotonicMs"> {
  /** How many events the loop has handled so far: what came by sockets, and from other threads. */
  events(): number;
  /** Runs it when the loop has looked for events once more. */
  defer(run: () => void): void;
}

/**
 * Who of all long work on a thread has the next turn: the event loop goes round between any two stretches, one work after the
 * other, so that a request waits for one stretch and not for as many as there are works. Where others were served in the last
 * round, what they do next comes first, too, for a request takes several rounds; no longer than `turnRestMsMax`, so that
 * long work goes on however busy the thread is.
 */
export class Line {
  readonly #thread: Thread;
  #waiting: (() => void)[] = [];
  #isDue = false;
  #events = 0;
  /** When others were served last, as far as anybody in line saw it. */
  #servedMs = Number.NEGATIVE_INFINITY;
  #beganMs = 0;

  constructor(thread: Thread) {
    this.#thread = thread;
  }

  /** How long a stretch may be that begins now: the whole of its slice where nobody else is there. */
  get stretchMsMax(): number {
    if (this.#waiting.length > 0) return DEFAULTS.turnSharedMs;
    const sinceMs = this.#thread.monotonicMs() - this.#servedMs;
    return sinceMs < DEFAULTS.turnServedMs ? DEFAULTS.turnSharedMs : Number.POSITIVE_INFINITY;
  }

  /** Resolves when it is the turn of who asks. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) {
        this.#beganMs = this.#thread.monotonicMs();
        this.#events = this.#thread.events();
      }
      this.#look();
    });
  }

  #look(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#thread.defer(this.#next);
  }

  readonly #next = (): void => {
    this.#isDue = false;
    const nowMs = this.#thread.monotonicMs();
    const events = this.#thread.events();
    const isServed = events !== this.#events;
    this.#events = events;
    if (isServed) this.#servedMs = nowMs;
    if (!isServed || nowMs - this.#beganMs >= DEFAULTS.turnRestMsMax) {
      this.#beganMs = nowMs;
      this.#waiting.shift()?.();
    }
    if (this.#waiting.length > 0) this.#look();
  };
}

const { nodeTiming } = performance;

/** That of this thread. */
export const line: Line = new Line({
  monotonicMs: systemClock.monotonicMs,
  events: () => nodeTiming.uvMetricsInfo.events,
  defer: (run) => void setImmediate(run),
});
