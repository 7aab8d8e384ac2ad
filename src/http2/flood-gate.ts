import { DEFAULTS } from "../support/defaults.ts";
import { type ConnectionFault, flood } from "./connection-fault.ts";

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
  take(nowMs: number, count = 1): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledMs) * this.#perMs);
    this.#filledMs = nowMs;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}

/**
 * What a client's frames may cost us that bring no request on. Each kind has a burst and a rate; who goes beyond is a flood.
 */
export class FloodGate {
  readonly #resets = new TokenBucket(DEFAULTS.h2ResetsBurst, DEFAULTS.h2ResetsPerSecond);
  readonly #pings = new TokenBucket(DEFAULTS.h2PingsBurst, DEFAULTS.h2PingsPerSecond);
  readonly #settings = new TokenBucket(DEFAULTS.h2SettingsBurst, DEFAULTS.h2SettingsPerSecond);
  readonly #invalid = new TokenBucket(DEFAULTS.h2InvalidFramesBurst, DEFAULTS.h2InvalidFramesPerSecond);
  readonly #refused = new TokenBucket(DEFAULTS.h2RefusedStreamsBurst, DEFAULTS.h2RefusedStreamsPerSecond);
  readonly #overhead = new TokenBucket(DEFAULTS.h2OverheadBytesBurst, DEFAULTS.h2OverheadBytesPerSecond);
  readonly #nowMs: () => number;
  readonly #creditBytesMax: number;
  /** Overhead that is not held against the client. */
  #creditBytes = 0;
  #creditPings = 0;

  /** `creditBytesMax`: what may be expected at a time. */
  constructor(nowMs: () => number, creditBytesMax: number = DEFAULTS.h2OverheadBytesBurst) {
    this.#nowMs = nowMs;
    this.#creditBytesMax = creditBytesMax;
  }

  /** A request was given up before its answer (CVE-2023-44487). */
  reset(): ConnectionFault | null {
    return this.#resets.take(this.#nowMs()) ? null : flood("reset_flood");
  }

  ping(): ConnectionFault | null {
    if (this.#creditPings > 0) {
      this.#creditPings--;
      return null;
    }
    return this.#pings.take(this.#nowMs()) ? null : flood("ping_flood");
  }

  settings(): ConnectionFault | null {
    return this.#settings.take(this.#nowMs()) ? null : flood("settings_flood");
  }

  /** A frame or a head that is answered with an error: each is little, and work for us (CVE-2025-8671). */
  invalid(): ConnectionFault | null {
    return this.#invalid.take(this.#nowMs()) ? null : flood("invalid_frame_flood");
  }

  refused(): ConnectionFault | null {
    return this.#refused.take(this.#nowMs()) ? null : flood("stream_flood");
  }

  /** So many bytes of no use came. */
  overhead(bytes: number): ConnectionFault | null {
    this.#creditBytes -= bytes;
    if (this.#creditBytes >= 0) return null;
    const excess = -this.#creditBytes;
    this.#creditBytes = 0;
    return this.#overhead.take(this.#nowMs(), excess) ? null : flood("overhead_flood");
  }

  /**
   * Bytes that the client may well send now: what was under way on a stream that we gave up, and acknowledgements (a
   * WINDOW_UPDATE of 13 bytes for a small DATA frame, twice) of what it received.
   */
  expect(bytes: number): void {
    this.#creditBytes = Math.min(this.#creditBytes + bytes, this.#creditBytesMax);
  }

  /** A DATA frame went out: gRPC clients in Go measure how long each takes, thousands a second where the way is short. */
  expectPing(): void {
    this.#creditPings = Math.min(this.#creditPings + 1, DEFAULTS.h2PingsBurst);
  }
}
