import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Reason } from "../decision/reason.ts";
import { CHUNKED, EMPTY_BODY } from "../message/body.ts";
import { type HeaderBlock, NO_HEADERS } from "../message/headers.ts";
import { NO_LENGTH, type ServerRequest, type ServerStream } from "../message/stream.ts";
import { acceptsTrailers } from "../message/trailers.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { handOver } from "./hand-over.ts";
import { HeadFault, type ParsedHeaders, type RequestLine } from "./head.ts";
import { type BodyHost, IncomingBody } from "./incoming-body.ts";
import { addChunk, addLastChunk, Output, statusLine } from "./output.ts";
import { RequestReader } from "./request-reader.ts";

/** What a connection tells its owner. Per connection there is at most one request at a time. */
export interface ServerHandler {
  onRequest(connection: ServerConnection, request: ServerRequest): void;
  /** The request has no valid reading: answer with `respondAndClose`. */
  onFault(connection: ServerConnection, reason: Reason, seen: string, startedMs: number): void;
  /** The client takes more bytes again. */
  onDrain(connection: ServerConnection): void;
  /** Once, when the socket is gone, whatever the reason. */
  onClose(connection: ServerConnection): void;
}

export interface ServerLimits {
  readonly headBytesMax: number;
  readonly headersCountMax: number;
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly bodyProgressTimeoutMs: number;
}

type State =
  | "head" // reading a head, or idle before one
  | "body" // the head is handed over, body bytes are still to come
  | "read" // the request is read whole, its response is under way
  | "closing"; // no more requests; what still comes is thrown away until the client closes too

/**
 * Server side of one HTTP/1.1 connection (RFC 9112): frames requests, keeps pipelined ones waiting, writes responses.
 * It judges grammar only; what a request may do is the handler's business.
 */
export class ServerConnection implements Timed, BodyHost, ServerStream {
  readonly limits: ServerLimits;
  deadlineMs: number;
  readonly #socket: Socket;
  readonly #output: Output;
  readonly #reader: RequestReader;
  readonly #handler: ServerHandler;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;

  #state: State = "head";
  /** Bytes that arrived before they were wanted. */
  #pending: Buffer | null = null;
  #consuming = false;
  #headStartedMs = 0;
  #answering = false;
  #draining = false;
  #minor: 0 | 1 = 1;
  #closed = false;
  #body: IncomingBody | null = null;
  /** How long the current request's body may stand still. */
  #bodyPatienceMs = 0;
  #headers: HeaderBlock = NO_HEADERS;
  #expectContinue = false;
  #paused = false;

  #closeAfterResponse = false;
  #chunkedResponse = false;
  #lingered = 0;
  /** Body bytes of the current response, written so far. */
  responseBodyBytes = 0;

  constructor(socket: Socket, limits: ServerLimits, handler: ServerHandler, clock: Clock, deadlines: Deadlines) {
    this.#socket = socket;
    this.#output = new Output(socket);
    this.limits = limits;
    this.#reader = new RequestReader(limits.headBytesMax, limits.headersCountMax);
    this.#handler = handler;
    this.#clock = clock;
    this.#deadlines = deadlines;
    // A connection that never says a word gets a head's time, not a kept-alive one's.
    this.deadlineMs = clock.monotonicMs() + limits.headTimeoutMs;
    deadlines.add(this);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#onClose());
  }

  /** True where no request is being read or answered. */
  get idle(): boolean {
    return this.#state === "head" && !this.#answering && this.#pending === null;
  }

  /** Body bytes of the current request, read so far. */
  get requestBodyBytes(): number {
    return this.#body?.bytes ?? 0;
  }

  // ---- reading -------------------------------------------------------------------------------------------------

  #onData(chunk: Buffer): void {
    if (this.#state === "closing") {
      this.#lingered += chunk.length;
      if (this.#lingered > DEFAULTS.lingerBytesMax) this.#socket.destroy();
      return;
    }
    if (this.#pending !== null) {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      this.#consumePending();
    } else this.#consume(chunk, 0);
  }

  #consumePending(): void {
    const pending = this.#pending;
    if (pending === null || this.#consuming) return;
    this.#pending = null;
    this.#consume(pending, 0);
  }

