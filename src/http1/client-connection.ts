import type { Socket } from "node:net";
import { CHUNKED } from "../message/body.ts";
import {
  type ClientFailure,
  type ClientRequest,
  type ClientStream,
  NO_LENGTH,
  type ResponseHandler,
  type ResponseLimits,
  type ResponseTimes,
  UNTIL_CLOSE,
} from "../message/stream.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { BodyDecoder } from "./framing.ts";
import { handOver } from "./hand-over.ts";
import type { ParsedHeaders, StatusLine } from "./head.ts";
import { isWithLength } from "./request-framing.ts";
import { RequestWriter } from "./request-writer.ts";
import { bodyBytesOf, bytesBehind, endsWithHead, informationalFault, isLineEnd, restMsOf } from "./response-framing.ts";
import { ResponseReader } from "./response-reader.ts";
import type { SocketReads } from "./socket-reads.ts";

/** Where a connection goes when its exchange is over. */
export interface ConnectionOwner {
  /** Clean and idle: may carry another request. */
  onReusable(connection: ClientConnection): void;
  /** The connection carries another protocol now and never comes back. */
  onUpgraded(connection: ClientConnection): void;
  /** Once, when the socket is gone. */
  onClosed(connection: ClientConnection): void;
}

/** Client side of one HTTP/1.1 connection to the service: one request at a time, answers read as strictly as requests. */
export class ClientConnection implements Timed, ClientStream {
  deadlineMs = Number.POSITIVE_INFINITY;
  /** True once it has carried a request: an answer that never comes may then be a keep-alive race. */
  used = false;
  /** Since when it has been waiting for its client, to send more of its request or to take more of its answer. */
  clientAwaitedSinceMs = Number.POSITIVE_INFINITY;
  /** Address of that client; its owner sets it. */
  holder = "";
  /** How long it may rest, as the service's last answer says; Infinity where it does not. */
  restMsMax = Number.POSITIVE_INFINITY;
  readonly #socket: Socket;
  readonly #reads: SocketReads;
  readonly #reader: ResponseReader;
  readonly #writer: RequestWriter;
  readonly #owner: ConnectionOwner;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #handler: ResponseHandler | null = null;
  #pending: Buffer | null = null;
  #decoder: BodyDecoder | null = null;
  #isHead = false;
  #upgrade = false;
  #keepAlive = false;
  /** Whether the request in hand is the last that this connection may carry. */
  #lastRequest = false;
  /** Informational responses to it so far. */
  #informational = 0;
  /** Body chunks of a response that is not yet handed over, because the read that began it is still being judged. */
  #held: Buffer[] | null = null;
  #times: ResponseTimes = NO_TIMES;
  /** The service has not taken yet what was written to it. */
  #stalled = false;
  #answered = false;
  #paused = false;
  #closed = false;

  constructor(
    socket: Socket,
    reads: SocketReads,
    limits: ResponseLimits,
    owner: ConnectionOwner,
    clock: Clock,
    deadlines: Deadlines,
  ) {
    this.#socket = socket;
    this.#reads = reads;
    this.#reader = new ResponseReader(limits);
    this.#writer = new RequestWriter(socket, () => this.#onWriteFailed());
    this.#owner = owner;
    this.#clock = clock;
    this.#deadlines = deadlines;
    deadlines.add(this);
    reads.sink = (bytes) => this.#onBytes(bytes);
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error: NodeJS.ErrnoException) => this.#onError(error));
    socket.on("close", () => this.#onClose());
  }

  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  // ---- request -------------------------------------------------------------------------------------------------

