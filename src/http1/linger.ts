import { DEFAULTS } from "../support/defaults.ts";

/** How many connections may be read away at length at a time, of all together. */
export class LingerRoom {
  #taken = 0;

  /** False where there are enough of them. */
  enter(): boolean {
    if (this.#taken >= DEFAULTS.lingerUploadsMax) return false;
    this.#taken++;
    return true;
  }

  leave(): void {
    this.#taken--;
  }
}

/**
 * What a client still sends behind the last answer of its connection, read and dropped: a connection that is closed with
 * unread bytes is reset, and the reset eats the answer. A refused upload is read away as long as it comes, for many clients
 * look for an answer only when they have sent everything; anything else only a little.
 */
export class Linger {
  readonly #room: LingerRoom;
  readonly #pause: () => void;
  #isUpload = false;
  #bytesLeft: number = DEFAULTS.lingerBytesMax;
  /** Infinity until it starts. */
  #endMs = Number.POSITIVE_INFINITY;

  /** `pause` reads nothing more; not the end: a reset would eat our last words, which a client that writes has not read. */
  constructor(room: LingerRoom, pause: () => void) {
    this.#room = room;
    this.#pause = pause;
  }

  /** It is the rest of an upload that nobody wants. */
  expectUpload(): void {
    if (this.#isUpload || !this.#room.enter()) return;
    this.#isUpload = true;
    this.#bytesLeft = DEFAULTS.lingerUploadBytesMax;
  }

  /** Our side is closed. Gives the deadline, monotonic milliseconds. */
  start(nowMs: number): number {
    const { lingerTimeoutMs, lingerUploadTimeoutMs } = DEFAULTS;
    this.#endMs = nowMs + (this.#isUpload ? lingerUploadTimeoutMs : lingerTimeoutMs);
    return nowMs + lingerTimeoutMs;
  }

  /** Everybody has to leave soon. */
  shorten(nowMs: number): void {
    this.#endMs = Math.min(this.#endMs, nowMs + DEFAULTS.lingerTimeoutMs);
  }

  /** So many bytes came. Gives the deadline from here on. */
  take(bytes: number, deadlineMs: number, nowMs: number): number {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) this.#pause();
    if (this.#bytesLeft < 0 || !this.#isUpload || this.#endMs === Number.POSITIVE_INFINITY) return deadlineMs;
    const earnedMs = (1_000 * bytes) / DEFAULTS.lingerBytesPerSecondMin;
    return Math.min(this.#endMs, nowMs + DEFAULTS.lingerTimeoutMs, deadlineMs + earnedMs);
  }

  /** The connection is gone. */
  stop(): void {
    if (this.#isUpload) this.#room.leave();
    this.#isUpload = false;
  }
}
