import { type ConnectionFault, frameSizeFault, protocolFault } from "./connection-fault.ts";
import { FLAG, FRAME, FRAME_BYTES_MAX, FRAME_HEAD_BYTES } from "./wire.ts";

export interface FrameSink {
  /** A whole frame of any type but DATA. */
  onFrame(type: number, flags: number, streamId: number, payload: Buffer): ConnectionFault | null;
  /**
   * DATA, as far as it has come. `padding`: bytes of the frame that are none, and count in the windows all the same.
   * `isFirst`, `isLast`: of its frame, whose head alone may be a part, too; `endStream`: nothing follows on this stream,
   * told with a frame's last part.
   */
  onData(streamId: number, part: DataPart): ConnectionFault | null;
}

export interface DataPart {
  readonly data: Buffer;
  readonly padding: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly endStream: boolean;
}

const NO_BYTES = Buffer.alloc(0);

/** Cuts one direction of a connection into frames (RFC 9113 section 4.1), however the bytes are split into reads. */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame that has not come whole. */
  #rest: Buffer | null = null;
  /** DATA goes on in parts: what is still to come of the frame. */
  #streamId = 0;
  #dataLeft = 0;
  #paddingLeft = 0;
  #endStream = false;
  #inData = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** A frame other than DATA has begun and is not here yet. */
  get isWaiting(): boolean {
    return this.#rest !== null;
  }

  feed(chunk: Buffer): ConnectionFault | null {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let at = 0;
    while (at < bytes.length) {
      if (this.#inData) {
        const size = Math.min(this.#dataLeft + this.#paddingLeft, bytes.length - at);
        const fault = this.#passData(bytes, at, size, false);
        if (fault !== null) return fault;
        at += size;
        continue;
      }
      if (bytes.length - at < FRAME_HEAD_BYTES) break;
      const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      if (length > FRAME_BYTES_MAX) return frameSizeFault(`frame of ${length} bytes`);
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      // The highest bit is reserved and says nothing.
      const streamId = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      if (type === FRAME.data) {
        const isPadded = (flags & FLAG.padded) !== 0;
        if (isPadded && length > 0 && bytes.length - at === FRAME_HEAD_BYTES) break;
        const padding = isPadded ? (bytes[at + FRAME_HEAD_BYTES] ?? 0) + 1 : 0;
        if (padding > length) return protocolFault("padding longer than its frame");
        this.#streamId = streamId;
        this.#dataLeft = length - padding;
        this.#paddingLeft = padding;
        this.#endStream = (flags & FLAG.endStream) !== 0;
        at += FRAME_HEAD_BYTES;
        // The byte with the padding's length is part of the padding, only it stands in front.
        if (isPadded) {
          this.#paddingLeft--;
          at++;
        }
        const size = Math.min(this.#dataLeft + this.#paddingLeft, bytes.length - at);
        const fault = this.#passData(bytes, at, size, true, isPadded ? 1 : 0);
        if (fault !== null) return fault;
        at += size;
        continue;
      }
      const end = at + FRAME_HEAD_BYTES + length;
      if (end > bytes.length) break;
      const fault = this.#sink.onFrame(type, flags, streamId, bytes.subarray(at + FRAME_HEAD_BYTES, end));
      if (fault !== null) return fault;
      at = end;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : null;
    return null;
  }

  #passData(bytes: Buffer, at: number, size: number, isFirst: boolean, paddingBefore = 0): ConnectionFault | null {
    const dataSize = Math.min(this.#dataLeft, size);
    this.#dataLeft -= dataSize;
    this.#paddingLeft -= size - dataSize;
    const isLast = this.#dataLeft === 0 && this.#paddingLeft === 0;
    this.#inData = !isLast;
    return this.#sink.onData(this.#streamId, {
      data: dataSize === 0 ? NO_BYTES : bytes.subarray(at, at + dataSize),
      padding: paddingBefore + size - dataSize,
      isFirst,
      isLast,
      endStream: isLast && this.#endStream,
    });
  }
}
