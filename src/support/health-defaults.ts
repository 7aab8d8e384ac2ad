/** Probes of the process, and checks of the services behind it. */
export const HEALTH_DEFAULTS = {
  /** Of the port for probes; the oldest connection gives way. */
  probeConnectionsMax: 64,
  probeTimeoutMs: 3_000,
  /** How often it is seen whether another file can be opened. */
  fileLookMs: 2_000,
  /** Of the service's own probes, and how long one answer serves whoever asks: so often the service is asked at most. */
  serviceProbesMax: 16,
  serviceProbeTimeoutMs: 1_000,
  serviceProbeFreshMs: 1_000,
  /** Of a health check: the kubelet's interval, and how many answers another state takes. */
  healthCheckIntervalMs: 10_000,
  healthCheckIntervalMsMin: 1_000,
  healthCheckTimeoutMs: 3_000,
  healthCheckTimeoutMsMax: 60_000,
  healthyThreshold: 2,
  unhealthyThreshold: 3,
  healthThresholdMax: 100,
  /** As long as nothing is known of a service, which may just start, it is asked so often. */
  healthCheckFirstIntervalMs: 1_000,
  /** Of the interval, to both sides: replicas must not ask all at once. */
  healthCheckJitterShare: 0.1,
  healthCheckHeadersMax: 16,
  healthCheckStatusesMax: 32,
  /** Of an answer's body: beyond that nobody waits for its end. */
  healthAnswerBytesMax: 16 * 1024,
} as const;
