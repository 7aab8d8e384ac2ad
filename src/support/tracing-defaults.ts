/** What is kept and sent of spans. */
export const TRACING_DEFAULTS = {
  /** Of requests whose trace nobody else decided. */
  tracingSampleRatio: 0.01,
  /** Denials are traced whatever the sample says, at most so many a second: their number is the client's to choose. */
  tracingDenialsPerSecondMax: 100,
  /** Spans that wait to be sent, and their bytes. */
  tracingWaitingSpansMax: 8_192,
  tracingWaitingBytesMax: 8 * 1024 * 1024,
  /** Of one call to the collector. */
  tracingBatchSpansMax: 512,
  tracingBatchBytesMax: 1024 * 1024,
  tracingExportMs: 1_000,
  /** Tries of a batch, and the waits between them where the collector names none. */
  tracingTriesMax: 5,
  tracingBackoffMsMin: 1_000,
  tracingBackoffMsMax: 30_000,
  /** Longest that a collector may ask to be left alone. */
  tracingRetryAfterMsMax: 120_000,
  tracingAnswerBytesMax: 64 * 1024,
  tracingHeadersMax: 16,
  tracingAttributesMax: 32,
  tracingAttributeCharsMax: 256,
  tracingEventsMax: 32,
} as const;
