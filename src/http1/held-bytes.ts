import type { Charge } from "../memory/account.ts";
import { DEFAULTS } from "../support/defaults.ts";

/**
 * What one connection holds: bytes that its client sent before somebody wants them (the rest of a head, a body, requests
 * behind the one that is answered), and how much of its answers the client does not take.
 */
export class HeldBytes {
  readonly #kept: Charge;
  readonly #untaken: Charge;
  #bytes: Buffer | null = null;

  constructor(charge: () => Charge) {
    this.#kept = charge();
    this.#untaken = charge();
  }

  get isEmpty(): boolean {
    return this.#bytes === null;
  }

  /** Everything that is kept, and nothing is any more; null where nothing was. */
  take(): Buffer | null {
    const bytes = this.#bytes;
    if (bytes !== null) {
      this.#bytes = null;
      this.#kept.release();
    }
    return bytes;
  }

  /** The same, with `chunk` behind it. */
  takeWith(chunk: Buffer): Buffer {
    const bytes = this.take();
    return bytes === null ? chunk : Buffer.concat([bytes, chunk]);
  }

  /** False where there is no room. A little of it is in what the connection costs anyway. */
  keep(bytes: Buffer): boolean {
    this.#bytes = bytes;
    return bytes.length < DEFAULTS.keptBytesMin || this.#kept.hold(bytes.length);
  }

  /** False where the client makes us hold more than its share. */
  keepAnswer(bytes: number): boolean {
    return this.#untaken.holdUnasked(bytes);
  }

  answerTaken(): void {
    this.#untaken.release();
  }

  release(): void {
    this.take();
    this.answerTaken();
  }
}
