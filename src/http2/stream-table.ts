import { DEFAULTS } from "../support/defaults.ts";
import type { StreamConnection } from "./server-stream.ts";

/** The streams of one connection: those that are open, and what is known of the others by their ids. */
export class StreamTable {
  readonly open = new Map<number, StreamConnection>();
  /** The highest id that a client has used; above it streams are idle (RFC 9113 section 5.1.1). */
  lastId = 0;
  /** Given up by us while the client may still have been sending: what comes for them is late, not wrong. */
  readonly #cut = new Set<number>();

  get isFull(): boolean {
    return this.open.size >= DEFAULTS.h2StreamsMax;
  }

  /** Those with even ids would be ours to open, and we open none. */
  isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId > this.lastId;
  }

  wasCut(streamId: number): boolean {
    return this.#cut.has(streamId);
  }

  cut(streamId: number): void {
    this.#cut.add(streamId);
    if (this.#cut.size <= DEFAULTS.h2CutStreamsMax) return;
    for (const oldest of this.#cut) {
      this.#cut.delete(oldest);
      return;
    }
  }
}
