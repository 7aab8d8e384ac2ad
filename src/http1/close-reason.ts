/** Why an HTTP/1.1 connection of a client ended; closed, for it is a metric label. */
export const HTTP1_CLOSE_REASONS = [
  "client", // the client closed it, or was told to with the answer to its request
  "idle", // no request for the idle timeout
  "silent", // not one byte in the time that a head may take
  "drained", // shutdown, or a reload that changed whose certificates are trusted
  "retired", // maxRequestsPerConnection or maxConnectionAge
  "memory_connections", // it gave way to another connection, or none gave way to it
  "memory_bodies", // what its client sent ahead had no room
] as const;

export type Http1CloseReason = (typeof HTTP1_CLOSE_REASONS)[number];