  /** Reads as many requests and body parts as it may now, and keeps the rest. */
  #consume(buffer: Buffer, from: number): void {
    this.#consuming = true;
    let at = from;
    let moved = true;
    while (moved && at < buffer.length && !this.#socket.destroyed) {
      const before = at;
      if (this.#state === "head") at = this.#answering ? at : this.#readHead(buffer, at);
      else if (this.#state === "body") at = this.#body?.wanted ? this.#body.feed(buffer, at) : at;
      else if (this.#state === "closing") at = buffer.length;
      moved = at > before;
    }
    this.#consuming = false;
    if (at < buffer.length && !this.#socket.destroyed) this.#keep(at === 0 ? buffer : buffer.subarray(at));
  }

  #keep(rest: Buffer): void {
    this.#pending = rest;
    if (this.#state !== "head" && rest.length > DEFAULTS.pipelineBytesMax) this.pauseReading();
  }

  /** Gives the offset after the head, `at` where it is not complete, or beyond the buffer where it is refused. */
  #readHead(buffer: Buffer, at: number): number {
    if (this.#headStartedMs === 0) {
      this.#headStartedMs = this.#clock.monotonicMs();
      this.deadlineMs = this.#headStartedMs + this.limits.headTimeoutMs;
    }
    const head = this.#reader.read(buffer, at);
    if (head === null) return at;
    if (head instanceof HeadFault) return this.#refuse(head);
    this.#begin(head.line, head.parsed);
    return head.end;
  }

  #begin(line: RequestLine, parsed: ParsedHeaders): void {
    const startedMs = this.#headStartedMs;
    this.#headStartedMs = 0;
    this.#answering = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.responseBodyBytes = 0;
    // What a client sends behind CONNECT or Upgrade may be meant for another protocol.
    const isSwitch = parsed.upgrade || line.method === "CONNECT";
    const isLast = parsed.close || isSwitch || (line.minor === 0 && !parsed.keepAlive);
    this.#closeAfterResponse = isLast || this.#draining;
    this.#expectContinue = parsed.expectContinue && line.minor === 1;
    const hasBody = parsed.bodyBytes !== NO_LENGTH && parsed.bodyBytes !== 0;
    this.#body = hasBody ? new IncomingBody(parsed.bodyBytes, this) : null;
    this.#state = hasBody ? "body" : "read";
    this.#minor = line.minor;
    const { method, target } = line;
    const { authority, headers } = parsed;
    this.#headers = headers;
    this.#bodyPatienceMs = this.limits.bodyProgressTimeoutMs;
    // RFC 9110 section 7.8: a client of HTTP/1.0 cannot mean it.
    const upgrade = parsed.upgrade && line.minor === 1 ? "upgrade" : null;
    const body = this.#body ?? EMPTY_BODY;
    this.#handler.onRequest(this, { method, target, authority, headers, body, upgrade, startedMs });
  }

  #refuse(fault: HeadFault): number {
    const startedMs = this.#headStartedMs;
    this.#headStartedMs = 0;
    this.#answering = true;
    this.#state = "read";
    this.#closeAfterResponse = true;
    this.#body = null;
    this.responseBodyBytes = 0;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler.onFault(this, fault.reason, fault.seen, startedMs);
    return Number.MAX_SAFE_INTEGER;
  }

  // ---- the request's body (BodyHost) -----------------------------------------------------------------------------

  onBodyWanted(): void {
    this.onBodyProgress();
    if (this.#expectContinue) {
      this.#expectContinue = false;
      this.#output.add("HTTP/1.1 100 Continue\r\n\r\n");
      this.#output.flush();
    }
    this.resumeReading();
    this.#consumePending();
  }

  onBodyProgress(): void {
    this.deadlineMs = this.#clock.monotonicMs() + this.#bodyPatienceMs;
  }