  begin(handler: ResponseHandler, request: ClientRequest, times: ResponseTimes): void {
    const { method, bodyBytes } = request;
    this.#handler = handler;
    this.#isHead = method === "HEAD";
    this.#upgrade = request.upgrade;
    this.#times = times;
    this.#stalled = false;
    this.#answered = false;
    this.#keepAlive = false;
    this.#informational = 0;
    this.#lastRequest = bodyBytes !== 0 && !isWithLength(method);
    this.#writer.begin(request);
    const nowMs = this.#clock.monotonicMs();
    this.deadlineMs = bodyBytes === 0 ? nowMs + times.responseTimeoutMs : Number.POSITIVE_INFINITY;
    this.clientAwaitedSinceMs = bodyBytes === 0 ? Number.POSITIVE_INFINITY : nowMs;
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#writer.write(chunk);
    const nowMs = this.#clock.monotonicMs();
    this.clientAwaitedSinceMs = nowMs;
    // A stream that goes both ways is alive while either side speaks.
    if (this.#answered && !this.#paused) this.deadlineMs = nowMs + this.#times.streamIdleTimeoutMs;
  }

  /** Trailers end here: a service that merges them into its header would take them for what was judged. */
  endBody(_trailers: string): void {
    this.#writer.end();
    this.clientAwaitedSinceMs = Number.POSITIVE_INFINITY;
    if (!this.#answered && !this.#writer.hasFailed)
      this.deadlineMs = this.#clock.monotonicMs() + this.#times.responseTimeoutMs;
  }

  flush(): boolean {
    const flowing = this.#writer.flush();
    if (!flowing && !this.#stalled && !this.#writer.hasFailed) {
      this.#stalled = true;
      this.clientAwaitedSinceMs = Number.POSITIVE_INFINITY;
      // Without it a service that reads nothing would hold the client, its upload and this connection for ever.
      if (!this.#writer.isDone) this.deadlineMs = this.#clock.monotonicMs() + this.#times.writeTimeoutMs;
    }
    return flowing;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    this.clientAwaitedSinceMs = Number.POSITIVE_INFINITY;
    if (this.#answered) this.#touch();
  }

  /** Gives the connection up: nothing more is told to the handler. */
  abort(): void {
    this.#handler = null;
    this.#socket.destroy();
  }

  /** Takes the connection from a client that keeps it waiting. */
  yield(): void {
    const waitedMs = Math.round(this.#clock.monotonicMs() - this.clientAwaitedSinceMs);
    this.#fail(
      this.#paused ? "unread" : "unfed",
      `others needed the connection; the client was idle for ${waitedMs} ms`,
    );
  }

  release(): void {
    this.#owner.onReusable(this);
  }

  // ---- response ------------------------------------------------------------------------------------------------

  #onBytes(bytes: Buffer): boolean {
    const handler = this.#handler;
    if (handler === null) {
      // Bytes that no request asked for: the next answer could be mistaken for another's.
      this.#socket.destroy();
      return false;
    }
    let buffer = bytes;
    if (this.#pending !== null) {
      buffer = Buffer.concat([this.#pending, bytes]);
      this.#pending = null;
    }
    this.#consume(buffer, handler);
    // TLS still gives what it had decrypted when it was paused, and those bytes have moved the deadline.
    // Informational responses are few, and a pause would stop the time for the answer that is still to come.
    if ((!handler.onReadEnd() || this.#paused) && this.#handler === handler && this.#answered) this.#pause();
    return true;
  }

  #consume(buffer: Buffer, handler: ResponseHandler): void {
    let at = 0;
    while (at < buffer.length && this.#handler === handler) {
      const before = at;
      at = this.#decoder === null ? this.#readHead(buffer, at, handler) : this.#readBody(buffer, at, handler);
      if (at === before) break;
    }
    if (at >= buffer.length) return;
    if (this.#handler === handler) this.#pending = Buffer.from(buffer.subarray(at));
    // More bytes than announced: whatever they are, no later answer may be read from behind them.
    else this.#socket.destroy();
  }

  #readHead(buffer: Buffer, at: number, handler: ResponseHandler): number {
    const head = this.#reader.read(buffer, at);
    if (head === null) return at;
    if (typeof head === "string") return this.#fail("invalid", head);
    const { line, parsed, end } = head;
    if (line.status === 101) return this.#onSwitch(line.minor, parsed, buffer.subarray(end), handler);
    if (line.status < 200) return this.#onInformational(line, parsed, end, handler);
    return this.#onFinalHead(line, parsed, buffer, end, handler);
  }

  #onInformational(line: StatusLine, parsed: ParsedHeaders, end: number, handler: ResponseHandler): number {
    this.#informational++;
    const fault = informationalFault(line.minor, parsed, this.#informational);
    if (fault !== null) return this.#fail("invalid", fault);
    // It ends with its head, whatever that says (RFC 9112 section 6.3, rule 1); the answer may be read otherwise.
    if (parsed.bodyBytes !== NO_LENGTH) this.#lastRequest = true;
    if (line.status !== 100) handler.onInformational(line.status, parsed.headers);
    return end;
  }

  #onFinalHead(line: StatusLine, parsed: ParsedHeaders, buffer: Buffer, end: number, handler: ResponseHandler): number {
    const { status, minor } = line;
    if (minor === 0 && parsed.bodyBytes === CHUNKED) return this.#fail("invalid", "Transfer-Encoding in HTTP/1.0");
    const bodyless = endsWithHead(status, this.#isHead);
    const bodyBytes = bodyBytesOf(parsed, bodyless);
    let bodyEnd = end;
    let decoder: BodyDecoder | null = null;
    // While nothing of the answer is on its way to the client, a fault in what came with its head is still a 502.
    if (bodyBytes === CHUNKED) {
      decoder = new BodyDecoder(CHUNKED);
      this.#held = [];
      bodyEnd = decoder.feed(buffer, end, this);
      if (decoder.fault !== null) return this.#fail("invalid", decoder.fault);
    }
    const rest = decoder === null ? bytesBehind(buffer, end, bodyBytes) : buffer.subarray(bodyEnd);
    const isLoose = rest.length > 0 || (status === 204 && parsed.bodyBytes !== NO_LENGTH);
    if (rest.length > 0 && !bodyless && !isLineEnd(rest)) return this.#fail("invalid", TOO_LONG);
    this.#answered = true;
    this.restMsMax = parsed.keepAlive ? restMsOf(parsed.headers) : Number.POSITIVE_INFINITY;
    this.#keepAlive = minor === 1 && !parsed.close && bodyBytes !== UNTIL_CLOSE && !this.#lastRequest && !isLoose;
    this.#touch();
    handler.onResponse({
      status,
      headers: parsed.headers,
      bodyBytes,
      announcedBytes: parsed.bodyBytes >= 0 ? parsed.bodyBytes : NO_LENGTH,
    });
    if (this.#handler !== handler) return bodyEnd;
    if (bodyBytes === 0) this.#finish(handler);
    else if (decoder === null) this.#decoder = new BodyDecoder(bodyBytes);
    else this.#handOver(decoder, handler);
    return bodyEnd;
  }

  /** What the first read of a chunked answer brought, now that it is found to be right. */
  #handOver(decoder: BodyDecoder, handler: ResponseHandler): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const chunk of held) if (this.#handler === handler) handler.onResponseBody(chunk);
    if (this.#handler !== handler) return;
    this.#decoder = decoder;
    if (decoder.done) this.#finish(handler);
  }

  /** Hands the socket over, with what came behind the 101; only its end is still told to the owner. */
  #onSwitch(minor: 0 | 1, parsed: ParsedHeaders, rest: Buffer, handler: ResponseHandler): number {
    // Some say that nothing follows; a body that is announced in the place of a tunnel is neither.
    if (parsed.bodyBytes !== NO_LENGTH && parsed.bodyBytes !== 0) return this.#fail("invalid", "101 with a body");
    if (!this.#upgrade || minor === 0) return this.#fail("invalid", "101 to a request without Upgrade");
    this.#handler = null;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#reads.sink = (bytes) => this.#socket.push(Buffer.from(bytes));
    handOver(this.#socket, Buffer.from(rest));
    this.#owner.onUpgraded(this);
    handler.onUpgrade(parsed.headers, this.#socket);
    return Number.MAX_SAFE_INTEGER;
  }

  #readBody(buffer: Buffer, at: number, handler: ResponseHandler): number {
    const decoder = this.#decoder;
    if (decoder === null) return at;
    this.#touch();
    const end = decoder.feed(buffer, at, this);
    if (this.#handler !== handler) return end;
    if (decoder.fault !== null) return this.#fail("cut", decoder.fault);
    if (decoder.done && end < buffer.length) {
      if (!isLineEnd(buffer.subarray(end))) return this.#fail("cut", TOO_LONG);
      this.#keepAlive = false;
    }
    if (decoder.done) this.#finish(handler);
    return end;
  }

  /** Called by the decoder. */
  onBody(chunk: Buffer): boolean {
    const copy = Buffer.from(chunk);
    if (this.#held === null) this.#handler?.onResponseBody(copy);
    else this.#held.push(copy);
    return true;
  }

  #finish(handler: ResponseHandler): void {
    const trailers = this.#decoder?.trailers ?? null;
    this.#decoder = null;
    this.#handler = null;
    this.used = true;
    this.clientAwaitedSinceMs = Number.POSITIVE_INFINITY;
    // The end may come after the pause, over TLS; the next answer must not wait for this one's client.
    this.resume();
    this.deadlineMs = Number.POSITIVE_INFINITY;
    // An answer before the request was whole leaves the service in the middle of a body: no request may follow it.
    const reusable = this.#keepAlive && this.#writer.isSent && !this.#socket.destroyed;
    handler.onResponseEnd(trailers);
    if (reusable) this.#owner.onReusable(this);
    else this.#socket.destroy();
  }

  #fail(failure: ClientFailure, detail: string): number {
    const handler = this.#handler;
    this.#handler = null;
    this.#decoder = null;
    this.clientAwaitedSinceMs = Number.POSITIVE_INFINITY;
    this.#held = null;
    this.#socket.destroy();
    handler?.onFailure(this.#answered && failure === "invalid" ? "cut" : failure, detail);
    return Number.MAX_SAFE_INTEGER;
  }

  #touch(): void {
    this.deadlineMs = this.#clock.monotonicMs() + this.#times.streamIdleTimeoutMs;
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
    // Now the client is the slow one; its own deadline runs.
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.clientAwaitedSinceMs = this.#clock.monotonicMs();
  }

  // ---- events --------------------------------------------------------------------------------------------------

  onDeadline(): void {
    if (this.#handler === null) this.#socket.destroy();
    else if (this.#writer.hasFailed && !this.#answered)
      this.#fail("closed", "the service takes no more of the request");
    else if (this.#stalled && !this.#writer.isDone) this.#fail("stalled", "the service does not read the request");
    else this.#fail(this.#answered ? "idle" : "timeout", "no bytes from the service in time");
  }

  #onDrain(): void {
    if (this.#stalled && !this.#writer.isDone) {
      this.deadlineMs = Number.POSITIVE_INFINITY;
      this.clientAwaitedSinceMs = this.#clock.monotonicMs();
      if (this.#answered && !this.#paused) this.#touch();
    }
    this.#stalled = false;
    this.#handler?.onUpstreamDrain();
  }

  /** The connection is dead in this direction; what the service said before comes now, or not at all. */
  #onWriteFailed(): void {
    this.#stalled = false;
    this.clientAwaitedSinceMs = Number.POSITIVE_INFINITY;
    if (!this.#answered) this.deadlineMs = this.#clock.monotonicMs() + DEFAULTS.upstreamLastWordsMs;
  }

  #onError(error: NodeJS.ErrnoException): void {
    // With TLS 1.3 a service that refuses our certificate says so when our side of the handshake is long done.
    if (!this.#answered && error.code?.startsWith("ERR_SSL_")) this.#fail("tls", error.code);
    this.#socket.destroy();
  }

  #onEnd(): void {
    const handler = this.#handler;
    if (handler === null) this.#socket.destroy();
    else if (this.#decoder?.endsWithConnection) {
      this.#finish(handler);
      handler.onReadEnd();
    } else this.#fail(this.#answered ? "cut" : this.#pending === null ? "closed" : "invalid", "connection ended early");
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deadlines.remove(this);
    if (this.#handler !== null) this.#fail(this.#answered ? "cut" : "closed", "connection closed early");
    this.#owner.onClosed(this);
  }
}

const NO_TIMES: ResponseTimes = { writeTimeoutMs: 0, responseTimeoutMs: 0, streamIdleTimeoutMs: 0 };
const TOO_LONG = "more bytes than announced";
