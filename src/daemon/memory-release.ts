import { DEFAULTS } from "../support/defaults.ts";

/** What the data path has to do. */
export interface Activity {
  /** Requests that ever began. */
  readonly requestsBegun: number;
  readonly requestsInFlight: number;
}

/**
 * Gives back what compiling a policy left behind, once a while has passed in which nobody asked for anything: it stops the
 * process for some 50 ms and throws compiled code away, which a service at work would pay for. One that is never quiet
 * makes garbage of its own, and V8 collects the compilation's with it.
 */
export class MemoryRelease {
  readonly #release: () => void;
  readonly #activity: () => Activity;
  #timer: NodeJS.Timeout | null = null;

  constructor(release: () => void, activity: () => Activity) {
    this.#release = release;
    this.#activity = activity;
  }

  /** A policy was compiled. */
  schedule(): void {
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
