/** Every default and every limit of the product, in one place. Units stand last in the names. */
export const DEFAULTS = {
  // Client side, per connection and per request.
  headBytesMax: 32 * 1024,
  headersCountMax: 100,
  headTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 65_000,
  bodyBytesMax: 10 * 1024 * 1024,
  bodyProgressTimeoutMs: 30_000,
  bodyInspectedBytesMax: 1024 * 1024,
  jsonDepthMax: 64,
  chunkHeadBytesMax: 256,
  trailerBytesMax: 4 * 1024,
  lingerTimeoutMs: 2_000,
  lingerBytesMax: 256 * 1024,
  connectionsMax: 10_000,
  /** Bytes of pipelined requests kept while one is being answered; beyond it the socket is paused. */
  pipelineBytesMax: 64 * 1024,

  // Upstream side.
  connectTimeoutMs: 1_000,
  responseTimeoutMs: 30_000,
  /** Below the 5 s keep-alive of a plain Node service, so that postern closes first. */
  upstreamIdleTimeoutMs: 4_000,
  upstreamConnectionsMax: 256,
  upstreamQueueMax: 1024,

  // Tokens and keys.
  clockSkewMs: 30_000,
  tokenBytesMax: 8 * 1024,
  tokenCacheEntriesMax: 10_000,
  apiKeyBytesMax: 512,

  // Counters.
  rateKeysMax: 65_536,
  rateProbesMax: 16,

  // Policy, reload, shutdown.
  policyBytesMax: 16 * 1024 * 1024,
  /** Characters of a path template; bounds how deep the route tree gets. */
  templateLengthMax: 1024,
  reloadDebounceMs: 100,
  reloadPollMs: 2_000,
  drainTimeoutMs: 25_000,
  /** How often deadlines of connections are looked at; a deadline is met late by at most this. */
  sweepIntervalMs: 250,
  forwardedHopsMax: 32,
  certificateWarningDays: 30,
} as const;
