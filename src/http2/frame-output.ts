import type { Socket } from "node:net";
import { ERROR_CODE, FLAG, FRAME, FRAME_BYTES_MAX, FRAME_HEAD_BYTES, PREFACE } from "./wire.ts";

/** RFC 7541 section 6.3: "the dynamic table has no size", which is what we use of it. */
const TABLE_SIZE_ZERO = Buffer.of(0x20);
/** Up to this length all is copied into one piece; above it, copies of long bodies would be most of the garbage. */
const COMBINE_BYTES_MAX = 32 * 1024;
/** A payload that is worth a piece of its own. */
const LARGE_BYTES_MIN = 8 * 1024;
const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * Frames on their way to the socket. What one turn of the event loop makes of all streams goes out in one write: one TLS
 * record and one system call for many answers.
 */
export class FrameOutput {
  /** What waits for the write. */
  bytes = 0;
  /** The socket has more than it takes; its `drain` ends that. */
  congested = false;
  /** The peer wants to hear of its new HPACK table before the next block (RFC 7541 section 4.2). */
  tableSizeDue = false;
  readonly #socket: Socket;
  readonly #onFlushed: () => void;
  /** Type, flags and stream of each frame, and its payload. */
  #heads: number[] = [];
  #payloads: Buffer[] = [];
  #preface = NO_BYTES;
  #isScheduled = false;
  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.flush();
    this.#onFlushed();
  };

  /** `onFlushed`: there is room again, unless the socket is congested. */
  constructor(socket: Socket, onFlushed: () => void) {
    this.#socket = socket;
    this.#onFlushed = onFlushed;
  }

  /** `payload` is at most FRAME_BYTES_MAX, and not to change until it is written. */
  add(type: number, flags: number, streamId: number, payload: Buffer = NO_BYTES): void {
    this.#heads.push(type, flags, streamId);
    this.#payloads.push(payload);
    this.bytes += FRAME_HEAD_BYTES + payload.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }

  /** The preface: the one thing on the wire that is no frame, and the first. */
  addPreface(): void {
    this.#preface = PREFACE;
    this.bytes += PREFACE.length;
  }

  /** A field block, in as many frames as it needs. */
  addHeaders(streamId: number, fields: Buffer, endStream: boolean): void {
    const block = this.tableSizeDue ? Buffer.concat([TABLE_SIZE_ZERO, fields]) : fields;
    this.tableSizeDue = false;
    const end = endStream ? FLAG.endStream : 0;
    if (block.length <= FRAME_BYTES_MAX) {
      this.add(FRAME.headers, FLAG.endHeaders | end, streamId, block);
      return;
    }
    this.add(FRAME.headers, end, streamId, block.subarray(0, FRAME_BYTES_MAX));
    for (let at = FRAME_BYTES_MAX; at < block.length; at += FRAME_BYTES_MAX) {
      const isLast = at + FRAME_BYTES_MAX >= block.length;
      this.add(FRAME.continuation, isLast ? FLAG.endHeaders : 0, streamId, block.subarray(at, at + FRAME_BYTES_MAX));
    }
  }

  addReset(streamId: number, code: number): void {
    this.add(FRAME.rstStream, 0, streamId, uint32(code));
  }

  addWindowUpdate(streamId: number, bytes: number): void {
    this.add(FRAME.windowUpdate, 0, streamId, uint32(bytes));
  }

  addSettings(entries: readonly (readonly [id: number, value: number])[]): void {
    const payload = Buffer.alloc(entries.length * 6);
    for (const [at, [id, value]] of entries.entries()) {
      payload.writeUInt16BE(id, at * 6);
      payload.writeUInt32BE(value, at * 6 + 2);
    }
    this.add(FRAME.settings, 0, 0, payload);
  }

  /** `text` tells a person what the code cannot. */
  addGoaway(lastStreamId: number, code: number = ERROR_CODE.noError, text = ""): void {
    const payload = Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from(text, "latin1")]);
    this.add(FRAME.goaway, 0, 0, payload);
  }

  /** Writes what was added, now. */
  flush(): void {
    if (this.bytes === 0) return;
    const pieces = this.#take();
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    let flowing = true;
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) flowing = this.#socket.write(piece) && flowing;
    if (pieces.length > 1) this.#socket.uncork();
    if (!flowing) this.congested = true;
  }

  /** Frames in as few pieces as are worth it: small ones are copied together, large payloads go as they are. */
  #take(): Buffer[] {
    const heads = this.#heads;
    const payloads = this.#payloads;
    const isLong = this.bytes > COMBINE_BYTES_MAX;
    const pieces: Buffer[] = [];
    const copied = isLong
      ? payloads.reduce((sum, { length }) => sum - (isLarge(length) ? length : 0), this.bytes)
      : this.bytes;
    const buffer = Buffer.allocUnsafe(copied);
    let at = this.#preface.copy(buffer);
    let from = 0;
    for (let index = 0; index < payloads.length; index++) {
      const payload = payloads[index] ?? NO_BYTES;
      at = writeHead(buffer, at, payload.length, heads, 3 * index);
      if (isLong && isLarge(payload.length)) {
        pieces.push(buffer.subarray(from, at), payload);
        from = at;
      } else at += payload.copy(buffer, at);
    }
    if (at > from) pieces.push(from === 0 ? buffer : buffer.subarray(from, at));
    this.#preface = NO_BYTES;
    this.#heads = [];
    this.#payloads = [];
    this.bytes = 0;
    return pieces;
  }
}

function isLarge(bytes: number): boolean {
  return bytes >= LARGE_BYTES_MIN;
}

/** RFC 9113 section 4.1. */
function writeHead(buffer: Buffer, from: number, length: number, heads: readonly number[], index: number): number {
  const streamId = heads[index + 2] ?? 0;
  let at = from;
  buffer[at++] = length >>> 16;
  buffer[at++] = length >>> 8;
  buffer[at++] = length;
  buffer[at++] = heads[index] ?? 0;
  buffer[at++] = heads[index + 1] ?? 0;
  buffer[at++] = streamId >>> 24;
  buffer[at++] = streamId >>> 16;
  buffer[at++] = streamId >>> 8;
  buffer[at++] = streamId;
  return at;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
