import type { ServerHttp2Session, ServerHttp2Stream, ServerOptions } from "node:http2";
import type { Socket } from "node:net";
import { HeadFault } from "../http1/head.ts";
import { RequestQuota } from "../http1/request-quota.ts";
import type { ServerLimits } from "../http1/server-limits.ts";
import type { ServerRequest } from "../message/stream.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Http2CloseReason } from "./close-reason.ts";
import { FieldReader } from "./fields.ts";
import { OverheadMeter, TokenBucket } from "./flood-gate.ts";
import { ResponseFields } from "./response-fields.ts";
import { StreamConnection, type StreamHost } from "./server-stream.ts";

/** What a session tells its owner. */
export interface Http2Handler {
  onRequest(stream: StreamConnection, request: ServerRequest): void;
  /** The request has no valid reading: answer it, in the way that `contentType` asks for; empty where it names none. */
  onFault(stream: StreamConnection, fault: HeadFault, contentType: string, startedMs: number): void;
  /** So many streams were opened and never shown (src/http2/README.md). */
  onUnseen(streams: number): void;
  /** Once, when the connection is gone and every stream was told so. */
  onClose(reason: Http2CloseReason): void;
}

/** RFC 9113 section 7. */
const PROTOCOL_ERROR = 1;
const ENHANCE_YOUR_CALM = 11;

/** What a request costs on the wire besides the text of its fields, at most: frame, lengths, a reset. */
const REQUEST_OVERHEAD_BYTES = 512;
/** What may be under way on a stream when it is answered before its body was read. */
const UNREAD_BODY_BYTES = 80 * 1024;

/**
 * Server side of one HTTP/2 connection (RFC 9113). node:http2 has the frames; here is what it leaves open: which fields
 * make a request, how long everything may take, and when a client's frames have become a flood.
 */
export class ServerSession implements Timed, StreamHost {
  deadlineMs: number;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly limits: ServerLimits;
  readonly responseFields = new ResponseFields();
  readonly #handler: Http2Handler;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #fields: FieldReader;
  readonly #streams = new Set<StreamConnection>();
  readonly #quota: RequestQuota;
  readonly #meter: OverheadMeter;
  readonly #resets = new TokenBucket(DEFAULTS.h2ResetsBurst, DEFAULTS.h2ResetsPerSecond);
  readonly #pings = new TokenBucket(DEFAULTS.h2PingsBurst, DEFAULTS.h2PingsPerSecond);
  readonly #settings = new TokenBucket(DEFAULTS.h2SettingsBurst, DEFAULTS.h2SettingsPerSecond);
  /** When a session without streams has rested long enough. */
  #idleMs: number;
  /** When a session that was told to close must be gone. */
  #lingerMs = Number.POSITIVE_INFINITY;
  /** Of the last stream that Node has shown, or of the last that is known never to be. */
  #lastStreamId = -1;
  #reason: Http2CloseReason | null = null;
  #closed = false;

  /** `anyScheme`: the peer is a trusted proxy, which may have ended the client's TLS. */
  constructor(
    socket: Socket,
    secure: boolean,
    anyScheme: boolean,
    limits: ServerLimits,
    handler: Http2Handler,
    clock: Clock,
    deadlines: Deadlines,
  ) {
    this.#socket = socket;
    this.limits = limits;
    this.#handler = handler;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#fields = new FieldReader(limits, secure, anyScheme);
    const nowMs = clock.monotonicMs();
    this.#quota = new RequestQuota(limits, nowMs);
    this.#meter = new OverheadMeter(nowMs);
    this.#idleMs = nowMs + limits.headTimeoutMs;
    this.deadlineMs = nowMs + DEFAULTS.h2CheckIntervalMs;
    deadlines.add(this);
    this.#session = performHandshake(socket, limits);
    this.#listen();
  }

