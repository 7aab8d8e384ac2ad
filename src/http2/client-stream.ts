import type { ClientHttp2Stream } from "node:http2";
import type { HeaderBlock } from "../message/headers.ts";
import type { ClientFailure, ClientRequest, ClientStream, ResponseHandler, ResponseTimes } from "../message/stream.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { parseResponse, parseTrailers, type RawFields } from "./client-fields.ts";
import { trailerFields } from "./field-lines.ts";

/** The connection, as far as one stream needs it. */
export interface StreamHost {
  readonly used: boolean;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Streams above it were never begun by the service (GOAWAY). */
  readonly lastProcessedId: number;
  readonly isClosing: boolean;
  request(request: ClientRequest): ClientHttp2Stream;
  onStreamEnded(): void;
}

/** RFC 9113 section 7. */
const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const REFUSED_STREAM = 7;
const CANCEL = 8;
const END_STREAM_FLAG = 1;
const NO_TIMES: ResponseTimes = { responseTimeoutMs: 0, streamIdleTimeoutMs: 0 };

/** One request and its answer over HTTP/2. */
export class Http2ClientStream implements ClientStream, Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #host: StreamHost;
  #stream: ClientHttp2Stream | null = null;
  #handler: ResponseHandler | null = null;
  #times: ResponseTimes = NO_TIMES;
  #isHead = false;
  #requestDone = false;
  #answered = false;
  /** Bytes of the body that are still announced; Infinity where nothing was. */
  #remaining = Number.POSITIVE_INFINITY;
  #trailersOut = "";
  #trailersIn: HeaderBlock | null = null;
  #hasEnd = false;
  #paused = false;
  #flushing = false;
  #error: NodeJS.ErrnoException | null = null;

  constructor(host: StreamHost) {
    this.#host = host;
  }

  get used(): boolean {
    return this.#host.used;
  }

  // ---- request -------------------------------------------------------------------------------------------------

  begin(handler: ResponseHandler, request: ClientRequest, times: ResponseTimes): void {
    this.#handler = handler;
    this.#times = times;
    this.#isHead = request.method === "HEAD";
    this.#requestDone = request.bodyBytes === 0;
    this.#host.deadlines.add(this);
    if (this.#requestDone) this.#await();
    try {
      this.#stream = this.#host.request(request);
      this.#listen(this.#stream);
    } catch (error) {
      // node:http2 refuses what it cannot send; the caller hears of it as of any failure, when `begin` is over.
      queueMicrotask(() => this.#onUnsent(error));
    }
  }

  #onUnsent(error: unknown): void {
    this.#host.deadlines.remove(this);
    this.#host.onStreamEnded();
    this.#fail("reset", error instanceof Error && "code" in error ? String(error.code) : "not sent");
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on("headers", (_headers, _flags, raw: RawFields) => this.#onHead(raw, false));
    stream.on("response", (_headers, flags, raw: RawFields) => {
      this.#onHead(raw, (flags & END_STREAM_FLAG) !== 0);
    });
    stream.on("trailers", (_headers, _flags, raw: RawFields) => this.#onTrailers(raw));
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.on("drain", () => this.#handler?.onUpstreamDrain());
    stream.on("wantTrailers", () => {
      if (!stream.closed && !stream.destroyed) stream.sendTrailers(trailerFields(this.#trailersOut));
    });
    stream.on("end", () => this.#onEnd());
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#error = error; // `close` follows
    });
    stream.on("close", () => this.#onClose(stream));
    this.#watchEnd(stream);
  }

  /**
   * node:http2 ends a stream that the service reset with NO_ERROR as if it were whole. Only the order tells the two
   * apart: END_STREAM ends the reading side while the stream is open, a reset after it was closed.
   */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push;
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !stream.closed) this.#hasEnd = true;
      return push.call(stream, chunk, encoding);
    };
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0 || this.#handler === null) return;
    this.#stream?.write(chunk);
    // A stream that goes both ways is alive while either side speaks.
    if (this.#answered && !this.#paused) this.#touch();
  }

  endBody(trailers: string): void {
    if (this.#handler === null) return;
    this.#trailersOut = trailers;
    this.#requestDone = true;
    if (!this.#answered) this.#await();
    this.#stream?.end();
  }

  flush(): boolean {
    return this.#stream?.writableNeedDrain !== true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream?.resume();
    if (this.#answered) this.#touch();
  }

  abort(): void {
    this.#handler = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#reset();
  }

  release(): void {
    this.#host.onStreamEnded();
  }

  // ---- response ------------------------------------------------------------------------------------------------

  #onHead(raw: RawFields, ends: boolean): void {
    const handler = this.#handler;
    if (handler === null) return;
    const head = parseResponse(raw, this.#isHead, ends);
    if (typeof head === "string") this.#fail("invalid", head);
    else if (head.status < 200) {
      if (head.status !== 100) handler.onInformational(head.status, head.headers);
      this.#flushSoon();
    } else {
      this.#answered = true;
      this.#touch();
      if (head.bodyBytes >= 0) this.#remaining = head.bodyBytes;
      handler.onResponse(head);
      this.#flushSoon();
    }
  }

  #onData(chunk: Buffer): void {
    this.#remaining -= chunk.length;
    if (this.#remaining < 0) this.#fail("invalid", "more bytes than announced");
    if (this.#handler === null || chunk.length === 0) return;
    this.#touch();
    this.#handler.onResponseBody(chunk);
    this.#flushSoon();
  }

  #onTrailers(raw: RawFields): void {
    const trailers = parseTrailers(raw);
    if (typeof trailers === "string") this.#fail("invalid", trailers);
    else this.#trailersIn = trailers;
  }

  /** What one read brought goes on in one write: head, body and end of a short answer together. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      if (this.#handler !== null && !this.#handler.onReadEnd()) this.#pause();
    });
  }

  #pause(): void {
    if (this.#stream === null || this.#handler === null) return;
    this.#paused = true;
    this.#stream.pause();
    // Now the client is the slow one; its own deadline runs.
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  #onEnd(): void {
    const handler = this.#handler;
    if (handler === null || !this.#hasEnd) return; // `close` tells what it was
    if (this.#remaining > 0 && this.#remaining !== Number.POSITIVE_INFINITY) {
      this.#fail("cut", "fewer bytes than announced");
      return;
    }
    this.#handler = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    // The service has said all that it will say; the rest of the request is nothing to it.
    if (!this.#requestDone) this.#reset();
    handler.onResponseEnd(this.#trailersIn);
  }

  // ---- failures ------------------------------------------------------------------------------------------------

  #onClose(stream: ClientHttp2Stream): void {
    const { failure, detail } = this.#describe(stream);
    this.#fail(failure, detail);
    this.#host.deadlines.remove(this);
    this.#stream = null;
    this.#host.onStreamEnded();
  }

  #describe(stream: ClientHttp2Stream): { readonly failure: ClientFailure; readonly detail: string } {
    const { isClosing, lastProcessedId } = this.#host;
    const cause = this.#error?.code ?? "";
    const code = stream.rstCode ?? NO_ERROR;
    if (cause.startsWith("ERR_SSL_")) return { failure: "tls", detail: cause };
    if (cause === "ERR_HTTP2_ERROR") return { failure: "invalid", detail: `HTTP/2: ${this.#error?.message}` };
    // Without an id it never left this process.
    const isUnprocessed = stream.id === undefined || stream.id > lastProcessedId;
    if (code === REFUSED_STREAM || isUnprocessed) return { failure: "refused", detail: "stream refused" };
    if (code === PROTOCOL_ERROR) return { failure: "invalid", detail: "RST_STREAM, PROTOCOL_ERROR" };
    if (cause === "ERR_HTTP2_STREAM_ERROR" || !isClosing)
      return { failure: "reset", detail: `RST_STREAM, code ${code}` };
    return { failure: "closed", detail: cause === "" ? "connection ended early" : cause };
  }

  #fail(failure: ClientFailure, detail: string): void {
    const handler = this.#handler;
    this.#handler = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#reset();
    handler?.onFailure(this.#answered ? "cut" : failure, detail);
  }

  onDeadline(): void {
    this.#fail(this.#answered ? "cut" : "timeout", "no bytes from the service in time");
  }

  /**
   * Gives the stream up. While the request's body is not whole not by `close`: Node ends the stream in good order before
   * it resets it, and the service would take half a body for a whole one.
   */
  #reset(): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (!this.#requestDone) stream.destroy(new Error("cut"));
    else if (!stream.closed) stream.close(CANCEL);
    // Nobody reads it any more, and unread bytes would keep it from closing.
    stream.resume();
  }

  #await(): void {
    this.deadlineMs = this.#host.clock.monotonicMs() + this.#times.responseTimeoutMs;
  }

  #touch(): void {
    this.deadlineMs = this.#host.clock.monotonicMs() + this.#times.streamIdleTimeoutMs;
  }
}
