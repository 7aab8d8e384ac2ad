import type { BodyFailure, BodySink, RequestBody } from "../message/body.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { BodyDecoder, type ChunkSink } from "./framing.ts";

/** The connection, as far as the body of its current request needs it. */
export interface BodyHost {
  /** Somebody wants the body: 100 Continue is due where the client asked, and kept bytes may be read. */
  onBodyWanted(): void;
  /** So many bytes arrived, framing included: they buy the client time. */
  onBodyProgress(bytes: number): void;
  setBodyPatience(idleTimeoutMs: number, answered: boolean): void;
  pauseReading(): void;
  resumeReading(): void;
  /** The body is read whole. */
  onBodyDone(): void;
  /** The body came to nothing; no request can be found behind it. */
  onBodyFailed(): void;
}

/** The body of one request on one connection. A new object each time, so that a late caller cannot touch the next one. */
export class IncomingBody implements RequestBody, ChunkSink {
  readonly announcedBytes: number;
  /** Body bytes read so far, framing not counted. */
  bytes = 0;
  isStray: boolean;
  isKept = false;
  readonly #host: BodyHost;
  readonly #decoder: BodyDecoder;
  #sink: BodySink | null = null;
  #bytesMax = 0;
  #open = true;
  /** What one read brought: thousands of tiny chunks are to cost the service's side one write, not one each. */
  #pieces: Buffer[] = [];

  /** `isStray`: its method has none. */
  constructor(announcedBytes: number, isStray: boolean, host: BodyHost) {
    this.announcedBytes = announcedBytes;
    this.isStray = isStray;
    this.#host = host;
    this.#decoder = new BodyDecoder(announcedBytes);
  }

  /** True from `start` or `discard` to the end: bytes may be fed. */
  get wanted(): boolean {
    return this.#sink !== null;
  }

  get discarded(): boolean {
    return this.#sink === DISCARD;
  }

  get remainingBytes(): number {
    return this.#decoder.remainingBytes;
  }

  accept(): void {
    this.isKept ||= this.isStray;
    this.isStray = false;
  }

  start(sink: BodySink, bytesMax: number): void {
    if (!this.#open) {
      sink.onBodyFailure("client_closed");
      return;
    }
    this.#sink = sink;
    this.#bytesMax = bytesMax;
    this.#host.onBodyWanted();
  }

  /**
   * Before an answer: reads away a short rest that nobody wants, for the connection is worth keeping; false where the rest
   * is long, its client still waits to be asked for it, or it is none that its method has.
   */
  skip(isUnasked: boolean): boolean {
    if (this.wanted) return true;
    if (isUnasked || this.isStray || this.remainingBytes > DEFAULTS.pipelineBytesMax) return false;
    this.start(DISCARD, Number.POSITIVE_INFINITY);
    return true;
  }

  pause(): void {
    if (this.#open) this.#host.pauseReading();
  }

  resume(): void {
    if (this.#open) this.#host.resumeReading();
  }

  setPatience(idleTimeoutMs: number, answered: boolean): void {
    if (this.#open) this.#host.setBodyPatience(idleTimeoutMs, answered);
  }

  /** Takes what belongs to the body; gives the offset behind it. */
  feed(buffer: Buffer, at: number): number {
    this.#host.onBodyProgress(buffer.length - at);
    const end = this.#decoder.feed(buffer, at, this);
    if (this.#decoder.fault !== null) this.fail("request_malformed");
    this.#deliver();
    if (!this.#open) return buffer.length;
    if (this.#decoder.done) {
      const sink = this.#close();
      this.#host.onBodyDone();
      sink?.onBodyEnd(this.#decoder.trailers);
    }
    return end;
  }

  /** Called by the decoder. */
  onBody(chunk: Buffer): boolean {
    if (this.#sink === null) return true;
    this.bytes += chunk.length;
    if (this.bytes > this.#bytesMax) this.fail("body_too_large");
    else this.#pieces.push(chunk);
    return true;
  }

  #deliver(): void {
    const pieces = this.#pieces;
    const first = pieces[0];
    if (first === undefined) return;
    this.#pieces = [];
    if (this.#sink?.onBody(pieces.length === 1 ? first : Buffer.concat(pieces)) === false) this.pause();
  }

  fail(failure: BodyFailure): void {
    if (!this.#open) return;
    const sink = this.#close();
    this.#host.onBodyFailed();
    sink?.onBodyFailure(failure);
  }

  #close(): BodySink | null {
    const sink = this.#sink;
    this.#sink = null;
    this.#open = false;
    return sink;
  }
}

const DISCARD: BodySink = { onBody: () => true, onBodyEnd: () => {}, onBodyFailure: () => {} };