  #listen(): void {
    const session = this.#session;
    session.on("stream", (stream, _headers, flags, raw) => this.#onStream(stream, flags, raw));
    session.on("error", () => {}); // `destroy` has seen it
    session.on("ping", () => this.#count(this.#pings, "ping_flood"));
    session.on("remoteSettings", () => this.#count(this.#settings, "settings_flood"));
    this.#socket.once("end", () => this.#onEnd());
    this.#socket.prependOnceListener("close", () => this.#onLastStream()); // before Node forgets the session's state
    this.#socket.once("close", () => this.#onClose());
    // Where Node itself gives a session up it comes by here: the one place that knows why before the connection is gone.
    const destroy = session.destroy.bind(session);
    session.destroy = (error, code) => {
      this.#onLastStream();
      destroy(error, code ?? (error instanceof Error ? this.#onError(error) : code));
    };
  }

  // ---- requests ------------------------------------------------------------------------------------------------

  #onStream(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    this.#onStreamId(stream.id, 1);
    if (stream.destroyed || this.#session.destroyed) {
      // Reset in the same read that brought it.
      stream.on("error", () => {});
      this.#meter.explain(REQUEST_OVERHEAD_BYTES);
      this.#count(this.#resets, "reset_flood");
      return;
    }
    const startedMs = this.#clock.monotonicMs();
    const endStream = (flags & END_STREAM) !== 0;
    const fields = this.#fields.read(raw, endStream);
    const isFault = fields instanceof HeadFault;
    const connection = new StreamConnection(stream, isFault ? null : fields, endStream, this);
    this.#streams.add(connection);
    if (isFault) {
      this.#meter.explain(REQUEST_OVERHEAD_BYTES);
      this.#handler.onFault(connection, fields, firstValue(raw, "content-type"), startedMs);
      return;
    }
    this.#meter.explain(fields.bytes + REQUEST_OVERHEAD_BYTES);
    const { method, authority, headers } = fields;
    // CONNECT has no path, and is refused for its method.
    const target = method === "CONNECT" ? "/" : fields.target;
    const { body } = connection;
    const upgrade = fields.upgrade ? "extended-connect" : null;
    this.#handler.onRequest(connection, { method, target, authority, headers, body, upgrade, startedMs });
    if (this.#quota.take(startedMs)) this.drain("retired");
  }

  /**
   * nghttp2 resets a stream with an invalid head, and Node never shows it; its id is all that is left. A client that skips
   * ids looks the same, so a gap counts for no more than Node would let pass. `shown`: 1 for a stream that Node shows.
   */
  #onStreamId(id: number | undefined, shown: number): void {
    if (id === undefined || id === 0 || id <= this.#lastStreamId) return;
    const unseen = Math.min((id - this.#lastStreamId) / 2 - shown, DEFAULTS.h2UnseenStreamsMax);
    this.#lastStreamId = id;
    if (unseen > 0) this.#handler.onUnseen(unseen);
  }

  /** Streams that were opened after the last one that was shown. */
  #onLastStream(): void {
    if (!this.#session.destroyed) this.#onStreamId(this.#session.state.lastProcStreamID, 0);
  }

  // ---- what streams tell (StreamHost) --------------------------------------------------------------------------

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  onBodyBytes(bytes: number): void {
    this.#meter.explain(bytes);
  }

  onStreamClosed(stream: StreamConnection, cut: boolean): void {
    this.#streams.delete(stream);
    if (stream.hasUnread) this.#meter.explain(UNREAD_BODY_BYTES);
    if (this.#streams.size === 0) this.#idleMs = this.#clock.monotonicMs() + this.limits.idleTimeoutMs;
    if (cut && !this.#closed) this.#count(this.#resets, "reset_flood");
  }

  // ---- ending --------------------------------------------------------------------------------------------------

  /** No further request (GOAWAY); streams that are open finish. */
  drain(reason: Http2CloseReason = "drained"): void {
    if (this.#session.closed || this.#session.destroyed) return;
    this.#reason ??= reason;
    this.#session.close();
  }

  abort(): void {
    this.#reason ??= "drained";
    this.#socket.destroy();
  }

  #count(bucket: TokenBucket, reason: Http2CloseReason): void {
    if (!bucket.take(this.#clock.monotonicMs())) this.#calm(reason);
  }

  #calm(reason: Http2CloseReason): void {
    if (this.#session.destroyed) return;
    this.#reason ??= reason;
    this.#session.destroy(new Error(reason), ENHANCE_YOUR_CALM);
  }

  /** Node gives the session up; what it would tell the client is that the fault was ours. Gives a truer error code. */
  #onError(error: NodeJS.ErrnoException): number | undefined {
    if (error.code === "ERR_HTTP2_TOO_MANY_INVALID_FRAMES") {
      this.#reason ??= "invalid_frame_flood";
      return ENHANCE_YOUR_CALM;
    }
    if (error.errno === CALLBACK_FAILURE) {
      this.#reason ??= "stream_flood";
      return ENHANCE_YOUR_CALM;
    }
    if (error.code !== "ERR_HTTP2_ERROR") return undefined;
    // nghttp2 counts what it finds odd, up to 10,000 frames of at least nine bytes, and does not say so.
    this.#reason ??= this.#excessBytes() > DEFAULTS.h2OverheadBytesOdd ? "overhead_flood" : "protocol_error";
    return PROTOCOL_ERROR;
  }

  #excessBytes(): number {
    const { bytesRead, bytesWritten } = this.#socket;
    return this.#meter.excess(bytesRead, bytesWritten, this.#clock.monotonicMs());
  }

  onDeadline(): void {
    const nowMs = this.#clock.monotonicMs();
    const isBusy = this.#streams.size > 0;
    this.deadlineMs = nowMs + (isBusy ? 0 : DEFAULTS.h2CheckIntervalMs);
    for (const stream of this.#streams) stream.check(nowMs);
    if (this.#session.destroyed || (this.#session.closed && !isBusy)) this.#linger(nowMs);
    else if (this.#excessBytes() > DEFAULTS.h2OverheadBytesBurst) this.#calm("overhead_flood");
    else if (!isBusy && this.#idleMs <= nowMs) this.drain("idle");
  }

  /** A client that does not close in its turn must not keep the socket. */
  #linger(nowMs: number): void {
    if (this.#lingerMs === Number.POSITIVE_INFINITY) this.#lingerMs = nowMs + DEFAULTS.lingerTimeoutMs;
    else if (this.#lingerMs <= nowMs) this.#socket.destroy();
  }

  /** As over HTTP/1.1: a client that ends its side in the middle of a request is gone. */
  #onEnd(): void {
    if (this.#streams.size > 0) this.#socket.destroy();
    else if (!this.#session.destroyed) this.#session.destroy();
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadlines.remove(this);
    for (const stream of this.#streams) stream.onGone();
    this.#handler.onClose(this.#reason ?? "client");
  }
}

const END_STREAM = 1;

/** The first value of a field, unjudged; empty where there is none. */
function firstValue(raw: readonly string[], name: string): string {
  const at = raw.findIndex((text, index) => index % 2 === 0 && text === name);
  return at < 0 ? "" : (raw[at + 1] ?? "");
}

/** nghttp2: Node's own callbacks refused to go on, which they do for a client that opens too many streams. */
const CALLBACK_FAILURE = -902;

/** Loaded with the first connection that speaks HTTP/2: it costs milliseconds that a start need not pay. */
function performHandshake(socket: Socket, limits: ServerLimits): ServerHttp2Session {
  return process.getBuiltinModule("node:http2").performServerHandshake(socket, optionsOf(limits));
}

function optionsOf({ headBytesMax, headersCountMax }: ServerLimits): ServerOptions {
  return {
    settings: {
      maxConcurrentStreams: DEFAULTS.h2StreamsMax,
      initialWindowSize: DEFAULTS.h2WindowBytes,
      // Twice what is allowed: what lies between is answered with 431, what lies beyond is reset by Node.
      maxHeaderListSize: 2 * headBytesMax,
      enablePush: false,
      enableConnectProtocol: true, // RFC 8441; a route still has to say 'websocket'
    },
    maxHeaderListPairs: 2 * headersCountMax + 8,
    maxSessionMemory: DEFAULTS.h2SessionMemoryMegabytes,
    maxSessionInvalidFrames: DEFAULTS.h2InvalidFramesMax,
    maxSessionRejectedStreams: DEFAULTS.h2RejectedStreamsMax,
    streamResetBurst: 2 * DEFAULTS.h2ResetsBurst,
    streamResetRate: 2 * DEFAULTS.h2ResetsPerSecond,
    // Two Content-Type headers of the service are its affair over HTTP/1.1, too.
    strictSingleValueFields: false,
  };
}
