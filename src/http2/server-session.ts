import type { Socket } from "node:net";
import { HeadFault } from "../http1/head.ts";
import type { LingerRoom } from "../http1/linger.ts";
import { RequestQuota } from "../http1/request-quota.ts";
import type { ServerLimits } from "../http1/server-limits.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type Http2CloseReason, isFault } from "./close-reason.ts";
import { ConnectionFault } from "./connection-fault.ts";
import { type Carrier, FieldReader, type RequestFields, typeOfRefused } from "./fields.ts";
import { FloodGate } from "./flood-gate.ts";
import { FrameOutput } from "./frame-output.ts";
import { FrameReader } from "./frame-reader.ts";
import { Frames, type FramesHost } from "./frames.ts";
import { HeadWatch } from "./head-watch.ts";
import { HeaderAssembly } from "./header-assembly.ts";
import { type DecodedFields, HpackDecoder } from "./hpack-decoder.ts";
import { ResponseBlocks } from "./hpack-encoder.ts";
import { Preface } from "./preface.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { SendQueue } from "./send-queue.ts";
import type { Http2Handler } from "./server-handler.ts";
import { StreamConnection, type StreamHost } from "./server-stream.ts";
import { type MemoryOf, SessionMemory } from "./session-memory.ts";
import { StreamTable } from "./stream-table.ts";
import { ERROR_CODE, FRAME, FRAME_HEAD_BYTES, SETTING, STREAM_ID_MAX, WINDOW_BYTES } from "./wire.ts";

/** A request of the read that is being taken in. */
interface Arrival {
  readonly stream: StreamConnection;
  readonly fields: RequestFields | HeadFault;
}

/**
 * How far the connection is: `noticed` when its client was told to open no further streams and may not have heard it;
 * `leaving` when its last stream is named; `closing` when nothing more is said and its last bytes are read away.
 */
type State = "open" | "noticed" | "leaving" | "closing";

/** Of the PING that goes with the notice: its answer tells that the notice was heard. */
const NOTICE = Buffer.from("draining", "latin1");

/** Server side of one HTTP/2 connection (RFC 9113): its life, and the requests that it carries. */
export class ServerSession implements Timed, StreamHost, FramesHost<StreamConnection> {
  deadlineMs: number;
  readonly limits: ServerLimits;
  readonly output: FrameOutput;
  readonly queue: SendQueue;
  readonly gate = new FloodGate(() => this.nowMs());
  readonly streams = new StreamTable<StreamConnection>();
  readonly responseBlocks = new ResponseBlocks();
  readonly memory: SessionMemory;
  readonly #socket: Socket;
  readonly #handler: Http2Handler;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #preface = new Preface();
  readonly #frames: Frames<StreamConnection>;
  readonly #reader: FrameReader;
  readonly #fields: FieldReader;
  readonly #quota: RequestQuota;
  #state: State = "open";
  #reason: Http2CloseReason | null = null;
  #seen = "";
  readonly #window = new ReceiveWindow(DEFAULTS.h2ConnectionWindowBytes);
  readonly #arrivals: Arrival[] = [];
  readonly #fed = new Set<StreamConnection>();
  /** The last stream that is taken, once the client was told (RFC 9113 section 6.8). */
  #namedId: number | null = null;
  #lingered = 0;
  #closed = false;
  /** When a session without streams has rested long enough. */
  #idleMs: number;
  readonly #head: HeadWatch;
  /** When the client must have taken what waits for its socket. */
  #drainMs = Number.POSITIVE_INFINITY;
  /** When the session must have come further on its way out. */
  #leaveMs = Number.POSITIVE_INFINITY;

