/** What is to happen later; tests pass their own and move a clock. */
export interface Timers {
  /** Calls `run` once, `delayMs` from now; the answer takes it back. A timer alone keeps no process alive. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemTimers: Timers = {
  after: (delayMs, run) => {
    // Node fires a delay beyond 2^31 ms at once.
    const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
