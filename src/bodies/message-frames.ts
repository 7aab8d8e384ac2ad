import { ByteHold } from "../message/byte-hold.ts";

/** What stands in front of each message: one byte of flags, four of its length. */
export const FRAME_PREFIX_BYTES = 5;

/** Who gets the messages; `T` is what ends the reading. */
export interface FrameHandler<T> {
  /** A message begins: what ends the reading, false where its bytes are not wanted, true where they are. */
  onFrame(flags: number, bytes: number): T | boolean;
  /** Of one that is wanted. `message` belongs to the reader's caller, and may be gone once this returns. */
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
  /** Where in the last piece what was taken ends, once something ended the reading. */
  stoppedAt = 0;

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
    for (let at = 0; at < piece.length; ) {
      const step = this.#bytes < 0 ? this.#takePrefix(piece, at) : this.#takeMessage(piece, at);
      if (typeof step !== "number") return step;
      at += step;
    }
    this.#hold.keep();
    return null;
  }

  /** How many bytes it took, or what ended the reading. */
  #takePrefix(piece: Buffer, at: number): number | T {
    const taken = piece.copy(this.#prefix, this.#prefixBytes, at);
    this.#prefixBytes += taken;
    if (this.#prefixBytes < FRAME_PREFIX_BYTES) return taken;
    this.#flags = this.#prefix.readUInt8(0);
    const bytes = this.#prefix.readUInt32BE(1);
    const wanted = this.#handler.onFrame(this.#flags, bytes);
    if (typeof wanted !== "boolean") {
      this.stoppedAt = at + taken;
      return wanted;
    }
    this.#isWanted = wanted;
    this.#bytes = bytes;
    return bytes === 0 ? (this.#finish(NO_BYTES) ?? taken) : taken;
  }

  #takeMessage(piece: Buffer, at: number): number | T {
    const here = Math.min(this.#bytes - this.#cameBytes, piece.length - at);
    const part = piece.subarray(at, at + here);
    const isWhole = here === this.#bytes;
    this.#cameBytes += here;
    if (this.#isWanted && !isWhole) this.#hold.add(part);
    if (this.#cameBytes < this.#bytes) return here;
    return this.#finish(isWhole ? part : (this.#hold.take() ?? NO_BYTES)) ?? here;
  }

  #finish(message: Buffer): T | null {
    this.#bytes = -1;
    this.#cameBytes = 0;
    this.#prefixBytes = 0;
    return this.#isWanted ? this.#handler.onMessage(this.#flags, message) : null;
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
