import { BAN_DEFAULTS } from "./ban-defaults.ts";
import { CONCURRENCY_DEFAULTS } from "./concurrency-defaults.ts";

/** Of how much a caller may have: the part of `DEFAULTS` about `limits`. */
export const LIMIT_DEFAULTS = {
  ...CONCURRENCY_DEFAULTS,
  ...BAN_DEFAULTS,

  // Rates.
  /** Keys that one limit counts at once, at 13 bytes. */
  rateKeys: 65_536,
  rateKeysMin: 1_024,
  /** Of all limits of a policy: 26 MiB, of which only what was used takes memory. */
  rateKeysMax: 2_097_152,
  /** Slots of one bucket: how many keys are looked at before one is replaced. */
  rateProbesMax: 20,
  /** A limit whose burst takes longer than this to come back is a quota, and a float of milliseconds is no place for it. */
  rateRefillSecondsMax: 30 * 86_400,
  /** After this long, in waits of a millisecond, the lock of a bucket is taken to be held by a dead thread. */
  rateLockWaitsMax: 50,
  /** How far the clocks of two threads, or of one before and after, may be apart. */
  rateClockSkewMsMax: 1_000,

  // Keys.
  rateKeyPartsMax: 4,
  /** Items of a list, as of groups, that are a key together. */
  limitKeyItemsMax: 64,
  /** Bits of an IPv6 address that are one client. */
  limitIpv6Prefix: 64,
  /** Largest cost of one request. */
  limitCostMax: 1_000_000,

  // Plans.
  plansMax: 1_000,
  planLimitsMax: 32,
  /** Callers without a plan's limits. */
  planCallersMax: 1_000,

  // Who uses most of a limit.
  limitTopCallersMax: 32,
  limitTopCharsMax: 256,
  /** Where nothing is scarce, one request in so many is noted; a power of two. */
  limitTopSampled: 64,
  limitTopHalfMs: 60_000,
  /** Limits that one answer of the admin port lists. */
  limitsListMax: 100,

  // Bandwidths.
  /** Slower than this is a stop. */
  bandwidthBytesMin: 64,
  /** Requests of a key that would have to wait for longer are refused. */
  bandwidthDelayMs: 30_000,
  bandwidthDelayMsMax: 3_600_000,

  // Quotas.
  /** Keys of one quota whose counts are in memory at once, at some 256 bytes. */
  quotaKeys: 65_536,
  quotaKeysMax: 1_048_576,
  quotaCountMax: 999_999_999_999,
  /** How many counts are looked at before one gives way to a new key. */
  quotaCandidatesMax: 16,
  /** Counts that keys share for which there is no room, because every other one is spent. */
  quotaSharedCounts: 1_024,
  /** A wall clock that is set back by less than this does not begin the last window anew. */
  quotaClockSetBackMsMax: 3_600_000,
  /** How long after a change counts are written; with the writing itself it stays below the second that is promised. */
  quotaWriteMs: 500,
  /** Counts that are handed over at a time, so that no request waits for many. */
  quotaBatchRows: 2_048,
  /** How long requests wait, after a start, for the counts from before. */
  quotaLoadMs: 5_000,
  quotaRetryMsMin: 1_000,
  quotaRetryMsMax: 60_000,
  /** How long the end of the process waits for the last counts to be written. */
  quotaCloseMs: 5_000,
  /** Quotas that the file remembers, those of earlier policies among them. */
  quotasKeptMax: 1_024,
  quotaLabelCharsMax: 200,
  memoryQuotaCountBytes: 256,
  /** Counts that one answer of the admin port lists. */
  quotaListMax: 1_000,
  // Replicas that each have their part of a limit.
  replicasMax: 1_000,
  replicasLookMs: 10_000,
  /** Looks in a row that have to see fewer replicas before each of the rest has more. */
  replicasFewerSeen: 3,

  // Stores that processes share.
  /** How long a request waits for a store to say whether it is over. */
  storeTimeoutMs: 20,
  storeTimeoutMsMax: 5_000,
  /** Connecting, with TLS and credentials. */
  storeConnectMs: 2_000,
  storeReconnectMsMin: 100,
  storeReconnectMsMax: 5_000,
  /** Calls of a store that fail in a row before nobody waits for it, and how long until one tries it again. */
  storeBreakerFailures: 5,
  storeBreakerMsMin: 250,
  storeBreakerMsMax: 5_000,
  /** Tries that may fail in a row before the connection is made anew. */
  storeProbesMax: 2,
  /** Requests in one call of the script; it holds the store for some microseconds each. */
  storeGroupsPerCall: 128,
  storeCallsMax: 64,
  /** Keys whose names in a store are remembered, twice as many at most. */
  storeNamesMax: 10_000,
  /** Requests that wait for a store. */
  storeGroupsMax: 10_000,
  /** Keys that are known to be over without asking the store. */
  storeOverKeysMax: 10_000,
  /** How long at most: a counter that somebody resets in the store is seen then. */
  storeOverMsMax: 5_000,
  storeLeasesMax: 10_000,
  /** How long units that were taken at once may be spent. */
  storeLeaseMs: 1_000,
  /** Units in one lease. */
  storeLeaseMax: 10_000,
  storeHostsMax: 32,
  /** A longer key is remembered by its digest. */
  storeKeyCharactersMax: 128,

  // Budgets.
  /** What a compressed answer may hold, to be looked at for its cost. */
  budgetInflatedBytesMax: 64 * 1024 * 1024,
  /** Of it, what may wait to be looked at. */
  budgetInflateBacklogBytesMax: 1024 * 1024,
  budgetJsonDepthMax: 256,
  /** Of a path to a figure. */
  budgetPathSegmentsMax: 16,
  budgetPathNameCharsMax: 128,
  budgetFiguresMax: 4,
  /** How long an estimate is kept for a request that does not end. */
  budgetReservationMs: 600_000,

  // Distinct.
  /** In how many steps a window slides. */
  distinctSteps: 256,
  distinctLimitMax: 10_000,
  distinctWindowMsMin: 1_000,
  distinctWindowMsMax: 7 * 86_400_000,
  /** What the keys of one guard and their members take up. */
  distinctBytes: 16 * 1024 * 1024,
  distinctBytesMin: 64 * 1024,
  distinctBytesMax: 256 * 1024 * 1024,
  /** Of a key, beside its members. */
  memoryDistinctKeyBytes: 384,
  /** How many keys are looked at before one gives way. */
  distinctCandidatesMax: 16,
} as const;
