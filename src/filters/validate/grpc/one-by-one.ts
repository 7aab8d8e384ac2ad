import { FrameReader } from "../../../bodies/message-frames.ts";
import type { Steps } from "../../../support/turns.ts";

/** Who judges the messages; `T` is what ends the reading. */
export interface MessageHandler<T> {
  /** A message begins: what ends the reading, or true. */
  onFrame(flags: number, bytes: number): T | boolean;
  /** It is whole: what ends the reading; null where it goes on. */
  onMessage(flags: number, message: Buffer): Steps<T | null>;
}

/** A message that is to be judged. */
class Whole {
  readonly flags: number;
  readonly message: Buffer;

  constructor(flags: number, message: Buffer) {
    this.flags = flags;
    this.message = message;
  }
}

/**
 * Messages one by one, each in steps, so that others get their turn: a piece of 16 KiB may hold a hundred compressed messages,
 * each of which holds as many values as one may have.
 */
export class OneByOne<T extends object> {
  readonly #handler: MessageHandler<T>;
  readonly #reader: FrameReader<T | Whole>;

  constructor(handler: MessageHandler<T>) {
    this.#handler = handler;
    this.#reader = new FrameReader<T | Whole>({
      onFrame: (flags, bytes) => this.#handler.onFrame(flags, bytes),
      onMessage: (flags, message) => new Whole(flags, message),
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
      const found = this.#reader.take(rest);
      rest = rest.subarray(this.#reader.stoppedAt);
      const stop = found instanceof Whole ? yield* this.#handler.onMessage(found.flags, found.message) : found;
      if (stop !== null) return { stop: stop as T, rest };
      if (rest.length > 0) yield;
    }
    return null;
  }
}