  constructor(
    socket: Socket,
    carrier: Carrier,
    limits: ServerLimits,
    handler: Http2Handler,
    clock: Clock,
    deadlines: Deadlines,
    memory: MemoryOf,
  ) {
    this.#socket = socket;
    this.memory = new SessionMemory(memory);
    this.limits = limits;
    this.#handler = handler;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.output = new FrameOutput(socket, () => this.#onFlushed());
    this.queue = new SendQueue(this.output);
    this.#fields = new FieldReader(limits, carrier);
    const assembly = new HeaderAssembly(4 * limits.headBytesMax, DEFAULTS.h2HeadFramesMax);
    // Twice what is allowed: what lies between is answered with its own reason, what lies beyond is not kept.
    const decoder = new HpackDecoder(2 * limits.headBytesMax, 2 * limits.headersCountMax);
    this.#frames = new Frames(this, assembly, decoder);
    this.#reader = new FrameReader(this.#frames);
    const nowMs = clock.monotonicMs();
    this.#quota = new RequestQuota(limits, nowMs);
    this.#idleMs = nowMs + limits.headTimeoutMs;
    this.#head = new HeadWatch(limits.headTimeoutMs, clock);
    this.deadlineMs = nowMs + DEFAULTS.h2CheckIntervalMs;
    deadlines.add(this);
    this.#sendPreface();
    socket.on("data", (chunk: Buffer) => this.#onRead(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#onClose());
  }

  get headBytesMax(): number {
    return this.limits.headBytesMax;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  #sendPreface(): void {
    this.output.addSettings([
      [SETTING.maxConcurrentStreams, DEFAULTS.h2StreamsMax],
      [SETTING.initialWindowSize, DEFAULTS.h2WindowBytes],
      [SETTING.maxHeaderListSize, 2 * this.limits.headBytesMax],
      [SETTING.enableConnectProtocol, 1], // RFC 8441; a route still has to say 'websocket'
    ]);
    this.output.addWindowUpdate(0, DEFAULTS.h2ConnectionWindowBytes - WINDOW_BYTES);
  }

  // ---- reading ---------------------------------------------------------------------------------------------------

  #onRead(chunk: Buffer): void {
    if (this.#state === "closing") {
      this.#lingered += chunk.length;
      // Not destroyed: a reset would eat our last words, which a client that still writes has not read yet.
      if (this.#lingered > DEFAULTS.lingerBytesMax) this.#socket.pause();
      return;
    }
    const frames = this.#preface.isWhole ? chunk : this.#preface.read(chunk);
    const fault = frames instanceof ConnectionFault ? frames : this.#reader.feed(frames);
    if (fault !== null) {
      this.#fail(fault);
      return;
    }
    this.#head.onRead(this.#frames, this.#reader.isWaiting);
    this.#begin();
    this.#deliver();
    // Nobody takes what we say to its frames, so it may as well stop asking.
    if (this.output.congested && this.output.bytes > DEFAULTS.h2OutputBytesMax) this.#socket.pause();
  }

  #deliver(): void {
    let flood: ConnectionFault | null = null;
    for (const stream of this.#fed) {
      stream.deliver();
      // The service may be at work on it already: it comes to the same as a reset, only that we are made to send it.
      if (stream.foundMalformed()) flood ??= this.gate.reset();
    }
    this.#fed.clear();
    if (flood !== null) this.#fail(flood);
  }

  // ---- requests (FramesHost) -------------------------------------------------------------------------------------

  onNewHead(streamId: number, { raw, tooMany }: DecodedFields, endStream: boolean): ConnectionFault | null {
    this.streams.lastId = streamId;
    // The last stream is named, and this is none that its client counts on: it will ask again elsewhere.
    if (this.#namedId !== null) {
      this.#handler.onUnjudged("going_away");
      if (!endStream) this.#expectRest(streamId, DEFAULTS.h2WindowBytes);
      return this.gate.overhead(FRAME_HEAD_BYTES);
    }
    const isFull = this.streams.open.size >= DEFAULTS.h2StreamsMax;
    if (isFull || !this.memory.admitStream(this.streams.open.size)) {
      this.#handler.onUnjudged(isFull ? "streams_max" : "memory_streams");
      this.output.addReset(streamId, ERROR_CODE.refusedStream);
      if (!endStream) this.#expectRest(streamId, DEFAULTS.h2WindowBytes);
      return this.gate.refused();
    }
    const fields = tooMany ? headTooLarge(this.limits, raw) : this.#fields.read(raw, endStream);
    const isFault = fields instanceof HeadFault;
    const window = this.#frames.initialWindow;
    const stream = new StreamConnection(streamId, isFault ? null : fields, endStream, window, this);
    this.streams.open.set(streamId, stream);
    this.#arrivals.push({ stream, fields });
    return isFault ? this.gate.invalid() : null;
  }

