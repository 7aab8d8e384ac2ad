/** Why a side's bytes are no WebSocket frames, with the code that closes it (RFC 6455 section 7.4.1). */
export interface FrameFault {
  readonly code: 1002 | 1009;
  readonly seen: string;
}

export interface FrameRules {
  /** Frames of clients are masked, those of servers never are (RFC 6455 section 5.1). */
  readonly masked: boolean;
  /** Bits of the first byte that an agreed extension may use. */
  readonly reservedBits: number;
  /** Largest payload of one frame. */
  readonly payloadBytesMax: number;
}

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
const CONTINUATION = 0x0;
const BINARY = 0x2;
const CONTROL = 0x8;
const CLOSE = 0x8;
const PONG = 0xa;

/**
 * Finds where the frames of one direction begin and end (RFC 6455 section 5.2), looking at headers alone: payloads are
 * skipped, so that a frame costs the same whatever its size. Knowing the ends is what lets a tunnel be closed with a
 * frame of our own, and a side that sends anything but frames gets no further than its first header.
 */
export class FrameReader {
  /** What is wrong; nothing is read any more. */
  fault: FrameFault | null = null;
  /** A Close frame has passed whole; this side may send nothing more. */
  closed = false;
  /** Ends the reading at the next frame's end. */
  stopping = false;
  readonly #rules: FrameRules;
  #payloadLeft = 0;
  #opcode = 0;
  /** Between the first frame of a message and its last. */
  #fragmented = false;

  constructor(rules: FrameRules) {
    this.#rules = rules;
  }

  /** True where no frame is under way, so that another may stand here. */
  get atBoundary(): boolean {
    return this.#payloadLeft === 0;
  }

  /** Reads on; gives how many bytes of `buffer` are of sound frames. What is behind them is to be offered again. */
  feed(buffer: Buffer): number {
    let at = 0;
    for (;;) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, buffer.length - at);
        at += taken;
        this.#payloadLeft -= taken;
        if (this.#payloadLeft > 0) return at;
        if (this.#opcode === CLOSE) this.closed = true;
      }
      if (this.closed || this.stopping || this.fault !== null) return at;
      const headerBytes = this.#readHeader(buffer, at);
      if (headerBytes === 0) return at;
      at += headerBytes;
      if (this.#payloadLeft === 0 && this.#opcode === CLOSE) this.closed = true;
    }
  }

  /** Bytes of the header at `at`; 0 where it is not whole, or where it is none. */
  #readHeader(buffer: Buffer, at: number): number {
    if (buffer.length - at < 2) return 0;
    const first = buffer.readUInt8(at);
    const second = buffer.readUInt8(at + 1);
    const shortLength = second & ~MASKED;
    const lengthBytes = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0;
    // The first two bytes say enough to refuse; waiting for the rest would leave the choice to the sender.
    if (!this.#isSound(first, second, shortLength)) return 0;
    const headerBytes = 2 + lengthBytes + (this.#rules.masked ? 4 : 0);
    if (buffer.length - at < headerBytes) return 0;
    const payloadBytes = lengthBytes === 0 ? shortLength : readLength(buffer, at + 2, lengthBytes);
    if (payloadBytes < 0) return this.#refuse(1002, "a length longer than it need be");
    if (payloadBytes > this.#rules.payloadBytesMax) {
      return this.#refuse(1009, `a frame of more than ${this.#rules.payloadBytesMax} bytes`);
    }
    this.#opcode = first & 0x0f;
    if (this.#opcode < CONTROL) this.#fragmented = (first & FIN) === 0;
    this.#payloadLeft = payloadBytes;
    return headerBytes;
  }

  #isSound(first: number, second: number, shortLength: number): boolean {
    const opcode = first & 0x0f;
    const { masked, reservedBits } = this.#rules;
    if (((second & MASKED) !== 0) !== masked) this.#refuse(1002, masked ? "an unmasked frame" : "a masked frame");
    else if ((first & RESERVED & ~reservedBits) !== 0) this.#refuse(1002, "reserved bits");
    else if (opcode >= CONTROL) this.#judgeControl(opcode, (first & FIN) !== 0, shortLength);
    else if (opcode > BINARY) this.#refuse(1002, `reserved opcode ${opcode}`);
    else if ((opcode === CONTINUATION) !== this.#fragmented) {
      this.#refuse(1002, this.#fragmented ? "a message inside another" : "a continuation of nothing");
    }
    return this.fault === null;
  }

  #judgeControl(opcode: number, isFinal: boolean, shortLength: number): void {
    if (opcode > PONG) this.#refuse(1002, `reserved opcode ${opcode}`);
    else if (!isFinal) this.#refuse(1002, "a control frame in parts");
    else if (shortLength > 125) this.#refuse(1002, "a control frame of more than 125 bytes");
    else if (opcode === CLOSE && shortLength === 1) this.#refuse(1002, "a Close frame with half a code");
  }

  #refuse(code: FrameFault["code"], seen: string): 0 {
    this.fault = { code, seen };
    return 0;
  }
}

/** The extended length; negative where a shorter form would have held it (RFC 6455 section 5.2: the minimal number). */
function readLength(buffer: Buffer, at: number, bytes: number): number {
  if (bytes === 2) {
    const length = buffer.readUInt16BE(at);
    return length < 126 ? -1 : length;
  }
  const high = buffer.readUInt32BE(at);
  if (high > 0x7fff_ffff) return -1; // the first bit must be 0
  const length = high * 2 ** 32 + buffer.readUInt32BE(at + 4);
  return length < 65_536 ? -1 : length;
}

/** A Close frame; `mask` for one to a server, which takes masked frames alone, as 32 random bits. */
export function closeFrame(code: number, text: string, mask: number | null): Buffer {
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code);
  payload.write(text, 2, "latin1");
  const head = [FIN | CLOSE, payload.length | (mask === null ? 0 : MASKED)];
  if (mask === null) return Buffer.concat([Buffer.from(head), payload]);
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(mask);
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (key[at % 4] ?? 0);
  return Buffer.concat([Buffer.from(head), key, payload]);
}
