import { ConnectionFault, frameSizeFault, protocolFault } from "./connection-fault.ts";
import type { FloodGate } from "./flood-gate.ts";
import type { FrameOutput } from "./frame-output.ts";
import type { DataPart, FrameSink } from "./frame-reader.ts";
import type { HeaderAssembly, HeaderBlockFrames } from "./header-assembly.ts";
import type { DecodedFields, HpackDecoder } from "./hpack-decoder.ts";
import type { SendQueue } from "./send-queue.ts";
import { type PeerSettings, readSettings } from "./settings.ts";
import type { StreamTable } from "./stream-table.ts";
import { ERROR_CODE, FLAG, FRAME, FRAME_HEAD_BYTES, STREAM_ID_MAX, WINDOW_BYTES, WINDOW_MAX } from "./wire.ts";

/** One stream, as far as the peer's frames concern it. */
export interface FramedStream {
  readonly id: number;
  /** The peer has sent its last frame but for resets and window updates. */
  readonly remoteEnded: boolean;
  /** Counts bytes of DATA; false where they are more than the stream's window lets through. */
  onReceived(bytes: number): boolean;
  /** False where no data may come. */
  onData(data: Buffer, padding: number): boolean;
  /** A head on a stream that is open: false where it is none that may come. */
  onHead(head: DecodedFields, endStream: boolean): boolean;
  /** END_STREAM on a DATA frame. */
  onEnd(): void;
  /** RST_STREAM. */
  onReset(code: number): void;
  /** Gives the stream up, with an error that the peer is told. */
  reset(code: number): void;
  /** The peer takes so many bytes more, or fewer; false where its window becomes larger than one may be. */
  widen(bytes: number): boolean;
}

/** The session, as far as the peer's frames concern it. */
export interface FramesHost<S extends FramedStream> {
  readonly streams: StreamTable<S>;
  readonly output: FrameOutput;
  readonly queue: SendQueue;
  readonly gate: FloodGate;
  /** The peer may have a head of so many bytes. */
  readonly headBytesMax: number;
  /** A head on a stream that was idle. */
  onNewHead(streamId: number, head: DecodedFields, endStream: boolean): ConnectionFault | null;
  /** The read brought something of this stream. */
  onFed(stream: S): void;
  /** Bytes of DATA came; false where they are more than the connection's window lets through. */
  onReceived(bytes: number): boolean;
  /** So many of them nobody wants. */
  onTaken(bytes: number): void;
  /** The peer is about to be rid of the stream. */
  onStreamReset(stream: S): ConnectionFault | null;
  onPeerSettings(settings: PeerSettings): void;
  onGoaway(lastStreamId: number): void;
  onPingAnswered(payload: Buffer): void;
}

/** What each frame of the peer means, or what is wrong with it (RFC 9113 sections 5 and 6). */
export class Frames<S extends FramedStream> implements FrameSink {
  /** What the peer lets us send on a stream that is opened now. */
  initialWindow: number = WINDOW_BYTES;
  readonly #host: FramesHost<S>;
  readonly #assembly: HeaderAssembly;
  readonly #decoder: HpackDecoder;
  /** What came whole: heads, other frames, and parts of DATA. */
  finished = 0;
  /** The peer's first frame has come, and was SETTINGS (section 3.4). */
  #isSettled = false;

  constructor(host: FramesHost<S>, assembly: HeaderAssembly, decoder: HpackDecoder) {
    this.#host = host;
    this.#assembly = assembly;
    this.#decoder = decoder;
  }

  /** A head has begun and not ended. */
  get isInHead(): boolean {
    return this.#assembly.isOpen;
  }