  onFed(stream: StreamConnection): void {
    this.#fed.add(stream);
  }

  /** Nobody is asked before the read is over: a request's next frame may be the reset that takes it back. */
  #begin(): void {
    if (this.#arrivals.length === 0) return;
    const startedMs = this.nowMs();
    for (const { stream, fields } of this.#arrivals.splice(0)) {
      if (stream.isClosed) {
        this.#handler.onUnjudged("taken_back");
        continue;
      }
      if (fields instanceof HeadFault) {
        this.#handler.onFault(stream, fields, startedMs);
        continue;
      }
      const { method, authority, headers } = fields;
      // CONNECT has no path, and is refused for its method.
      const target = method === "CONNECT" ? "/" : fields.target;
      const { body } = stream;
      const upgrade = fields.upgrade ? "extended-connect" : null;
      this.#handler.onRequest(stream, { method, target, authority, headers, body, upgrade, startedMs });
      if (this.#quota.take(startedMs)) this.drain("retired");
    }
  }

  onReceived(bytes: number): boolean {
    return this.#window.receive(bytes);
  }

  onStreamReset(stream: StreamConnection): ConnectionFault | null {
    return stream.isServed ? this.gate.overhead(FRAME_HEAD_BYTES) : this.gate.reset();
  }

  get lingerRoom(): LingerRoom {
    return this.#handler.lingerRoom;
  }

  onPeerSettings(): void {}

  /** A client opens the streams, so it tells us nothing by it. */
  onGoaway(): void {}

  // ---- what streams tell (StreamHost) ----------------------------------------------------------------------------

  onTaken(bytes: number): void {
    const announced = this.#window.take(bytes);
    if (announced > 0 && this.#state !== "closing") this.output.addWindowUpdate(0, announced);
  }

  /** Twice a WINDOW_UPDATE for each frame, and some for those who take a large one in pieces. */
  onSent(bytes: number): void {
    this.gate.expect(2 * (FRAME_HEAD_BYTES + 4) + bytes / 16);
    this.gate.expectPing();
  }

  onStreamClosed(stream: StreamConnection): void {
    this.streams.open.delete(stream.id);
    if (!stream.remoteEnded) this.#expectRest(stream.id, stream.window.left);
    if (this.streams.open.size > 0) return;
    this.memory.release();
    this.#idleMs = this.nowMs() + this.limits.idleTimeoutMs;
    if (this.#state === "leaving") this.#end();
  }

  /** The client does not know yet that nobody wants more of this stream: so many bytes are no offence. */
  #expectRest(streamId: number, bytes: number): void {
    this.streams.cut(streamId);
    this.gate.expect(bytes + bytes / 8);
  }

  // ---- writing ---------------------------------------------------------------------------------------------------

  #onFlushed(): void {
    if (this.output.congested) this.#drainMs = Math.min(this.#drainMs, this.nowMs() + this.limits.writeTimeoutMs);
    else this.queue.run();
  }

  #onDrain(): void {
    this.output.congested = false;
    this.#drainMs = Number.POSITIVE_INFINITY;
    this.#socket.resume();
    this.queue.run();
  }

  // ---- ending ----------------------------------------------------------------------------------------------------

