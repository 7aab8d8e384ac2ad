import { BodyPace, type BodyPaceLimits } from "../http1/body-pace.ts";
import type { Charge } from "../memory/account.ts";
import type { BodyFailure, BodySink, RequestBody } from "../message/body.ts";
import { ByteHold } from "../message/byte-hold.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { FRAME_HEAD_BYTES } from "./wire.ts";

/** The stream, as far as its request's body needs it. */
export interface BodyHost {
  /** Somebody wants the body: 100 Continue is due where the client asked. */
  onBodyWanted(): void;
  readonly limits: BodyPaceLimits;
  /** Monotonic. */
  nowMs(): number;
  /** So many bytes of it need no room any more: the client may send as many again. */
  onBodyTaken(bytes: number): void;
  /** For what is held of it. */
  charge(): Charge;
}

/**
 * The body of one request, from DATA frames. A stream's window is what keeps a client from sending what nobody reads:
 * bytes are held until somebody asks for them, and only then the window opens again.
 */
export class StreamBody implements RequestBody {
  readonly announcedBytes: number;
  /** Bytes that have come. */
  bytes = 0;
  /** When the client has used up its time; Infinity while it is not its turn. */
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #host: BodyHost;
  #mayHaveData: boolean;
  #isAccepted = false;
  readonly #pace: BodyPace;
  #sink: BodySink | null = null;
  #bytesMax = 0;
  #failure: BodyFailure | null = null;
  #open = true;
  #paused = false;
  readonly #hold = new ByteHold();
  /** Null while nothing was ever held. */
  #charge: Charge | null = null;
  #ended = false;
  #trailers: HeaderBlock | null = null;

  /**
   * `mayHaveData`: false for methods whose requests have no body unless it is accepted; an end of its own may follow their
   * heads all the same.
   */
  constructor(announcedBytes: number, mayHaveData: boolean, host: BodyHost) {
    this.#mayHaveData = mayHaveData;
    this.announcedBytes = announcedBytes;
    this.#host = host;
    this.#pace = new BodyPace(host.limits);
    this.#pace.begin(host.nowMs());
  }

  /** One whose length is not told may still be none. */
  get isStray(): boolean {
    return !this.#mayHaveData && this.announcedBytes > 0;
  }

  get isKept(): boolean {
    return this.#isAccepted && (this.announcedBytes > 0 || this.bytes > 0);
  }

  /** True until it is read to its end, or has failed. */
  get isOpen(): boolean {
    return this.#open;
  }

  get isMalformed(): boolean {
    return this.#failure === "request_malformed";
  }

  // ---- for whoever wants it (RequestBody) ------------------------------------------------------------------------

  accept(): void {
    this.#isAccepted = !this.#mayHaveData;
    this.#mayHaveData = true;
  }

  start(sink: BodySink, bytesMax: number): void {
    if (!this.#open) {
      sink.onBodyFailure(this.#failure ?? "client_closed");
      return;
    }
    this.#sink = sink;
    this.#bytesMax = bytesMax;
    if (!this.#mayHaveData && this.bytes > 0) {
      this.fail("request_malformed");
      return;
    }
    this.#host.onBodyWanted();
    const nowMs = this.#host.nowMs();
    this.#deadlineMs = this.#pace.start(nowMs);
    if (this.bytes > 0) this.#deadlineMs = this.#pace.progress(this.#deadlineMs, this.bytes, nowMs);
    this.deliver();
  }

  pause(): void {
    if (!this.#open || this.#paused) return;
    this.#paused = true;
    this.#pace.pause(this.#deadlineMs, this.#host.nowMs());
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    if (!this.#open || !this.#paused || this.#sink === null) return;
    this.#paused = false;
    this.#deadlineMs = this.#pace.resume(this.#host.nowMs());
    this.deliver();
  }

  setPatience(idleTimeoutMs: number, answered: boolean): void {
    this.#pace.setPatience(idleTimeoutMs, answered);
    this.onAnswerBytes();
  }

  /** A stream that goes both ways is alive while either side speaks. */
  onAnswerBytes(): void {
    if (this.#isClientsTurn) this.#deadlineMs = this.#pace.answer(this.#deadlineMs, this.#host.nowMs());
  }

  get #isClientsTurn(): boolean {
    return this.#sink !== null && !this.#paused;
  }

  // ---- for the stream --------------------------------------------------------------------------------------------

  /** Looks at the time. */
  check(nowMs: number): void {
    if (this.#deadlineMs <= nowMs) this.fail(this.#pace.failure(nowMs));
  }

  onData(data: Buffer): void {
    if (!this.#open) {
      this.#host.onBodyTaken(data.length);
      return;
    }
    this.bytes += data.length;
    this.#hold.add(data);
    if (this.#isClientsTurn) {
      const earned = data.length + FRAME_HEAD_BYTES;
      this.#deadlineMs = this.#pace.progress(this.#deadlineMs, earned, this.#host.nowMs());
    }
    const isTooLong = this.announcedBytes >= 0 && this.bytes > this.announcedBytes;
    if ((!this.#mayHaveData && this.#sink !== null) || isTooLong) this.fail("request_malformed");
  }

  onEnd(trailers: HeaderBlock | null): void {
    if (!this.#open) return;
    this.#trailers = trailers;
    this.#ended = true;
    if (this.announcedBytes >= 0 && this.bytes !== this.announcedBytes) this.fail("request_malformed");
  }

  /** The read that brought data or the end is over. */
  deliver(): void {
    if (!this.#open) return;
    if (this.#sink !== null && this.bytes > this.#bytesMax) {
      this.fail("body_too_large");
      return;
    }
    if (!this.#isClientsTurn) {
      this.#keep();
      return;
    }
    const bytes = this.#hold.take();
    this.#charge?.release();
    if (bytes !== null) {
      this.#host.onBodyTaken(bytes.length);
      if (this.#sink?.onBody(bytes) === false) this.pause();
    }
    if (!this.#open || !this.#ended || this.#paused) return;
    this.#close()?.onBodyEnd(this.#trailers);
  }

  /** Whoever does not read a body makes us hold it; where there is no room for that, the request is refused. */
  #keep(): void {
    this.#hold.keep();
    if (this.#hold.bytes === 0) return;
    this.#charge ??= this.#host.charge();
    if (!this.#charge.hold(this.#hold.keptBytes)) this.fail("memory_bodies");
  }

  fail(failure: BodyFailure): void {
    if (!this.#open) return;
    this.#failure = failure;
    const sink = this.#close();
    this.#host.onBodyTaken(this.#hold.bytes);
    this.#hold.clear();
    this.#charge?.release();
    sink?.onBodyFailure(failure);
  }

  #close(): BodySink | null {
    const sink = this.#sink;
    this.#sink = null;
    this.#open = false;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    return sink;
  }
}
