/** Of requests at once, and of too much to do: the part of `DEFAULTS` about places, queues and shedding. */
export const CONCURRENCY_DEFAULTS = {
  // Places and turns.
  concurrencyMax: 100_000,
  queueLength: 100,
  queueLengthMax: 10_000,
  queueTimeoutMs: 1_000,
  queueTimeoutMsMax: 60_000,
  /** Requests of all limits that wait at once. */
  limitWaitingMax: 20_000,
  /** A request that waits, beside its head: what stands for it in queues and timers. */
  memoryWaitingRequestBytes: 1_024,
  /** What a client is told that found no place: nobody knows when one will be free. */
  concurrencyRetrySeconds: 1,

  // Adaptive concurrency.
  adaptiveMin: 4,
  adaptiveStart: 20,
  adaptiveTolerance: 2,
  adaptiveToleranceMax: 10,
  /** A window ends after so long, and not before it has so many answers; of more, so many are kept. */
  adaptiveWindowMs: 200,
  adaptiveSamplesMin: 10,
  adaptiveSamplesMax: 64,
  /** How far a window moves the limit to where it should be. */
  adaptiveStep: 0.3,
  /** How long a spell is, give or take a quarter; what an answer takes without a crowd is known from this one and the last. */
  adaptiveSpellMs: 30_000,
  /** A faster service is not told from one with so little to do. */
  adaptiveLatencyMsMin: 1,
  /** Keys whose limit is remembered though nothing of them is under way. */
  adaptiveKeysMax: 1_000,

  // Shedding.
  overloadLookMs: 100,
  /** The thread is behind where this many looks in a row say so. */
  overloadLooks: 3,
  overloadDelayMs: 200,
  overloadMemoryShare: 0.9,
  /** What one look adds to the level, times how far over the bound; what one takes from it. */
  overloadClimb: 0.1,
  overloadFall: 0.05,
  overloadMemoryLevelMax: 1.5,
  /** Share of the bound below which memory is no reason to go on shedding. */
  overloadMemoryCalm: 0.95,
  overloadWindowMs: 1_000,
  overloadBuckets: 512,
  overloadRetrySecondsMax: 4,
  /** Between two lines of the log about it. */
  overloadNoteMs: 10_000,
  overloadDelayMsMin: 20,
  overloadDelayMsMax: 10_000,
} as const;