  onFrame(type: number, flags: number, streamId: number, payload: Buffer): ConnectionFault | null {
    const fault = this.#dispatch(type, flags, streamId, payload);
    if (!this.#assembly.isOpen) this.finished++;
    return fault;
  }

  #dispatch(type: number, flags: number, streamId: number, payload: Buffer): ConnectionFault | null {
    const isFirst = !this.#isSettled;
    if (isFirst && (type !== FRAME.settings || (flags & FLAG.ack) !== 0)) return NOT_SETTLED;
    if (this.#assembly.isOpen && type !== FRAME.continuation) return IN_HEAD;
    switch (type) {
      case FRAME.headers:
        return this.#onHead(this.#assembly.onHeaders(flags, streamId, payload));
      case FRAME.continuation:
        return this.#onHead(this.#assembly.onContinuation(flags, streamId, payload));
      case FRAME.rstStream:
        return this.#onReset(streamId, payload);
      case FRAME.settings:
        return this.#onSettings(flags, streamId, payload);
      case FRAME.ping:
        return this.#onPing(flags, streamId, payload);
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(streamId, payload);
      case FRAME.pushPromise:
        return protocolFault("PUSH_PROMISE, which nobody asked for");
      case FRAME.priority:
        if (streamId === 0) return protocolFault("PRIORITY of the connection");
        return payload.length === PRIORITY_BYTES ? this.#onOverhead(payload) : wrongSize("PRIORITY");
      case FRAME.goaway:
        return this.#onGoaway(streamId, payload);
      default: // what nobody knows is passed over (section 5.5)
        return this.#onOverhead(payload);
    }
  }

  #onOverhead(payload: Buffer): ConnectionFault | null {
    return this.#host.gate.overhead(FRAME_HEAD_BYTES + payload.length);
  }

  // ---- heads -----------------------------------------------------------------------------------------------------

