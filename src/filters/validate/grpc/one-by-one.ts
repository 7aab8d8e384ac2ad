import { type FrameHandler, FrameReader } from "../../../bodies/message-frames.ts";
import type { Steps } from "../../../support/turns.ts";

const NEXT = { isNext: true } as const;

/**
 * Messages one by one, so that others get their turn between two of them: a piece of 16 KiB may hold a hundred compressed
 * messages, each of which holds as many values as one may have.
 */
export class OneByOne<T extends object> {
  readonly #handler: FrameHandler<T>;
  readonly #reader: FrameReader<T | typeof NEXT>;

  constructor(handler: FrameHandler<T>) {
    this.#handler = handler;
    this.#reader = new FrameReader<T | typeof NEXT>({
      onFrame: (flags, bytes) => this.#handler.onFrame(flags, bytes),
      onMessage: (flags, message) => this.#handler.onMessage(flags, message) ?? NEXT,
    });
  }

  get openBytes(): number {
    return this.#reader.openBytes;
  }

  get heldBytes(): number {
    return this.#reader.heldBytes;
  }

  takeOpen(): Buffer {
    return this.#reader.takeOpen();
  }

  /** What ended the reading, with what of the piece was not taken then; null for nothing. */
  *take(piece: Buffer): Steps<{ readonly stop: T; readonly rest: Buffer } | null> {
    for (let rest = piece; rest.length > 0; ) {
      const stop = this.#reader.take(rest);
      rest = rest.subarray(this.#reader.stoppedAt);
      if (stop !== null && stop !== NEXT) return { stop: stop as T, rest };
      if (rest.length > 0) yield;
    }
    return null;
  }
}
