/** Wire types of Protocol Buffers (protobuf.dev/programming-guides/encoding). */
export const WIRE = { varint: 0, i64: 1, len: 2, groupStart: 3, groupEnd: 4, i32: 5 } as const;

/** Bytes of a tag or a length that every reader takes: some stop there, others go on to ten. */
const SHORT_VARINT_BYTES_MAX = 5;
const VARINT_BYTES_MAX = 10;
const FIELD_NUMBER_MAX = 2 ** 29 - 1;

/**
 * Reads the parts of one message, or of one within it, in their order. Each read says whether it could; where not, the bytes
 * are no message, or one that readers do not agree on.
 */
export class WireReader {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;
  /** Of the tag that was read last. */
  number = 0;
  wire = 0;
  /** The varint or fixed value that was read last: its low and high 32 bits, unsigned. */
  low = 0;
  high = 0;

  constructor(bytes: Buffer, at: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get isOver(): boolean {
    return this.at >= this.end;
  }

  readTag(): boolean {
    if (!this.readVarint(SHORT_VARINT_BYTES_MAX) || this.high !== 0) return false;
    this.number = this.low >>> 3;
    this.wire = this.low & 7;
    return this.number > 0 && this.number <= FIELD_NUMBER_MAX && this.wire <= WIRE.i32;
  }

  readVarint(bytesMax: number = VARINT_BYTES_MAX): boolean {
    const { bytes, end } = this;
    let { at } = this;
    const first = at < end ? (bytes[at] ?? 0) : 0x80;
    if (first < 0x80) {
      this.low = first;
      this.high = 0;
      this.at = at + 1;
      return true;
    }
    let low = 0;
    let high = 0;
    for (let count = 0; count < bytesMax && at < end; count++) {
      const byte = bytes[at++] ?? 0;
      const part = byte & 0x7f;
      if (count < 4) low |= part << (7 * count);
      else if (count === 4) {
        low |= part << 28;
        high = part >>> 4;
      } else if (count < 9) high |= part << (7 * count - 32);
      // What is beyond 64 bits some drop and others refuse.
      else if (byte > 1) return false;
      else high |= part << 31;
      if (byte >= 0x80) continue;
      this.low = low >>> 0;
      this.high = high >>> 0;
      this.at = at;
      return true;
    }
    return false;
  }

  readFixed32(): boolean {
    if (this.at + 4 > this.end) return false;
    this.low = this.bytes.readUInt32LE(this.at);
    this.high = 0;
    this.at += 4;
    return true;
  }

  readFixed64(): boolean {
    if (this.at + 8 > this.end) return false;
    this.low = this.bytes.readUInt32LE(this.at);
    this.high = this.bytes.readUInt32LE(this.at + 4);
    this.at += 8;
    return true;
  }

  /** Where what follows ends; -1 where it does not end here. */
  readLength(): number {
    if (!this.readVarint(SHORT_VARINT_BYTES_MAX) || this.high !== 0 || this.low > this.end - this.at) return -1;
    return this.at + this.low;
  }

  /** Passes over the value of the tag that was read last, groups with all that is in them. */
  skip(depthMax: number): boolean {
    switch (this.wire) {
      case WIRE.varint:
        return this.readVarint();
      case WIRE.i64:
        return this.readFixed64();
      case WIRE.i32:
        return this.readFixed32();
      case WIRE.len: {
        const end = this.readLength();
        if (end >= 0) this.at = end;
        return end >= 0;
      }
      case WIRE.groupStart:
        return depthMax > 0 && this.#skipGroup(this.number, depthMax - 1);
      default:
        return false;
    }
  }

  #skipGroup(number: number, depthMax: number): boolean {
    while (this.readTag()) {
      if (this.wire === WIRE.groupEnd) return this.number === number;
      if (!this.skip(depthMax)) return false;
    }
    return false;
  }
}
