import { Linger, type LingerRoom } from "../http1/linger.ts";

/**
 * What a client still sends of a request that has its answer. RST_STREAM right behind an answer makes curl, node and others
 * forget the answer that they have not read (RFC 9113 section 8.1 allows it, and they should not): the rest is read away, by
 * the measure of HTTP/1.1, and the stream is reset only where that is used up.
 */
export class UploadRest {
  readonly #linger: Linger;
  #deadlineMs: number;
  #isEnough = false;

  constructor(room: LingerRoom, nowMs: number) {
    this.#linger = new Linger(room, () => {
      this.#isEnough = true;
    });
    this.#linger.expectUpload();
    this.#deadlineMs = this.#linger.start(nowMs);
  }

  /** So many bytes came; false where the client should send no more. */
  take(bytes: number, nowMs: number): boolean {
    this.#deadlineMs = this.#linger.take(bytes, this.#deadlineMs, nowMs);
    return !this.#isEnough;
  }

  /** The connection is to end. */
  hasten(nowMs: number): void {
    this.#linger.shorten(nowMs);
    this.#deadlineMs = this.#linger.take(0, this.#deadlineMs, nowMs);
  }

  isOver(nowMs: number): boolean {
    return this.#isEnough || this.#deadlineMs <= nowMs;
  }

  stop(): void {
    this.#linger.stop();
  }
}
