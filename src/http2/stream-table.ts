import { DEFAULTS } from "../support/defaults.ts";

/** The streams of one connection: those that are open, and what is known of the others by their ids. */
export class StreamTable<S> {
  readonly open = new Map<number, S>();
  /** The highest id that the client's side has used; above it streams are idle (RFC 9113 section 5.1.1). */
  lastId = 0;
  /** Given up by us while the other side may still have been sending: what comes for them is late, not wrong. */
  readonly #cut = new Set<number>();
  /** The highest of those that were too many to remember one by one; below it nobody knows, and nothing is held wrong. */
  #forgottenId = 0;

  /** Those with even ids would be a server's to open, and none does. */
  isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId > this.lastId;
  }

  wasCut(streamId: number): boolean {
    return streamId <= this.#forgottenId || this.#cut.has(streamId);
  }

  cut(streamId: number): void {
    this.#cut.add(streamId);
    if (this.#cut.size <= DEFAULTS.h2CutStreamsMax) return;
    for (const oldest of this.#cut) {
      this.#cut.delete(oldest);
      this.#forgottenId = Math.max(this.#forgottenId, oldest);
      return;
    }
  }
}