  /**
   * No further request. A client that has requests under way hears of it first and of the last stream that is taken a
   * round trip later, so that none of them is lost (RFC 9113 section 6.8).
   */
  drain(reason: Http2CloseReason = "drained"): void {
    if (this.#state !== "open") return;
    this.#reason ??= reason;
    this.#state = "noticed";
    this.#leaveMs = this.nowMs() + DEFAULTS.h2GoawayNoticeMs;
    this.deadlineMs = Math.min(this.deadlineMs, this.#leaveMs);
    for (const stream of this.streams.open.values()) stream.hasten();
    this.output.addGoaway(STREAM_ID_MAX);
    this.output.add(FRAME.ping, 0, 0, NOTICE);
  }

  onPingAnswered(payload: Buffer): void {
    if (this.#state === "noticed" && payload.equals(NOTICE)) this.#leave();
  }

  #leave(): void {
    this.#state = "leaving";
    this.#leaveMs = Number.POSITIVE_INFINITY;
    this.#namedId = this.streams.lastId;
    this.output.addGoaway(this.#namedId);
    if (this.streams.open.size === 0) this.#end();
  }

  /** Says nothing more, and reads away what the client still sends, so that a reset does not eat our last words. */
  #end(): void {
    if (this.#state === "closing") return;
    this.#state = "closing";
    this.output.flush();
    // The end of an answer may still wait for its client, which has as long as for any other part of it.
    const isServed = this.#socket.writableLength > 0 && !isFault(this.#reason ?? "client");
    this.#leaveMs = this.nowMs() + (isServed ? this.limits.writeTimeoutMs : DEFAULTS.lingerTimeoutMs);
    this.#socket.end(() => {
      this.#leaveMs = Math.min(this.#leaveMs, this.nowMs() + DEFAULTS.lingerTimeoutMs);
    });
    this.#socket.resume();
  }

  #fail({ code, seen, reason }: ConnectionFault): void {
    this.#reason ??= reason;
    this.#seen = seen;
    this.#namedId ??= this.streams.lastId;
    this.output.addGoaway(this.#namedId, code, seen);
    this.#end();
    this.#forsake();
  }

  /** Ends every stream; its client is told nothing more. */
  #forsake(): void {
    for (const { stream } of this.#arrivals.splice(0))
      this.#handler.onUnjudged(stream.isClosed ? "taken_back" : "connection_fault");
    const left = this.#reason === "client_read_timeout" ? this.#reason : "client_closed";
    for (const stream of this.streams.open.values()) stream.onGone(left);
  }

  abort(reason: Http2CloseReason = "drained"): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  /** Ends at once, with a word to the client, where no request is under way. */
  giveWay(): boolean {
    if (this.#isBusy) return false;
    this.output.addGoaway(this.#namedId ?? this.streams.lastId);
    this.output.flush();
    this.abort("memory_connections");
    return true;
  }

  onDeadline(): void {
    const nowMs = this.nowMs();
    const isBusy = this.streams.open.size > 0;
    this.deadlineMs = isBusy ? nowMs : Math.min(nowMs + DEFAULTS.h2CheckIntervalMs, this.#leaveMs);
    for (const stream of this.streams.open.values()) stream.check(nowMs);
    if (this.#leaveMs <= nowMs) this.#onLeaveDeadline();
    else if (this.#drainMs <= nowMs) this.abort("client_read_timeout");
    else if (this.#head.deadlineMs <= nowMs) this.#fail(HEAD_TIMEOUT);
    else if (!isBusy && this.#idleMs <= nowMs) this.drain(this.streams.lastId === 0 ? "silent" : "idle");
  }

  #onLeaveDeadline(): void {
    if (this.#state === "noticed") this.#leave();
    else this.#socket.destroy();
  }

  /** As over HTTP/1.1: a client that ends its side in the middle of a request is gone. */
  #onEnd(): void {
    if (this.#isBusy) this.#socket.destroy();
    else this.#end();
  }

  /** There is a request without its whole answer. */
  get #isBusy(): boolean {
    for (const stream of this.streams.open.values()) if (!stream.isServed) return true;
    return false;
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#state = "closing";
    this.#deadlines.remove(this);
    this.#forsake();
    this.#handler.onClose(this.#reason ?? "client", this.#seen);
  }
}

const HEAD_TIMEOUT = new ConnectionFault(ERROR_CODE.noError, "a head that does not end", "head_timeout");

function headTooLarge({ headBytesMax }: ServerLimits, raw: readonly string[]): HeadFault {
  return new HeadFault("head_too_large", `more than ${headBytesMax} bytes`, typeOfRefused(raw));
}
