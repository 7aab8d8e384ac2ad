import { type ConnectionFault, flood, protocolFault } from "./connection-fault.ts";
import { FLAG, FRAME_HEAD_BYTES } from "./wire.ts";

/** A whole field block, and what its HEADERS frame said of it. */
export interface HeaderBlockFrames {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly block: Buffer;
}

/** Bytes of the fields that a HEADERS frame has for priorities, which nobody heeds any more (RFC 9113 section 5.3.2). */
const PRIORITY_BYTES = 5;

/** Puts field blocks together from HEADERS and CONTINUATION (RFC 9113 sections 6.2 and 6.10). */
export class HeaderAssembly {
  readonly #bytesMax: number;
  readonly #framesMax: number;
  #streamId = 0;
  #endStream = false;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** Bytes and frames of one block; CVE-2024-27316 is the attack with frames that bring nothing. */
  constructor(bytesMax: number, framesMax: number) {
    this.#bytesMax = bytesMax;
    this.#framesMax = framesMax;
  }

  /** A block has begun and not ended: no other frame may come now. */
  get isOpen(): boolean {
    return this.#parts.length > 0;
  }

  /** Null where more is to come. */
  onHeaders(flags: number, streamId: number, payload: Buffer): HeaderBlockFrames | ConnectionFault | null {
    const isPadded = (flags & FLAG.padded) !== 0;
    const from = (isPadded ? 1 : 0) + ((flags & FLAG.priority) !== 0 ? PRIORITY_BYTES : 0);
    const to = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
    if (from > to) return protocolFault("HEADERS with more padding than frame");
    const endStream = (flags & FLAG.endStream) !== 0;
    const block = payload.subarray(from, to);
    if ((flags & FLAG.endHeaders) !== 0) return { streamId, endStream, block };
    this.#streamId = streamId;
    this.#endStream = endStream;
    return this.#keep(block);
  }

  onContinuation(flags: number, streamId: number, payload: Buffer): HeaderBlockFrames | ConnectionFault | null {
    if (!this.isOpen || streamId !== this.#streamId) return protocolFault("CONTINUATION of no head");
    const fault = this.#keep(payload);
    if (fault !== null || (flags & FLAG.endHeaders) === 0) return fault;
    const block = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return { streamId, endStream: this.#endStream, block };
  }

  #keep(part: Buffer): ConnectionFault | null {
    this.#parts.push(Buffer.from(part)); // the read that it is part of may be much larger
    this.#bytes += part.length + FRAME_HEAD_BYTES;
    if (this.#bytes <= this.#bytesMax && this.#parts.length <= this.#framesMax) return null;
    return flood("continuation_flood");
  }
}
