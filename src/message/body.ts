/** Where the bytes of a body go. */
export interface BodySink {
  /** Takes a chunk; false asks the source to pause until it is resumed. The sink owns the chunk from here on. */
  onBody(chunk: Buffer): boolean;
  onBodyEnd(): void;
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
}

export const EMPTY_BODY: RequestBody = {
  announcedBytes: 0,
  start: (sink) => sink.onBodyEnd(),
  pause: () => {},
  resume: () => {},
};

/** Reads a whole body into memory, at most `bytesMax` bytes. */
export function collectBody(body: RequestBody, bytesMax: number): Promise<Buffer | BodyFailure> {
  if (body.announcedBytes > bytesMax) return Promise.resolve("body_too_large");
  return new Promise((resolve) => {
    // One buffer that grows: a buffer kept for each chunk would cost a hundred times the bytes of a body that a hostile
    // client sends in chunks of one byte.
    let bytes = Buffer.allocUnsafe(body.announcedBytes > 0 ? body.announcedBytes : GROWTH_BYTES_MIN);
    let length = 0;
    body.start(
      {
        onBody: (chunk) => {
          if (length + chunk.length > bytes.length) {
            const larger = Buffer.allocUnsafe(Math.min(bytesMax, 2 * (length + chunk.length)));
            bytes.copy(larger, 0, 0, length);
            bytes = larger;
          }
          length += chunk.copy(bytes, length);
          return true;
        },
        onBodyEnd: () => resolve(bytes.subarray(0, length)),
        onBodyFailure: resolve,
      },
      bytesMax,
    );
  });
}

const GROWTH_BYTES_MIN = 4 * 1024;
