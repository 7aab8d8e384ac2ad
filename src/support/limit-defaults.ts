import { CONCURRENCY_DEFAULTS } from "./concurrency-defaults.ts";

/** Of how much a caller may have: the part of `DEFAULTS` about `limits`. */
export const LIMIT_DEFAULTS = {
  ...CONCURRENCY_DEFAULTS,

  // Rates.
  /** Keys that one limit counts at once, at 16 bytes. */
  rateKeys: 65_536,
  rateKeysMin: 1_024,
  /** Of all limits of a policy: 33 MiB, of which only what was used takes memory. */
  rateKeysMax: 2_097_152,
  /** Slots of one bucket: how many keys are looked at before one is replaced. */
  rateProbesMax: 16,
  /** A limit whose burst takes longer than this to come back is a quota, and a float of milliseconds is no place for it. */
  rateRefillSecondsMax: 30 * 86_400,
  /** After this long, in waits of a millisecond, the lock of a bucket is taken to be held by a dead thread. */
  rateLockWaitsMax: 50,
  /** How far the clocks of two threads, or of one before and after, may be apart. */
  rateClockSkewMsMax: 1_000,

  // Keys.
  rateKeyPartsMax: 4,
} as const;
