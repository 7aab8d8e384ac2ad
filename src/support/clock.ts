/** The two clocks the product reads; tests pass their own and move it. */
export interface Clock {
  /** Milliseconds since an arbitrary start, with fractions; never goes back. For durations, deadlines and rates. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. For certificates, tokens and log lines. */
  wallMs(): number;
}

/** Bound, for half of what a look at the clock costs is otherwise finding out whose it is. */
const now = performance.now.bind(performance);

export const systemClock: Clock = {
  monotonicMs: now,
  wallMs: () => Date.now(),
};

/**
 * Like `systemClock`, but its monotonic readings are the same in every thread of the process. performance.now() counts
 * from the start of its thread; process.hrtime from one start for all, but allocates. Both read the same system clock,
 * so the difference is taken once, as the smallest of a few samples, for a thread can lose its core between two reads.
 */
export const sharedClock: Clock = {
  monotonicMs: () => now() + SHARED_OFFSET_MS,
  wallMs: systemClock.wallMs,
};

const SHARED_OFFSET_MS = Math.min(
  ...Array.from({ length: 8 }, () => {
    const startMs = performance.now();
    return Number(process.hrtime.bigint()) / 1e6 - startMs;
  }),
);
