/**
 * What the peer may still send, on a stream or on the connection (RFC 9113 section 5.2). It is opened again in halves, for a
 * WINDOW_UPDATE of every frame would cost as much as the frame.
 */
export class ReceiveWindow {
  left: number;
  readonly #size: number;
  /** Bytes that were taken and are not announced to the peer yet. */
  #credit = 0;

  constructor(size: number) {
    this.left = size;
    this.#size = size;
  }

  /** So many bytes came; false where they are more than were allowed. */
  receive(bytes: number): boolean {
    this.left -= bytes;
    return this.left >= 0;
  }

  /** So many bytes need no room any more. Gives what a WINDOW_UPDATE is to announce now, 0 for nothing. */
  take(bytes: number): number {
    this.#credit += bytes;
    if (this.#credit < this.#size / 2) return 0;
    const announced = this.#credit;
    this.#credit = 0;
    this.left += announced;
    return announced;
  }
}
