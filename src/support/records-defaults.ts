/** What is kept of decisions. */
export const RECORDS_DEFAULTS = {
  /** Of one decision: header lines, names of a query, members of a list, and characters of each. */
  factsHeadersMax: 100,
  factsNamesMax: 64,
  factsItemsMax: 64,
  factsNameCharsMax: 64,
  factsValueCharsMax: 256,
  factsAuditedMax: 16,
  /** Claims and headers that `decisions` may name. */
  factsClaimsMax: 32,
  /** Decisions kept in memory: denials, and those of the rest that were picked. */
  decisionsKept: 500,
  decisionsKeptMax: 10_000,
  /** Of requests that were not denied, one in so many. */
  decisionsSampleOneIn: 100,
  /** Decisions that the admin port tells at once. */
  decisionsToldMax: 100,
  /** The record: bytes of its files together, what waits to be written, and how often it is. */
  recordBytes: 64 * 1024 * 1024,
  recordBytesMin: 64 * 1024,
  recordBytesMax: 64 * 1024 * 1024 * 1024,
  recordWaitingBytesMax: 4 * 1024 * 1024,
  recordBatchBytes: 1024 * 1024,
  recordWriteMs: 500,
  /** Longest line of a record that is read. */
  recordLineBytesMax: 256 * 1024,
  /** The audit log: denials a second, characters of one line's fields and of all that wait, and how often its head is told elsewhere. */
  auditDenialsPerSecond: 100,
  auditDenialsPerSecondMax: 10_000,
  auditFieldsCharsMax: 64 * 1024,
  /** Of one field of a line that would be longer; those that are longer themselves are left out. */
  auditMemberCharsMax: 2 * 1024,
  auditWaitingCharsMax: 4 * 1024 * 1024,
  auditBatchChars: 512 * 1024,
  auditHeadToldMs: 60_000,
  auditKeyBytesMin: 32,
  /** How long a process may hold the audit log's lock before it counts as ended. */
  auditLockStaleMs: 10_000,
  auditLockWaitMs: 50,
  auditLockTries: 20,
  /** Rows and examples that `replay` keeps, and rows that it prints. */
  replayRowsMax: 10_000,
  replayExamplesMax: 3,
  replayRowsToldMax: 50,
  replaySkippedToldMax: 20,
  /** Keys of a limit that `replay` counts. */
  replayKeysMax: 131_072,
  /** How old, or early, a signed debug header may be. */
  debugHeaderMsMax: 60_000,
  debugKeyBytesMin: 32,
  /** How long `explain --next` waits for a request. */
  traceMsMax: 60_000,
  traceConditionCharsMax: 2_048,
  traceStepsMax: 256,
} as const;
