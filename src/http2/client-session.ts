import type { Socket } from "node:net";
import type { ClientStream, ResponseLimits } from "../message/stream.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { Http2ClientStream, type StreamHost } from "./client-stream.ts";
import { type ConnectionFault, protocolFault } from "./connection-fault.ts";
import { FloodGate } from "./flood-gate.ts";
import { FrameOutput } from "./frame-output.ts";
import { FrameReader } from "./frame-reader.ts";
import { Frames, type FramesHost } from "./frames.ts";
import { HeaderAssembly } from "./header-assembly.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { SendQueue } from "./send-queue.ts";
import type { PeerSettings } from "./settings.ts";
import { StreamTable } from "./stream-table.ts";
import { FRAME_BYTES_MAX, FRAME_HEAD_BYTES, SETTING, STREAM_ID_MAX, WINDOW_BYTES } from "./wire.ts";
import { WriteWatch } from "./write-watch.ts";

/** What a session tells those who share it. */
export interface SessionOwner {
  /** A stream has ended, or the service has said how many it allows. */
  onRoom(session: ClientSession): void;
  /** Carries no new streams: the service said so, or the connection is gone. Once. */
  onGone(session: ClientSession): void;
  /** The connection is no more; after `onGone`, once. */
  onClosed(session: ClientSession): void;
}

/** How long a session waits, in milliseconds, and how large the heads of its answers may be. */
export interface SessionLimits extends ResponseLimits {
  /** For the next request. */
  readonly idleTimeoutMs: number;
  /** For the service to take what was written to it. */
  readonly writeTimeoutMs: number;
}

/** Client side of one HTTP/2 connection to the service (RFC 9113): many requests at a time. */
export class ClientSession implements Timed, StreamHost, FramesHost<Http2ClientStream> {
  deadlineMs = Number.POSITIVE_INFINITY;
  used = false;
  isStuck = false;
  /** The service has said how many streams it takes. */
  isSettled = false;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly scheme: "http" | "https";
  readonly output: FrameOutput;
  readonly queue: SendQueue;
  readonly gate: FloodGate;
  readonly streams = new StreamTable<Http2ClientStream>();
  readonly headBytesMax: number;
  readonly headersCountMax: number;
  readonly #socket: Socket;
  readonly #owner: SessionOwner;
  readonly #idleTimeoutMs: number;
  readonly #frames: Frames<Http2ClientStream>;
  readonly #reader: FrameReader;
  readonly #writes: WriteWatch;
  #lastReadMs: number;
  readonly #fed = new Set<Http2ClientStream>();
  /** Streams under way, also those whose heads wait for their turn and have no id yet. */
  readonly #active = new Set<Http2ClientStream>();
  /** Taken by requests, begun or not. */
  #streamsTaken = 0;
  /** One until the service has said how many: what it refuses for their number may have lost its body by then. */
  #streamsMax = 1;
  #nextId = 1;
  readonly #window = new ReceiveWindow(DEFAULTS.upstreamConnectionWindowBytes);
  /** The highest stream whose head was written to the socket. */
  #writtenId = 0;
  #gone = false;
  #ending = false;
  #closed = false;
  /** The highest stream that the service may have worked on (GOAWAY). */
  #lastProcessedId = Number.POSITIVE_INFINITY;
  /** Why the connection ended, as far as that is known. */
  #fault: ConnectionFault | null = null;
  #errorCode = "";

