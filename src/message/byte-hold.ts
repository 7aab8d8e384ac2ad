import { DEFAULTS } from "../support/defaults.ts";

const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * Data of one stream on its way to whoever takes it. What one read brought goes on in one piece, for thousands of tiny
 * frames are to cost the other side one write and not one each; what is kept longer lies in one buffer that grows, for a
 * view of each byte would cost a hundred.
 */
export class ByteHold {
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #held = NO_BYTES;
  #heldBytes = 0;

  get bytes(): number {
    return this.#heldBytes + this.#pieceBytes;
  }

  /** What the buffer takes up. */
  get keptBytes(): number {
    return Math.min(this.#held.buffer.byteLength, 2 * this.#held.length);
  }

  /** `piece` may be a view of the read that is being taken in. */
  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
  }

  /** The read is over, and nobody takes its pieces yet. */
  keep(): void {
    if (this.#pieceBytes === 0) return;
    const [only] = this.#pieces;
    if (this.#pieces.length === 1 && only !== undefined && this.#heldBytes === 0 && fillsItsBuffer(only)) {
      this.#held = only;
      this.#heldBytes = only.length;
      this.#pieces = [];
      this.#pieceBytes = 0;
      return;
    }
    const needed = this.bytes;
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#held.length));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    for (const piece of this.#pieces) this.#heldBytes += piece.copy(this.#held, this.#heldBytes);
    this.#pieces = [];
    this.#pieceBytes = 0;
  }

  /** All of it, in one piece; null where there is none. */
  take(): Buffer | null {
    if (this.#heldBytes > 0) this.keep();
    const { bytes } = this;
    if (bytes === 0) return null;
    const [first = NO_BYTES] = this.#pieces;
    const taken =
      this.#heldBytes > 0
        ? this.#held.subarray(0, bytes)
        : this.#pieces.length === 1
          ? unshared(first)
          : Buffer.concat(this.#pieces, bytes);
    this.clear();
    return taken;
  }

  clear(): void {
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#held = NO_BYTES;
    this.#heldBytes = 0;
  }
}

/** A piece is a view of all that one read brought; a small one that somebody keeps would keep 64 KiB alive. */
function unshared(piece: Buffer): Buffer {
  return piece.length < DEFAULTS.h2ChunkSharedBytesMin && piece.buffer.byteLength > 4 * piece.length
    ? Buffer.from(piece)
    : piece;
}

/** Copying such a piece would leave as much behind as it saves. */
function fillsItsBuffer(piece: Buffer): boolean {
  return piece.buffer.byteLength <= 2 * piece.length;
}
