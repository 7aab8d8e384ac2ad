/** The two clocks the product reads; tests pass their own and move it. */
export interface Clock {
  /** Milliseconds since an arbitrary start, with fractions; never goes back. For durations, deadlines and rates. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. For certificates, tokens and log lines. */
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