  /** `socket` is connected, and through with its handshake where it is TLS. */
  constructor(
    socket: Socket,
    scheme: "http" | "https",
    limits: SessionLimits,
    owner: SessionOwner,
    clock: Clock,
    deadlines: Deadlines,
  ) {
    this.#socket = socket;
    this.scheme = scheme;
    this.#owner = owner;
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.clock = clock;
    this.deadlines = deadlines;
    this.gate = new FloodGate(() => clock.monotonicMs(), LATE_BYTES_MAX);
    this.output = new FrameOutput(socket, () => this.#onFlushed());
    this.queue = new SendQueue(this.output);
    const { headBytesMax, headersCountMax } = limits;
    this.headBytesMax = headBytesMax;
    this.headersCountMax = headersCountMax;
    const framesMax = DEFAULTS.h2HeadFramesMax + Math.ceil(headBytesMax / FRAME_BYTES_MAX);
    const assembly = new HeaderAssembly(4 * headBytesMax, framesMax);
    this.#frames = new Frames(this, assembly, new HpackDecoder(2 * headBytesMax, headersCountMax + 1));
    this.#reader = new FrameReader(this.#frames);
    this.#sendPreface();
    this.#writes = new WriteWatch(limits.writeTimeoutMs, clock, () => this.#onStuck());
    this.#lastReadMs = clock.monotonicMs();
    deadlines.add(this.#writes);
    deadlines.add(this);
    this.#rest();
    socket.on("data", (chunk: Buffer) => this.#onRead(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => socket.destroy());
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#errorCode = error.code ?? error.message;
    });
    socket.on("close", () => this.#onClose());
  }

  #sendPreface(): void {
    this.output.addPreface();
    this.output.addSettings([
      [SETTING.enablePush, 0],
      [SETTING.initialWindowSize, DEFAULTS.upstreamStreamWindowBytes],
      [SETTING.maxHeaderListSize, this.headBytesMax],
    ]);
    this.output.addWindowUpdate(0, DEFAULTS.upstreamConnectionWindowBytes - WINDOW_BYTES);
  }

  // ---- for those who share it ------------------------------------------------------------------------------------

  get hasRoom(): boolean {
    // Streams that wait for their turn have no id yet, and a socket that was destroyed is closed a little later.
    const hasIds = this.#nextId + 2 * this.#streamsTaken < STREAM_ID_MAX;
    return !this.#gone && this.#streamsTaken < this.#streamsMax && hasIds && !this.#socket.destroyed;
  }

  /** For the caller to begin or to release; only where there is room. */
  openStream(): ClientStream {
    this.#streamsTaken++;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    return new Http2ClientStream(this);
  }

  /** No new streams; closes when the last has ended. */
  retire(): void {
    this.#leave();
    if (this.#streamsTaken === 0) this.#end();
  }

  destroy(): void {
    this.#leave();
    this.#socket.destroy();
  }

  onDeadline(): void {
    if (this.#ending) this.#socket.destroy();
    else this.retire();
  }

  // ---- for its streams (StreamHost) ------------------------------------------------------------------------------

  get initialWindow(): number {
    return this.#frames.initialWindow;
  }

  get fault(): ConnectionFault | null {
    return this.#fault;
  }

  get errorCode(): string {
    return this.#errorCode;
  }

  wasProcessed(streamId: number): boolean {
    return streamId !== 0 && streamId <= Math.min(this.#writtenId, this.#lastProcessedId);
  }

  onUnanswered(timeoutMs: number): void {
    if (this.#lastReadMs <= this.clock.monotonicMs() - timeoutMs) this.#leave();
  }

  onBegun(stream: Http2ClientStream): void {
    this.#active.add(stream);
  }

  takeId(stream: Http2ClientStream): number {
    const id = this.#nextId;
    this.#nextId += 2;
    this.streams.lastId = id;
    this.streams.open.set(id, stream);
    return id;
  }

  onStreamEnded(stream: Http2ClientStream): void {
    this.#active.delete(stream);
    this.streams.open.delete(stream.id);
    if (stream.id !== 0 && !stream.remoteEnded) {
      this.streams.cut(stream.id);
      this.gate.expect(stream.window.left + stream.window.left / 8);
    }
    this.#streamsTaken--;
    if (this.#streamsTaken > 0) {
      if (!this.#gone) this.#owner.onRoom(this);
    } else if (this.#gone) this.#end();
    else {
      this.#rest();
      this.#owner.onRoom(this);
    }
  }

  onSent(bytes: number): void {
    this.gate.expect(2 * (FRAME_HEAD_BYTES + 4) + bytes / 16);
    this.gate.expectPing();
  }

  // ---- what the service sends (FramesHost) -----------------------------------------------------------------------

  #onRead(chunk: Buffer): void {
    if (this.#ending) return;
    this.#lastReadMs = this.clock.monotonicMs();
    const fault = this.#reader.feed(chunk);
    if (fault !== null) this.#fail(fault);
    for (const stream of this.#fed) stream.deliver();
    this.#fed.clear();
  }

  onNewHead(): ConnectionFault {
    return protocolFault("answer to no request");
  }

  onFed(stream: Http2ClientStream): void {
    this.#fed.add(stream);
  }

  /** The connection's window is opened as it is used: a client that reads slowly is no reason to hold up the others. */
  onReceived(bytes: number): boolean {
    if (!this.#window.receive(bytes)) return false;
    const announced = this.#window.take(bytes);
    if (announced > 0) this.output.addWindowUpdate(0, announced);
    return true;
  }

  onTaken(): void {}

  onStreamReset(): null {
    return null;
  }

  onPeerSettings({ maxConcurrentStreams }: PeerSettings): void {
    if (maxConcurrentStreams === null && this.isSettled) return;
    this.isSettled = true;
    this.#streamsMax = Math.min(maxConcurrentStreams ?? DEFAULTS.upstreamStreamsMax, DEFAULTS.upstreamStreamsMax);
    this.#owner.onRoom(this);
  }

  /** Streams up to `lastStreamId` still get their answers; those beyond were never begun (RFC 9113 section 6.8). */
  onGoaway(lastStreamId: number): void {
    this.#lastProcessedId = Math.min(this.#lastProcessedId, lastStreamId);
    this.#leave();
    for (const stream of this.#active) if (stream.id === 0 || stream.id > lastStreamId) stream.onUnprocessed();
    if (this.#streamsTaken === 0) this.#end();
  }

  onPingAnswered(): void {}

  // ---- the connection --------------------------------------------------------------------------------------------

  #onFlushed(): void {
    if (!this.#socket.destroyed) this.#writtenId = this.streams.lastId;
    if (this.output.congested) this.#writes.begin();
    else this.queue.run();
  }

  #onDrain(): void {
    this.output.congested = false;
    this.#writes.end();
    this.queue.run();
  }

  #onStuck(): void {
    this.isStuck = true;
    this.destroy();
  }

  #fail(fault: ConnectionFault): void {
    this.#fault = fault;
    this.#leave();
    for (const stream of this.#active) stream.onConnectionLost();
    this.#end();
  }

  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.output.addGoaway(0, this.#fault?.code, this.#fault?.seen);
    this.output.flush();
    this.#socket.end();
    this.deadlineMs = this.clock.monotonicMs() + DEFAULTS.lingerTimeoutMs;
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.deadlines.remove(this);
    this.deadlines.remove(this.#writes);
    this.#leave();
    for (const stream of this.#active) stream.onConnectionLost();
    this.#owner.onClosed(this);
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#owner.onGone(this);
  }

  #rest(): void {
    this.deadlineMs = this.clock.monotonicMs() + this.#idleTimeoutMs;
  }
}

/** What a service may still send on streams that were given up, all of them at once and with full windows. */
const LATE_BYTES_MAX = DEFAULTS.upstreamStreamsMax * DEFAULTS.upstreamStreamWindowBytes * (9 / 8);
