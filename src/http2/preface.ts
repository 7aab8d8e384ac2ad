import { type ConnectionFault, protocolFault } from "./connection-fault.ts";
import { PREFACE } from "./wire.ts";

/** Takes the client's preface (RFC 9113 section 3.4) off the front of its bytes. */
export class Preface {
  #at = 0;

  get isWhole(): boolean {
    return this.#at === PREFACE.length;
  }

  /** Gives what follows it in this read. */
  read(chunk: Buffer): Buffer | ConnectionFault {
    const size = Math.min(PREFACE.length - this.#at, chunk.length);
    if (chunk.compare(PREFACE, this.#at, this.#at + size, 0, size) !== 0)
      return protocolFault("bytes that are no HTTP/2");
    this.#at += size;
    return chunk.subarray(size);
  }
}
