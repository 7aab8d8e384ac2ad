/**
 * Why a request was never looked at; closed, for it is a metric label. Each request over HTTP/2 is either one of these or
 * one that is judged and reported: none goes by unseen.
 */
export const HTTP2_UNJUDGED = [
  "taken_back", // reset by its client before the read that brought it was over
  "streams_max", // beyond the streams that SETTINGS allow: REFUSED_STREAM
  "memory_streams", // there was no room for more streams than a few: REFUSED_STREAM
  "going_away", // behind the last stream that our GOAWAY named
  "connection_fault", // in one read with what ended its connection
] as const;

export type Http2Unjudged = (typeof HTTP2_UNJUDGED)[number];
