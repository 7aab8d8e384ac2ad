/** What is logged, and where: a part of `DEFAULTS`. */
export const LOG_DEFAULTS = {
  logTextCharsMax: 256,
  logPathCharsMax: 1_024,
  logMethodCharsMax: 32,
  logAuditedMax: 16,
  logWithheldMax: 8,
  logAnswerFieldsMax: 10,
  logWithheldCharsMax: 64,
  /** Fields that a policy adds to request lines: how many, bytes of the JSON of each, and members of a list. */
  logFieldsAddedMax: 32,
  logFieldBytesMax: 512,
  logFieldItemsMax: 16,
  logWriteBytes: 128 * 1024,
  /** What waits is held in pieces of so many bytes. */
  logSlabBytes: 160 * 1024,
  logFlushIntervalMs: 200,
  /** Lines that wait for a log reader that does not read; beyond it lines are dropped and counted. */
  logPendingBytesMax: 4 * 1024 * 1024,
  logRetryMs: 50,
  /** A disk that is full, a pipe that nobody reads: how often they are tried. */
  logBrokenRetryMs: 1_000,
  logCloseTimeoutMs: 1_000,
  /** Lines of requests that postern refused or could not serve. */
  logDenialsPerSecond: 1_000,
  logDenialsPerSecondMax: 1_000_000,
  /** For how long a line of the process that is the same is counted in place of being told again; how many are known. */
  logRepeatMs: 10_000,
  logRepeatedLinesMax: 64,
  /** The log's own file: bytes of one, and older ones that are kept. */
  logFileBytesMin: 64 * 1024,
  /** From so many bytes on lines do not wait for their turn; what waits is held in pieces of so many. */
  logFileBatchBytes: 192 * 1024,
  logFileSlabBytes: 256 * 1024,
  logFilesKept: 5,
  logFilesKeptMax: 100,
  /** Lines a second about connections that never became requests; the rest is only counted. */
  connectionLogLinesPerSecondMax: 10,
} as const;