  #onHead(head: HeaderBlockFrames | ConnectionFault | null): ConnectionFault | null {
    if (head === null || head instanceof ConnectionFault) return head;
    const { streamId, endStream, block } = head;
    const { streams, gate, headBytesMax } = this.#host;
    if ((streamId & 1) === 0) return protocolFault("head on a stream that no client opens");
    // Whatever becomes of the head: it may change what later ones mean.
    const decoded = this.#decoder.decode(block);
    if (decoded === null) return new ConnectionFault(ERROR_CODE.compressionError, "a head that is no HPACK");
    const fault = gate.overhead(Math.max(0, block.length - headBytesMax));
    if (fault !== null) return fault;
    const stream = streams.open.get(streamId);
    if (stream === undefined) {
      if (streams.isIdle(streamId)) return this.#host.onNewHead(streamId, decoded, endStream);
      return streams.wasCut(streamId) ? gate.overhead(FRAME_HEAD_BYTES + block.length) : STREAM_CLOSED;
    }
    if (stream.remoteEnded) return this.#refuse(stream, ERROR_CODE.streamClosed);
    this.#host.onFed(stream);
    return stream.onHead(decoded, endStream) ? null : gate.invalid();
  }

  // ---- bodies ----------------------------------------------------------------------------------------------------

  onData(streamId: number, { data, padding, isFirst, isLast, endStream }: DataPart): ConnectionFault | null {
    if (!this.#isSettled) return NOT_SETTLED;
    if (this.#assembly.isOpen) return IN_HEAD;
    this.finished++;
    const { streams, gate } = this.#host;
    const bytes = data.length + padding;
    if (!this.#host.onReceived(bytes)) return flowControl("DATA beyond the connection's window");
    const stream = streams.open.get(streamId);
    if (stream === undefined) {
      this.#host.onTaken(bytes);
      if (streams.isIdle(streamId)) return protocolFault("DATA of no stream");
      return streams.wasCut(streamId) ? gate.overhead(bytes + (isFirst ? FRAME_HEAD_BYTES : 0)) : STREAM_CLOSED;
    }
    if (stream.remoteEnded || !stream.onReceived(bytes)) {
      this.#host.onTaken(bytes);
      return this.#refuse(stream, stream.remoteEnded ? ERROR_CODE.streamClosed : ERROR_CODE.flowControlError);
    }
    if (!stream.onData(data, padding)) return this.#refuse(stream, ERROR_CODE.protocolError);
    if (endStream) stream.onEnd();
    this.#host.onFed(stream);
    if (padding > 0) return gate.overhead(padding);
    // Empty frames that end nothing (CVE-2019-9518); one whose head ends a read is not empty yet.
    return bytes === 0 && isFirst && isLast && !endStream ? gate.invalid() : null;
  }

  #onReset(streamId: number, payload: Buffer): ConnectionFault | null {
    const { streams } = this.#host;
    if (payload.length !== 4) return wrongSize("RST_STREAM");
    if (streams.isIdle(streamId)) return protocolFault("RST_STREAM of no stream");
    const stream = streams.open.get(streamId);
    if (stream === undefined) return this.#onOverhead(payload);
    const fault = this.#host.onStreamReset(stream);
    stream.onReset(payload.readUInt32BE(0));
    return fault;
  }

  // ---- the connection --------------------------------------------------------------------------------------------

  #onSettings(flags: number, streamId: number, payload: Buffer): ConnectionFault | null {
    if (streamId !== 0) return protocolFault("SETTINGS of a stream");
    if ((flags & FLAG.ack) !== 0) return payload.length === 0 ? this.#onOverhead(payload) : wrongSize("SETTINGS");
    const { gate, output } = this.#host;
    this.#isSettled = true;
    const settings = readSettings(payload);
    if (settings instanceof ConnectionFault) return settings;
    output.add(FRAME.settings, FLAG.ack, 0);
    if (settings.hasTableSize) output.tableSizeDue = true;
    const fault = settings.initialWindow === null ? null : this.#resizeWindows(settings.initialWindow);
    this.#host.onPeerSettings(settings);
    return fault ?? gate.settings() ?? gate.overhead(payload.length);
  }

  /** Section 6.9.2. */
  #resizeWindows(bytes: number): ConnectionFault | null {
    const more = bytes - this.initialWindow;
    this.initialWindow = bytes;
    // Only those that are open now: what one of them sends may let another begin, whose window is the new one.
    for (const stream of [...this.#host.streams.open.values()]) {
      if (!stream.widen(more)) return flowControl("a window beyond all bounds");
    }
    return null;
  }

  #onPing(flags: number, streamId: number, payload: Buffer): ConnectionFault | null {
    const { gate, output } = this.#host;
    if (streamId !== 0) return protocolFault("PING of a stream");
    if (payload.length !== 8) return wrongSize("PING");
    if ((flags & FLAG.ack) === 0) {
      output.add(FRAME.ping, FLAG.ack, 0, Buffer.from(payload));
      return gate.ping();
    }
    this.#host.onPingAnswered(payload);
    return this.#onOverhead(payload);
  }

  #onGoaway(streamId: number, payload: Buffer): ConnectionFault | null {
    if (streamId !== 0) return protocolFault("GOAWAY of a stream");
    if (payload.length < GOAWAY_BYTES_MIN) return wrongSize("GOAWAY");
    this.#host.onGoaway(payload.readUInt32BE(0) & STREAM_ID_MAX);
    return this.#onOverhead(payload);
  }

  #onWindowUpdate(streamId: number, payload: Buffer): ConnectionFault | null {
    const { streams, queue } = this.#host;
    if (payload.length !== 4) return wrongSize("WINDOW_UPDATE");
    const bytes = payload.readUInt32BE(0) & WINDOW_MAX; // its highest bit says nothing
    if (streamId === 0) {
      if (bytes === 0) return protocolFault("WINDOW_UPDATE of nothing");
      return queue.widen(bytes) ? this.#onOverhead(payload) : flowControl("a window beyond all bounds");
    }
    if (streams.isIdle(streamId)) return protocolFault("WINDOW_UPDATE of no stream");
    const stream = streams.open.get(streamId);
    if (stream !== undefined) {
      if (bytes === 0) return this.#refuse(stream, ERROR_CODE.protocolError);
      if (!stream.widen(bytes)) return this.#refuse(stream, ERROR_CODE.flowControlError);
    }
    return this.#onOverhead(payload);
  }

  /** The stream cannot go on, by the peer's fault (section 5.4.2). */
  #refuse(stream: S, code: number): ConnectionFault | null {
    stream.reset(code);
    // Also one that its peer has ended: the rest of the very frame may be still to come.
    this.#host.streams.cut(stream.id);
    return this.#host.gate.invalid();
  }
}

const PRIORITY_BYTES = 5;
/** The last stream and a code; text may follow. */
const GOAWAY_BYTES_MIN = 8;
const NOT_SETTLED = protocolFault("no SETTINGS at the beginning");
const IN_HEAD = protocolFault("frame in the middle of a head");
const STREAM_CLOSED = new ConnectionFault(ERROR_CODE.streamClosed, "frame of a stream that is closed");

function flowControl(seen: string): ConnectionFault {
  return new ConnectionFault(ERROR_CODE.flowControlError, seen);
}

function wrongSize(frame: string): ConnectionFault {
  return frameSizeFault(`${frame} of a wrong size`);
}
