import type { HeaderBlock } from "./headers.ts";

/** Where the bytes of a body go. */
export interface BodySink {
  /** Takes a chunk; false asks the source to pause until it is resumed. The sink owns the chunk from here on. */
  onBody(chunk: Buffer): boolean;
  /** Trailers as the client sent them, or null for none. */
  onBodyEnd(trailers: HeaderBlock | null): void;
  /** The body ends before its end: the client went away, took too long, sent too much or broke the framing. */
  onBodyFailure(reason: BodyFailure): void;
}

export type BodyFailure = "client_closed" | "body_timeout" | "body_too_large" | "request_malformed";

/** Announced length of a message without Content-Length whose body is chunked. */
export const CHUNKED = -1;

/** The body of a request as its transport offers it; nothing is read before it is asked for. */
export interface RequestBody {
  /** Content-Length in bytes, 0 for none, CHUNKED where the length is not known. */
  readonly announcedBytes: number;
  /** Lets the bytes flow into `sink`, at most `bytesMax` of them. At most once. */
  start(sink: BodySink, bytesMax: number): void;
  pause(): void;
  resume(): void;
  /** From now on the body may stand still this long: it belongs to a stream that goes both ways. */
  setPatience(idleTimeoutMs: number): void;
}

export const EMPTY_BODY: RequestBody = {
  announcedBytes: 0,
  start: (sink) => sink.onBodyEnd(null),
  pause: () => {},
  resume: () => {},
  setPatience: () => {},
};

/** Reads a whole body into memory, at most `bytesMax` bytes. */
export function collectBody(body: RequestBody, bytesMax: number): Promise<Buffer | BodyFailure> {
  if (body.announcedBytes > bytesMax) return Promise.resolve("body_too_large");
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    body.start(
      {
        onBody: (chunk) => {
          chunks.push(chunk);
          return true;
        },
        onBodyEnd: () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
        onBodyFailure: resolve,
      },
      bytesMax,
    );
  });
}
