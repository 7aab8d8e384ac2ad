import type { ClientHttp2Session, ClientHttp2Stream, ClientSessionOptions, Settings } from "node:http2";
import type { Socket } from "node:net";
import type { ClientRequest, ClientStream } from "../message/stream.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { requestFields } from "./client-fields.ts";
import { Http2ClientStream, type StreamHost } from "./client-stream.ts";

/** What a session tells those who share it. */
export interface SessionOwner {
  /** A stream has ended, or the service allows more of them. */
  onRoom(session: ClientSession): void;
  /** Carries no new streams: the service said so, or the connection is gone. Once. */
  onGone(session: ClientSession): void;
  /** The connection is no more; after `onGone`, once. */
  onClosed(session: ClientSession): void;
}

/** Client side of one HTTP/2 connection to the service (RFC 9113): many requests at a time. */
export class ClientSession implements Timed, StreamHost {
  deadlineMs = Number.POSITIVE_INFINITY;
  /** True once it has carried a request to its end. */
  used = false;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly #session: ClientHttp2Session;
  readonly #scheme: "http" | "https";
  readonly #owner: SessionOwner;
  readonly #idleTimeoutMs: number;
  #streams = 0;
  #streamsMax: number = DEFAULTS.upstreamStreamsMax;
  #gone = false;
  #lastProcessedId = Number.POSITIVE_INFINITY;

  /** `socket` is connected, and through with its handshake where it is TLS. */
  constructor(
    socket: Socket,
    scheme: "http" | "https",
    idleTimeoutMs: number,
    owner: SessionOwner,
    clock: Clock,
    deadlines: Deadlines,
  ) {
    this.#scheme = scheme;
    this.#owner = owner;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.clock = clock;
    this.deadlines = deadlines;
    // Loaded with the first connection that needs it: it costs milliseconds that a start need not pay.
    this.#session = process.getBuiltinModule("node:http2").connect(`${scheme}://service.invalid`, {
      ...OPTIONS,
      createConnection: () => socket,
    });
    const session = this.#session;
    session.on("connect", () => session.setLocalWindowSize(DEFAULTS.upstreamConnectionWindowBytes));
    session.on("remoteSettings", (settings) => this.#onSettings(settings));
    session.on("goaway", (_code, lastStreamId) => this.#onGoaway(lastStreamId));
    session.on("error", () => {}); // every stream of it is told the same
    session.on("close", () => this.#onClose());
    deadlines.add(this);
    this.#rest();
  }

  get hasRoom(): boolean {
    return !this.#gone && this.#streams < this.#streamsMax && !this.isClosing;
  }

  get lastProcessedId(): number {
    return this.#lastProcessedId;
  }

  get isClosing(): boolean {
    return this.#session.destroyed || this.#session.closed;
  }

  /** For the caller to begin or to release; only where there is room. */
  openStream(): ClientStream {
    this.#streams++;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    return new Http2ClientStream(this);
  }

  /** No new streams; closes when the last has ended. */
  retire(): void {
    this.#leave();
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#leave();
    this.#session.destroy();
  }

  onDeadline(): void {
    this.retire();
  }

  // ---- for its streams (StreamHost) ----------------------------------------------------------------------------

  request(request: ClientRequest): ClientHttp2Stream {
    return this.#session.request(requestFields(request, this.#scheme), {
      endStream: request.bodyBytes === 0,
      waitForTrailers: request.bodyBytes < 0,
    });
  }

  onStreamEnded(): void {
    this.#streams--;
    this.used = true;
    if (this.#gone) return;
    if (this.#streams === 0) this.#rest();
    this.#owner.onRoom(this);
  }

  // ---- events --------------------------------------------------------------------------------------------------

  #onSettings({ maxConcurrentStreams }: Settings): void {
    this.#streamsMax = Math.min(maxConcurrentStreams ?? DEFAULTS.upstreamStreamsMax, DEFAULTS.upstreamStreamsMax);
    if (this.hasRoom) this.#owner.onRoom(this);
  }

  /** Streams up to `lastStreamId` still get their answers; those beyond were never begun (RFC 9113 section 6.8). */
  #onGoaway(lastStreamId: number): void {
    this.#lastProcessedId = Math.min(this.#lastProcessedId, lastStreamId);
    this.#leave();
  }

  #onClose(): void {
    this.deadlines.remove(this);
    this.#leave();
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

/** The types do not know `strictSingleValueFields` yet: what a client repeats goes on as it came, as over HTTP/1.1. */
const OPTIONS: ClientSessionOptions & { readonly strictSingleValueFields: boolean } = {
  settings: {
    enablePush: false,
    initialWindowSize: DEFAULTS.upstreamStreamWindowBytes,
    maxHeaderListSize: DEFAULTS.headBytesMax,
  },
  maxSendHeaderBlockLength: 2 * DEFAULTS.headBytesCeiling,
  strictSingleValueFields: false,
};
