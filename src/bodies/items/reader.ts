import { ByteHold } from "../../message/byte-hold.ts";
import type { Framing } from "./framing.ts";

const NO_BYTES: Buffer = Buffer.alloc(0);

/** In place of an item that has more bytes than one may have. */
export const TOO_LARGE: unique symbol = Symbol("an item that is too large");

/** Takes a body apart into its items, in pieces wherever it is cut; holds no more than the beginning of one. */
export class ItemReader {
  readonly #framing: Framing;
  readonly #bytesMax: number;
  readonly #kept = new ByteHold();
  #piece: Buffer = NO_BYTES;
  #at = 0;

  /** `bytesMax`: of an item with what frames it. */
  constructor(framing: Framing, bytesMax: number) {
    this.#framing = framing;
    this.#bytesMax = bytesMax;
  }

  /** What it holds in memory. */
  get keptBytes(): number {
    return this.#kept.keptBytes;
  }

  /** Bytes that came and belong to no item that `next` gave. */
  get openBytes(): number {
    return this.#kept.bytes + this.#piece.length - this.#at;
  }

  /** The next piece, behind all that `next` gives. */
  take(piece: Buffer): void {
    this.#piece = piece;
    this.#at = 0;
  }

  /** The next item that has come whole, with what frames it; null for none. */
  next(): Buffer | typeof TOO_LARGE | null {
    if (this.#at === this.#piece.length) return null;
    const end = this.#framing.end(this.#piece, this.#at);
    const bytes = this.#piece.subarray(this.#at, end < 0 ? this.#piece.length : end);
    if (this.#kept.bytes + bytes.length > this.#bytesMax) return TOO_LARGE;
    this.#at += bytes.length;
    if (end < 0) {
      this.#kept.add(bytes);
      this.#kept.keep();
      return null;
    }
    if (this.#kept.bytes === 0) return bytes;
    this.#kept.add(bytes);
    return this.#kept.take();
  }

  /** What stands behind the last delimiter when the body is over; null for nothing. */
  rest(): Buffer | null {
    return this.#kept.take();
  }
}
