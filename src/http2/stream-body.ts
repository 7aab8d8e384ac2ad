import type { ServerHttp2Stream } from "node:http2";
import { BodyPace, type BodyPaceLimits } from "../http1/body-pace.ts";
import type { BodyFailure, BodySink, RequestBody } from "../message/body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { parseTrailers, type RawFields } from "./client-fields.ts";

/** The stream, as far as its request's body needs it. */
export interface BodyHost {
  /** Somebody wants the body: 100 Continue is due where the client asked. */
  onBodyWanted(): void;
  readonly limits: BodyPaceLimits;
  /** Monotonic. */
  nowMs(): number;
  /** So many bytes of the connection were this body's. */
  onBodyBytes(bytes: number): void;
}

/** What a DATA frame costs besides its data. */
export const FRAME_BYTES = 9;

/**
 * The body of one request, from DATA frames. A stream's window is what keeps a client from sending what nobody reads, so
 * nothing is taken before it is asked for.
 */
export class StreamBody implements RequestBody {
  readonly announcedBytes: number;
  bytes = 0;
  /** True once it was read to its end. */
  whole = false;
  /** When the client has used up its time; Infinity while it is not its turn. */
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #stream: ServerHttp2Stream;
  readonly #host: BodyHost;
  readonly #mayHaveData: boolean;
  #sink: BodySink | null = null;
  #bytesMax = 0;
  #open = true;
  #paused = false;
  readonly #pace: BodyPace;
  #trailers: HeaderBlock | null = null;
  /** What one read brought: thousands of tiny frames are to cost the service's side one write, not one each. */
  #pieces: Buffer[] = [];

  /** `mayHaveData`: false for methods whose requests have no body; an end of its own may follow their heads all the same. */
  constructor(stream: ServerHttp2Stream, announcedBytes: number, mayHaveData: boolean, host: BodyHost) {
    this.#stream = stream;
    this.#mayHaveData = mayHaveData;
    this.announcedBytes = announcedBytes;
    this.#host = host;
    this.#pace = new BodyPace(host.limits);
    this.#pace.begin(host.nowMs());
    // They may be there before anybody asks for the body.
    stream.on("trailers", (_headers, _flags, raw: RawFields) => this.#onTrailers(raw));
  }

  start(sink: BodySink, bytesMax: number): void {
    if (!this.#open) {
      sink.onBodyFailure("client_closed");
      return;
    }
    this.#sink = sink;
    this.#bytesMax = bytesMax;
    this.#host.onBodyWanted();
    this.#deadlineMs = this.#pace.start(this.#host.nowMs());
    // Node ends a body that came to nothing without being asked to read it.
    if (this.#stream.readableEnded) {
      this.#onEnd();
      return;
    }
    this.#stream.on("end", () => this.#onEnd());
    this.#stream.on("data", (chunk: Buffer) => this.#onData(chunk));
  }

  pause(): void {
    if (!this.#open || this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
    this.#pace.pause(this.#deadlineMs, this.#host.nowMs());
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    if (!this.#open || !this.#paused || this.#sink === null) return;
    this.#paused = false;
    this.#stream.resume();
    this.#deadlineMs = this.#pace.resume(this.#host.nowMs());
  }

  setPatience(idleTimeoutMs: number, answered: boolean): void {
    this.#pace.setPatience(idleTimeoutMs, answered);
    this.onAnswerBytes();
  }

  /** A stream that goes both ways is alive while either side speaks. */
  onAnswerBytes(): void {
    if (this.#sink === null || this.#paused) return;
    this.#deadlineMs = this.#pace.answer(this.#deadlineMs, this.#host.nowMs());
  }

  /** Looks at the time. */
  check(nowMs: number): void {
    if (this.#deadlineMs <= nowMs) this.fail(this.#pace.failure(nowMs));
  }

  fail(failure: BodyFailure): void {
    if (!this.#open) return;
    const sink = this.#close();
    if (sink === null) return;
    this.#stream.pause();
    sink.onBodyFailure(failure);
  }

  #onData(chunk: Buffer): void {
    this.#host.onBodyBytes(chunk.length + FRAME_BYTES);
    if (this.#sink === null) return;
    this.bytes += chunk.length;
    this.#deadlineMs = this.#pace.progress(this.#deadlineMs, chunk.length + FRAME_BYTES, this.#host.nowMs());
    if (!this.#mayHaveData) this.fail("request_malformed");
    else if (this.bytes > this.#bytesMax) this.fail("body_too_large");
    // Not a microtask: Node runs those behind each frame.
    else if (this.#pieces.push(chunk) === 1) setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    const pieces = this.#pieces;
    const first = pieces[0];
    if (first === undefined) return;
    this.#pieces = [];
    if (this.#sink?.onBody(pieces.length === 1 ? unshared(first) : Buffer.concat(pieces)) === false) this.pause();
  }

  #onEnd(): void {
    if (!this.#open) return;
    // A reset with NO_ERROR looks to Node like an end. A body that was cut must never pass for a whole one.
    if (this.#stream.closed || this.#stream.aborted) {
      this.fail("client_closed");
      return;
    }
    if (this.announcedBytes >= 0 && this.bytes !== this.announcedBytes) {
      this.fail("request_malformed");
      return;
    }
    this.#deliver();
    if (!this.#open) return;
    this.whole = true;
    this.#close()?.onBodyEnd(this.#trailers);
  }

  #onTrailers(raw: RawFields): void {
    const trailers = parseTrailers(raw);
    if (typeof trailers === "string") this.fail("request_malformed");
    else this.#trailers = trailers;
  }

  #close(): BodySink | null {
    const sink = this.#sink;
    this.#sink = null;
    this.#open = false;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    return sink;
  }
}

/** A chunk is a view of all that one read brought; a small one that somebody keeps would keep 64 KiB alive. */
function unshared(chunk: Buffer): Buffer {
  return chunk.length < DEFAULTS.h2ChunkSharedBytesMin && chunk.buffer.byteLength > 4 * chunk.length
    ? Buffer.from(chunk)
    : chunk;
}
