import { parseTrailers } from "./client-fields.ts";
import { ConnectionFault, frameSizeFault, protocolFault } from "./connection-fault.ts";
import type { FloodGate } from "./flood-gate.ts";
import type { FrameOutput } from "./frame-output.ts";
import type { DataPart, FrameSink } from "./frame-reader.ts";
import type { HeaderAssembly, HeaderBlockFrames } from "./header-assembly.ts";
import type { DecodedFields, HpackDecoder } from "./hpack-decoder.ts";
import type { SendQueue } from "./send-queue.ts";
import type { StreamConnection } from "./server-stream.ts";
import { readSettings } from "./settings.ts";
import type { StreamTable } from "./stream-table.ts";
import { ERROR_CODE, FLAG, FRAME, FRAME_HEAD_BYTES, WINDOW_BYTES, WINDOW_MAX } from "./wire.ts";

/** The session, as far as its frames concern it. */
export interface FramesHost {
  readonly streams: StreamTable;
  readonly output: FrameOutput;
  readonly queue: SendQueue;
  readonly gate: FloodGate;
  /** A client may have a head of so many bytes. */
  readonly headBytesMax: number;
  /** A head that opens a stream. */
  onRequestHead(streamId: number, endStream: boolean, head: DecodedFields): ConnectionFault | null;
  /** The read brought something of this stream. */
  onFed(stream: StreamConnection): void;
  /** Bytes came; false where they are more than the connection's window lets through. */
  onReceived(bytes: number): boolean;
  onTaken(bytes: number): void;
  onPingAnswered(payload: Buffer): void;
}

/** What each frame of a client means, or what is wrong with it (RFC 9113 sections 5 and 6). */
export class ServerFrames implements FrameSink {
  /** What the client lets us send on a stream that it opens now. */
  initialWindow: number = WINDOW_BYTES;
  readonly #host: FramesHost;
  readonly #assembly: HeaderAssembly;
  readonly #decoder: HpackDecoder;
  /** What came whole: heads, other frames, and parts of DATA. */
  finished = 0;
  /** The client's first frame has come, and was SETTINGS (section 3.4). */
  #isSettled = false;

  constructor(host: FramesHost, assembly: HeaderAssembly, decoder: HpackDecoder) {
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
        return protocolFault("PUSH_PROMISE of a client");
      case FRAME.priority:
        if (streamId === 0) return protocolFault("PRIORITY of the connection");
        return payload.length === PRIORITY_BYTES ? this.#onOverhead(payload) : wrongSize("PRIORITY");
      case FRAME.goaway:
        return streamId === 0 ? this.#onOverhead(payload) : protocolFault("GOAWAY of a stream");
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
    if ((streamId & 1) === 0) return protocolFault("request on a stream that is no client's");
    // Whatever becomes of the head: it may change what later ones mean.
    const decoded = this.#decoder.decode(block);
    if (decoded === null) return new ConnectionFault(ERROR_CODE.compressionError, "a head that is no HPACK");
    const fault = gate.overhead(Math.max(0, block.length - headBytesMax));
    if (fault !== null) return fault;
    const stream = streams.open.get(streamId);
    if (stream !== undefined) return this.#onTrailers(stream, endStream, decoded);
    if (streams.isIdle(streamId)) return this.#host.onRequestHead(streamId, endStream, decoded);
    return streams.wasCut(streamId) ? gate.overhead(FRAME_HEAD_BYTES + block.length) : STREAM_CLOSED;
  }

  #onTrailers(stream: StreamConnection, endStream: boolean, { raw, tooMany }: DecodedFields): ConnectionFault | null {
    if (stream.remoteEnded) return this.#refuse(stream, ERROR_CODE.streamClosed);
    this.#host.onFed(stream);
    const trailers = endStream && !tooMany ? parseTrailers(raw) : "no trailers";
    if (typeof trailers === "string") {
      stream.onMalformedTrailers(endStream);
      return this.#host.gate.invalid();
    }
    stream.onEnd(trailers);
    return stream.isMalformed ? this.#host.gate.reset() : null;
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
    if (endStream) stream.onEnd(null);
    this.#host.onFed(stream);
    // The service may be at work on it already: it comes to the same as a reset, only that we are made to send it.
    if (stream.isMalformed) return gate.reset();
    if (padding > 0) return gate.overhead(padding);
    // Empty frames that end nothing (CVE-2019-9518).
    return bytes === 0 && isLast && !endStream ? gate.invalid() : null;
  }

  #onReset(streamId: number, payload: Buffer): ConnectionFault | null {
    const { streams, gate } = this.#host;
    if (payload.length !== 4) return wrongSize("RST_STREAM");
    if (streams.isIdle(streamId)) return protocolFault("RST_STREAM of no stream");
    const stream = streams.open.get(streamId);
    if (stream === undefined) return this.#onOverhead(payload);
    stream.onGone();
    return gate.reset();
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
    return fault ?? gate.settings() ?? gate.overhead(payload.length);
  }

  /** Section 6.9.2. */
  #resizeWindows(bytes: number): ConnectionFault | null {
    const more = bytes - this.initialWindow;
    this.initialWindow = bytes;
    for (const stream of this.#host.streams.open.values()) {
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

  /** The stream cannot go on, by the client's fault (section 5.4.2). */
  #refuse(stream: StreamConnection, code: number): ConnectionFault | null {
    stream.reset(code);
    return this.#host.gate.invalid();
  }
}

const PRIORITY_BYTES = 5;
const NOT_SETTLED = protocolFault("no SETTINGS at the beginning");
const IN_HEAD = protocolFault("frame in the middle of a head");
const STREAM_CLOSED = new ConnectionFault(ERROR_CODE.streamClosed, "frame of a stream that is closed");

function flowControl(seen: string): ConnectionFault {
  return new ConnectionFault(ERROR_CODE.flowControlError, seen);
}

function wrongSize(frame: string): ConnectionFault {
  return frameSizeFault(`${frame} of a wrong size`);
}
