import { DEFAULTS } from "../support/defaults.ts";

/** What the data path has to do. */
export interface Activity {
  /** Requests that ever began. */
  readonly requestsBegun: number;
  readonly requestsInFlight: number;
}

/**
 * Gives back what the start left behind, once a while has passed in which nobody asked for anything: it stops the process for
 * 50 ms and more and throws compiled code away, which a service at work would pay for. Once only: what a reload leaves, V8
 * gives back by itself within some 20 s, in steps that nobody feels, or collects with what requests leave.
 */
export class MemoryRelease {
  readonly #release: () => void;
  readonly #activity: () => Activity;
  #timer: NodeJS.Timeout | null = null;
  #isScheduled = false;

  constructor(release: () => void, activity: () => Activity) {
    this.#release = release;
    this.#activity = activity;
  }

  /** A policy is in force. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#look(DEFAULTS.quietLooksMax);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(looksLeft: number): void {
    this.stop();
    if (looksLeft === 0) return;
    const { requestsBegun } = this.#activity();
    this.#timer = setTimeout(() => {
      const now = this.#activity();
      if (now.requestsInFlight === 0 && now.requestsBegun === requestsBegun) this.#release();
      else this.#look(looksLeft - 1);
    }, DEFAULTS.quietLookMs);
    this.#timer.unref();
  }
}
