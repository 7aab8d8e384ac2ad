import type { Charge } from "../memory/account.ts";

const GROWTH_BYTES_MIN = 4 * 1024;
const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * Bytes that come in pieces, in one buffer that grows: a buffer kept for each piece would cost a hundred times the bytes
 * of a body that a hostile peer sends in pieces of one byte. What it takes up counts in `charge`.
 */
export class GrowingBytes {
  readonly #lengthMax: number;
  readonly #charge: Charge | null;
  #bytes = NO_BYTES;
  #length = 0;

  /** `lengthMax`: most bytes that are expected; nothing is refused beyond it. `charge`: null where they count elsewhere. */
  constructor(lengthMax: number, charge: Charge | null) {
    this.#lengthMax = lengthMax;
    this.#charge = charge;
  }

  get length(): number {
    return this.#length;
  }

  /** False, and nothing added, where there is no room. */
  add(piece: Buffer): boolean {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length && !this.#grow(length)) return false;
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
    return true;
  }

  #grow(length: number): boolean {
    const size = Math.max(length, Math.min(this.#lengthMax, Math.max(GROWTH_BYTES_MIN, 2 * length)));
    if (this.#charge?.hold(size) === false) return false;
    const larger = Buffer.allocUnsafe(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return true;
  }

  /** All of them, until more are added. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** All of them, which are no longer here; they stay charged. */
  take(): Buffer {
    const taken = this.bytes;
    this.#bytes = NO_BYTES;
    this.#length = 0;
    return taken;
  }
}
