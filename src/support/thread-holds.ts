/** Work that may hold the thread; closed, for it is a metric label. `unknown`: none of the others was noted. */
export const HOLDERS = ["judge", "judge_again", "reload", "memory_release", "unknown"] as const;

export type Holder = (typeof HOLDERS)[number];

/** A stretch in which no event was handled. */
export interface Hold {
  readonly by: Holder;
  /** Which route, which stage: never what a client sent. */
  readonly detail: string;
  readonly ms: number;
}

/**
 * Who held the thread. Work that may be long notes how long it took, which costs a comparison where it was short; who
 * watches the thread is told of the rest. An event loop cannot tell what it ran, so the work itself has to.
 */
export class ThreadHolds {
  /** From here on a stretch is a hold. */
  #thresholdMs = Number.POSITIVE_INFINITY;
  #onHold: (hold: Hold) => void = () => {};

  watch(thresholdMs: number, onHold: (hold: Hold) => void): void {
    this.#thresholdMs = thresholdMs;
    this.#onHold = onHold;
  }

  note(by: Holder, ms: number, detail: string): void {
    if (ms >= this.#thresholdMs) this.#onHold({ by, detail, ms });
  }
}

/** This thread's: there is one event loop, and work deep in a filter holds it as well as any other. */
export const threadHolds: ThreadHolds = new ThreadHolds();