  setBodyPatience(idleTimeoutMs: number): void {
    this.#bodyPatienceMs = idleTimeoutMs;
    if (this.#state === "body" && this.#body?.wanted && !this.#paused) this.onBodyProgress();
  }

  pauseReading(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    // The client cannot be blamed for a service that does not read.
    if (this.#state === "body") this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  resumeReading(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    if (this.#state === "body" && this.#body?.wanted) this.onBodyProgress();
  }

  onBodyDone(): void {
    this.#state = "read";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (!this.#answering) this.#nextRequest();
  }

  onBodyFailed(): void {
    this.#state = "read";
    this.#closeAfterResponse = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.resumeReading();
  }

  // ---- writing -------------------------------------------------------------------------------------------------

  /** HTTP/1.0 clients know no informational responses. */
  writeInformational(status: number, lines: string): void {
    if (this.#minor === 1) this.#output.add(`${statusLine(status)}${lines}\r\n`);
  }

  startResponse(status: number, lines: string, bodyBytes: number): void {
    this.#prepareClose();
    let text = statusLine(status) + lines;
    this.#chunkedResponse = false;
    if (bodyBytes >= 0) text += `content-length: ${bodyBytes}\r\n`;
    else if (bodyBytes === CHUNKED) {
      // An HTTP/1.0 client knows no chunks: for it the body ends with the connection.
      if (this.#minor === 0) this.#closeAfterResponse = true;
      else {
        this.#chunkedResponse = true;
        text += "transfer-encoding: chunked\r\n";
      }
    }
    if (this.#closeAfterResponse) text += "connection: close\r\n\r\n";
    else text += this.#minor === 0 ? "connection: keep-alive\r\n\r\n" : "\r\n";
    this.#output.add(text);
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.responseBodyBytes += chunk.length;
    if (this.#chunkedResponse) addChunk(this.#output, chunk);
    else this.#output.add(chunk);
    // A stream that goes both ways is alive while either side speaks.
    if (this.#state === "body" && !this.#paused && this.#body?.wanted) this.onBodyProgress();
  }

  flush(): boolean {
    const flowing = this.#output.flush();
    // A client that never reads does not keep us for ever.
    if (!flowing && !this.#closed) this.deadlineMs = this.#clock.monotonicMs() + this.limits.bodyProgressTimeoutMs;
    return flowing;
  }

  get carriesTrailers(): boolean {
    return this.#chunkedResponse && acceptsTrailers(this.#headers);
  }

  endResponse(trailers: string): void {
    if (this.#chunkedResponse) addLastChunk(this.#output, trailers !== "" && this.carriesTrailers ? trailers : "");
    this.#chunkedResponse = false;
    this.#output.flush();
    this.#answering = false;
    if (this.#closeAfterResponse) this.#linger();
    else if (this.#state === "read") this.#nextRequest();
    // An answer before the end of an upload that somebody still read: there is no next request to find behind it.
    else if (this.#body?.discarded !== true) this.#linger();
  }

  upgrade(lines: string): Duplex {
    const early = this.#pending;
    this.#pending = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#output.add(`${statusLine(101)}${lines}connection: upgrade\r\nupgrade: websocket\r\n\r\n`);
    this.#output.flush();
    handOver(this.#socket, early);
    return this.#socket;
  }

  abort(): void {
    this.#socket.destroy();
  }

  /** No further request after the current one; an idle connection closes now. */
  drain(): void {
    this.#draining = true;
    this.#closeAfterResponse = true;
    if (this.idle) this.#linger();
  }

  /**
   * Decides, before the head is written, what becomes of a body that nobody wants: a short one is read away so that the
   * connection lives on, anything else closes it.
   */
  #prepareClose(): void {
    const body = this.#body;
    if (this.#state !== "body" || body === null || body.wanted) return;
    if (this.#expectContinue || body.remainingBytes > DEFAULTS.pipelineBytesMax) this.#closeAfterResponse = true;
    else body.discard();
  }

  /** The response is out and the next request may be read. */
  #nextRequest(): void {
    this.#state = "head";
    this.deadlineMs = this.#clock.monotonicMs() + this.limits.idleTimeoutMs;
    this.resumeReading();
    this.#consumePending();
  }

  /** Closes our side and reads away what the client still sends, so that a reset does not eat the answer. */
  #linger(): void {
    this.#state = "closing";
    this.#pending = null;
    this.deadlineMs = this.#clock.monotonicMs() + DEFAULTS.lingerTimeoutMs;
    this.#socket.end();
    this.resumeReading();
  }

  // ---- events --------------------------------------------------------------------------------------------------

  onDeadline(): void {
    if (this.#state === "closing" || this.#socket.writableNeedDrain) this.#socket.destroy();
    else if (this.#state === "head") this.#onHeadDeadline();
    else if (this.#state === "body" && this.#body?.wanted) this.#body.fail("body_timeout");
  }

  #onHeadDeadline(): void {
    if (this.#headStartedMs === 0) this.#linger();
    else this.#refuse(new HeadFault("head_timeout", `no whole head in ${this.limits.headTimeoutMs} ms`));
  }

  #onDrain(): void {
    if (this.#state === "read") this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler.onDrain(this);
  }

  #onEnd(): void {
    // In the middle of a request the end of the client's bytes means that it is gone, as nginx and Envoy take it: the
    // service need not work for nobody.
    if (this.#state === "closing" || this.idle) this.#socket.end();
    else this.#socket.destroy();
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadlines.remove(this);
    this.#body?.fail("client_closed");
    this.#handler.onClose(this);
  }
}
