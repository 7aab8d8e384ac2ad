/** Why an HTTP/2 session ended; closed, for it is a metric label. */
export const HTTP2_CLOSE_REASONS = [
  "client", // the client closed it, or its connection broke
  "idle", // no request for the idle timeout
  "silent", // no request at all in the time of a first head
  "drained", // shutdown, or a reload that changed whose certificates are trusted
  "retired", // maxRequestsPerConnection or maxConnectionAge
  "memory_connections", // it gave way to another connection, or none gave way to it
  "protocol_error", // bytes that are no HTTP/2
  "head_timeout", // a frame or a head that began and did not end
  "client_read_timeout", // the client does not take what it is sent
  // What costs the client little and us much (CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316, CVE-2025-8671).
  "reset_flood",
  "stream_flood",
  "ping_flood",
  "settings_flood",
  "invalid_frame_flood",
  "continuation_flood",
  "overhead_flood",
] as const;

export type Http2CloseReason = (typeof HTTP2_CLOSE_REASONS)[number];

const IN_GOOD_ORDER: ReadonlySet<Http2CloseReason> = new Set([
  "client",
  "idle",
  "silent",
  "drained",
  "retired",
  "memory_connections",
]);

/** Whether a session ended because of what its client did wrong. */
export function isFault(reason: Http2CloseReason): boolean {
  return !IN_GOOD_ORDER.has(reason);
}
