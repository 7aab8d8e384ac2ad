import { DEFAULTS } from "../support/defaults.ts";

/** Lets `burst` events through at once and `perSecond` for ever. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #filledMs = 0;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#tokens = burst;
  }

  /** False where there is one event too many. */
  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledMs) * this.#perMs);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/**
 * Weighs what a client sends against what it asks for. node:http2 shows neither WINDOW_UPDATE, padding, CONTINUATION nor
 * frames of closed streams, but a socket knows how many bytes came. Those that are neither fields nor data of a request
 * are overhead, and a client that works has little of it: floods of any frame show up here, however they are made.
 */
export class OverheadMeter {
  #explained = 0;
  #checkedMs: number;

  constructor(nowMs: number) {
    this.#checkedMs = nowMs;
  }

  /** Bytes that belong to a request. */
  explain(bytes: number): void {
    this.#explained += bytes;
  }

  /** Bytes of no use so far, beyond what a working client may send in the time and for what it received. */
  excess(bytesRead: number, bytesWritten: number, nowMs: number): number {
    const seconds = (nowMs - this.#checkedMs) / 1000;
    this.#checkedMs = nowMs;
    this.#explained += seconds * DEFAULTS.h2OverheadBytesPerSecond;
    // Who receives much has much to acknowledge: a WINDOW_UPDATE of 13 bytes for a small DATA frame, twice.
    const acknowledged = bytesWritten / 4;
    // Thrift in quiet times is no licence for a flood later.
    this.#explained = Math.min(this.#explained, bytesRead - acknowledged + DEFAULTS.h2OverheadBytesBurst / 4);
    return bytesRead - acknowledged - this.#explained;
  }
}
