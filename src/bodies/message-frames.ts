import { ByteHold } from "../message/byte-hold.ts";

/** What stands in front of each message: one byte of flags, four of its length. */
export const FRAME_PREFIX_BYTES = 5;

/** Who gets the messages; `T` is what ends the reading. */
export interface FrameHandler<T> {
  /** A message begins: what ends the reading, false where its bytes are not wanted, true where they are. */
  onFrame(flags: number, bytes: number): T | boolean;
  /**
   * Of one that is wanted. `message` belongs to the reader's caller, and may be gone once this returns. What ends the reading;
   * null where it goes on.
   */
  onMessage(flags: number, message: Buffer): T | null;
}

/**
 * Length-prefixed messages as gRPC, gRPC-Web and Connect have them, from pieces that are cut anywhere. A message that comes in
 * one piece is not copied.
 */
export class FrameReader<T extends object> {
  readonly #handler: FrameHandler<T>;
  readonly #prefix = Buffer.alloc(FRAME_PREFIX_BYTES);
  #prefixBytes = 0;
  #flags = 0;
  /** Of the message that has begun; -1 between two. */
  #bytes = -1;
  /** Of it. */
  #cameBytes = 0;
  #isWanted = true;
  readonly #hold = new ByteHold();
  /** Where in the last piece what was taken ends, once something ended the reading: it may be taken up again there. */
  stoppedAt = 0;
  #stop: T | null = null;

  constructor(handler: FrameHandler<T>) {
    this.#handler = handler;
  }

  /** Bytes at the end of what came that are part of a message which is not whole. */
  get openBytes(): number {
    return this.#prefixBytes + this.#cameBytes;
  }

  /** What it holds itself. */
  get heldBytes(): number {
    return this.#hold.bytes;
  }

  /** Those bytes, of which nothing was handed on; they are no longer here. */
  takeOpen(): Buffer {
    const prefix = this.#prefix.subarray(0, this.#prefixBytes);
    return Buffer.concat([prefix, this.#hold.take() ?? NO_BYTES]);
  }

  /** What ended the reading, or null. */
  take(piece: Buffer): T | null {
    this.#stop = null;
    let at = 0;
    while (at < piece.length && this.#stop === null) {
      at += this.#bytes < 0 ? this.#takePrefix(piece, at) : this.#takeMessage(piece, at);
    }
    this.stoppedAt = at;
    this.#hold.keep();
    return this.#stop;
  }

  /** How many bytes it took. */
  #takePrefix(piece: Buffer, at: number): number {
    const taken = piece.copy(this.#prefix, this.#prefixBytes, at);
    this.#prefixBytes += taken;
    if (this.#prefixBytes < FRAME_PREFIX_BYTES) return taken;
    this.#flags = this.#prefix.readUInt8(0);
    const bytes = this.#prefix.readUInt32BE(1);
    const wanted = this.#handler.onFrame(this.#flags, bytes);
    if (typeof wanted !== "boolean") {
      this.#stop = wanted;
      return taken;
    }
    this.#isWanted = wanted;
    this.#bytes = bytes;
    if (bytes === 0) this.#finish(NO_BYTES);
    return taken;
  }

  #takeMessage(piece: Buffer, at: number): number {
    const here = Math.min(this.#bytes - this.#cameBytes, piece.length - at);
    const part = piece.subarray(at, at + here);
    const isWhole = here === this.#bytes;
    this.#cameBytes += here;
    if (this.#isWanted && !isWhole) this.#hold.add(part);
    if (this.#cameBytes === this.#bytes) this.#finish(isWhole ? part : (this.#hold.take() ?? NO_BYTES));
    return here;
  }

  #finish(message: Buffer): void {
    this.#bytes = -1;
    this.#cameBytes = 0;
    this.#prefixBytes = 0;
    if (this.#isWanted) this.#stop = this.#handler.onMessage(this.#flags, message);
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/** A message with what stands in front of it. */
export function frameOf(flags: number, message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + message.length);
  frame.writeUInt8(flags, 0);
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, FRAME_PREFIX_BYTES);
  return frame;
}
