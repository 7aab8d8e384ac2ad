import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Charge } from "../memory/account.ts";
import { EMPTY_BODY } from "../message/body.ts";
import { NO_HEADERS } from "../message/headers.ts";
import { WITHOUT_BODY } from "../message/method.ts";
import { NO_LENGTH, type ServerStream } from "../message/stream.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { BodyTurn, type TurnHost } from "./body-turn.ts";
import type { Http1CloseReason } from "./close-reason.ts";
import type { ConnectionState } from "./connection-state.ts";
import { handOver } from "./hand-over.ts";
import { HeadFault, type ParsedHeaders, type RequestLine } from "./head.ts";
import { HeldBytes } from "./held-bytes.ts";
import { Linger } from "./linger.ts";
import { Output } from "./output.ts";
import { RequestQuota } from "./request-quota.ts";
import { isLastRequest, RequestReader } from "./request-reader.ts";
import { ResponseWriter } from "./response-writer.ts";
import type { ServerHandler } from "./server-handler.ts";
import type { ServerLimits } from "./server-limits.ts";

/**
 * Server side of one HTTP/1.1 connection (RFC 9112): frames requests, keeps pipelined ones waiting, writes responses.
 * It judges grammar only; what a request may do is the handler's business.
 */
export class ServerConnection implements TurnHost, ServerStream {
  readonly limits: ServerLimits;
  deadlineMs: number;
  readonly #socket: Socket;
  readonly #output: Output;
  readonly #response: ResponseWriter;
  readonly #reader: RequestReader;
  readonly #handler: ServerHandler<ServerConnection>;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;

  #state: ConnectionState = "head";
  readonly #held: HeldBytes;
  #consuming = false;
  /** What came with the head of the request that is being handed over: a body that is wanted at once is read at once. */
  #arrived: Buffer | null = null;
  #arrivedAt = 0;
  #headStartedMs = 0;
  #answering = false;
  #closed = false;
  readonly #turn: BodyTurn;
  readonly #quota: RequestQuota;
  /** The answer is handed over whole, and the client does not take it. */
  #unsent = false;
  /** The client was cut off because it did not take its answer. */
  writeTimedOut = false;

  #closeAfterResponse = false;
  readonly #linger: Linger;

  /** `charge`: for bytes that are held, those that arrive before they are wanted and those that are not taken. */
  constructor(
    socket: Socket,
    limits: ServerLimits,
    handler: ServerHandler<ServerConnection>,
    clock: Clock,
    deadlines: Deadlines,
    charge: () => Charge,
  ) {
    this.#socket = socket;
    this.#held = new HeldBytes(charge);
    this.#output = new Output(socket);
    this.#response = new ResponseWriter(this.#output);
    this.limits = limits;
    this.#reader = new RequestReader(limits.headBytesMax, limits.headersCountMax);
    this.#handler = handler;
    this.#linger = new Linger(handler.lingerRoom, () => socket.pause());
    this.#clock = clock;
    this.#deadlines = deadlines;
    const bornMs = clock.monotonicMs();
    this.#quota = new RequestQuota(limits, bornMs);
    this.#turn = new BodyTurn(socket, limits, clock, this);
    // A connection that never says a word gets a head's time, not a kept-alive one's.
    this.deadlineMs = bornMs + limits.headTimeoutMs;
    deadlines.add(this);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#onClose());
  }

  /** True where no request is being read or answered. */
  get idle(): boolean {
    return this.#state === "head" && !this.#answering && this.#held.isEmpty;
  }

  get requestBodyBytes(): number {
    return this.#turn.body?.bytes ?? 0;
  }

  get responseBodyBytes(): number {
    return this.#response.bodyBytes;
  }

  // ---- reading -------------------------------------------------------------------------------------------------

  #onData(chunk: Buffer): void {
    if (this.#state !== "closing") this.#consume(this.#held.takeWith(chunk), 0);
    else this.deadlineMs = this.#linger.take(chunk.length, this.deadlineMs, this.#clock.monotonicMs());
  }

  /** Reads as many requests and body parts as it may now, and keeps the rest. */
  #consume(buffer: Buffer, from: number): void {
    this.#consuming = true;
    let at = from;
    let moved = true;
    while (moved && at < buffer.length && !this.#socket.destroyed) {
      const before = at;
      if (this.#state === "head") at = this.#answering ? at : this.#readHead(buffer, at);
      else if (this.#state === "body") at = this.#turn.feed(buffer, at);
      else if (this.#state === "closing") at = buffer.length;
      moved = at > before;
    }
    this.#consuming = false;
    if (at < buffer.length && !this.#socket.destroyed) this.#keep(at === 0 ? buffer : buffer.subarray(at));
  }

  #keep(rest: Buffer): void {
    if (!this.#held.keep(rest)) this.end("memory_bodies");
    else if (this.#state !== "head" && rest.length > DEFAULTS.pipelineBytesMax) this.#turn.pauseReading();
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
    this.#arrived = buffer;
    this.#arrivedAt = head.end;
    this.#begin(head.line, head.parsed);
    this.#arrived = null;
    return this.#arrivedAt;
  }

  #begin(line: RequestLine, parsed: ParsedHeaders): void {
    const startedMs = this.#headStartedMs;
    this.#headStartedMs = 0;
    this.#answering = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#closeAfterResponse = this.#quota.take(startedMs) || isLastRequest(line, parsed) || this.#quota.isDrained;
    const { bodyBytes } = parsed;
    const hasBody = bodyBytes !== NO_LENGTH && bodyBytes !== 0;
    const isAwaited = parsed.expectContinue && line.minor === 1;
    if (!hasBody) this.#turn.beginNone();
    const body = hasBody
      ? this.#turn.begin(bodyBytes, WITHOUT_BODY.has(line.method), isAwaited, startedMs)
      : EMPTY_BODY;
    this.#state = hasBody ? "body" : "read";
    const { method, target } = line;
    const { authority, headers } = parsed;
    this.#response.begin(line.minor, headers);
    // RFC 9110 section 7.8: a client of HTTP/1.0 cannot mean it.
    const upgrade = parsed.upgrade === "websocket" && line.minor === 1 ? "upgrade" : null;
    this.#handler.onRequest(this, { method, target, authority, headers, body, upgrade, startedMs });
  }

  #refuse(fault: HeadFault): number {
    const startedMs = this.#headStartedMs;
    this.#headStartedMs = 0;
    this.#answering = true;
    this.#state = "read";
    this.#closeAfterResponse = true;
    this.#turn.beginNone();
    this.#response.begin(1, NO_HEADERS);
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler.onFault(this, fault, startedMs);
    return Number.MAX_SAFE_INTEGER;
  }

  // ---- the request's body (TurnHost) -----------------------------------------------------------------------------

  askForBody(): void {
    this.#output.add("HTTP/1.1 100 Continue\r\n\r\n");
    this.#output.flush();
  }

  readKept(): void {
    const arrived = this.#arrived;
    if (arrived !== null && this.#arrivedAt < arrived.length) {
      this.#arrivedAt = this.#turn.feed(arrived, this.#arrivedAt);
    }
    const kept = this.#consuming ? null : this.#held.take();
    if (kept !== null) this.#consume(kept, 0);
  }

  onBodyRead(): void {
    this.#state = "read";
    if (!this.#answering) this.#nextRequest();
  }

  onBodyBroken(): void {
    this.#state = "read";
    this.#closeAfterResponse = true;
    // The answer is out already, and this was a body that was read away: nobody else would close the connection.
    if (!this.#answering && !this.#closed) this.#leave();
    else this.#turn.resumeReading();
  }

  // ---- writing -------------------------------------------------------------------------------------------------

  writeInformational(status: number, lines: string): void {
    this.#response.addInformational(status, lines);
  }

  startResponse(status: number, lines: string, bodyBytes: number): void {
    // An answer before the end of an upload that is still read says that it is the last: the next request would be lost.
    if (this.#turn.isUsed || !this.#turn.skip()) this.#closeAfterResponse = true;
    this.#closeAfterResponse = this.#response.addHead(status, lines, bodyBytes, this.#closeAfterResponse);
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#response.addBody(chunk);
    this.#turn.onAnswerBytes();
  }

  flush(): boolean {
    const flowing = this.#output.flush();
    if (!flowing) this.#awaitDrain();
    return flowing;
  }

  get carriesTrailers(): boolean {
    return this.#response.carriesTrailers;
  }

  /** A client that never reads does not keep us for ever. */
  #awaitDrain(): void {
    if (this.#closed) return;
    this.deadlineMs = this.#clock.monotonicMs() + this.limits.writeTimeoutMs;
    if (this.#held.keepAnswer(this.#socket.writableLength)) return;
    this.writeTimedOut = true;
    this.end("memory_bodies");
  }

  endResponse(trailers: string): void {
    this.#response.addEnd(trailers);
    // Answers that nobody takes pile up no further: the next request waits until this one's answer is taken.
    this.#unsent = !this.#output.flush() || this.#socket.writableNeedDrain;
    if (this.#unsent) this.#awaitDrain();
    else this.#onResponseSent();
  }

  #onResponseSent(): void {
    this.#answering = false;
    if (this.#closeAfterResponse) this.#leave();
    else if (this.#state === "read") this.#nextRequest();
  }

  upgrade(lines: string): Duplex {
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#response.addSwitch(lines);
    this.#output.flush();
    handOver(this.#socket, this.#held.take());
    return this.#socket;
  }

  abort(): void {
    this.#socket.destroy();
  }

  /** Ends at once, whatever is under way. */
  end(reason: Http1CloseReason): void {
    this.#quota.closeReason = reason;
    this.#socket.destroy();
  }

  /** Ends at once where no request is under way; one whose head has begun to come and stopped is none. */
  giveWay(reason: Http1CloseReason): boolean {
    const hasHead = this.#headStartedMs > this.#clock.monotonicMs() - DEFAULTS.headYieldMs;
    const isRest = this.#state === "head" && !this.#answering && (this.#headStartedMs === 0 || !hasHead);
    const isOver = this.#state === "closing" && this.#socket.writableLength === 0;
    if (isRest || isOver) this.end(reason);
    return isRest || isOver;
  }

  /** No further request after the current one; an idle connection closes now. */
  drain(): void {
    this.#quota.closeReason = "drained";
    this.#closeAfterResponse = true;
    if (this.idle) this.#leave();
    else this.#linger.shorten(this.#clock.monotonicMs());
  }

  /** The response is out and the next request may be read. */
  #nextRequest(): void {
    this.#state = "head";
    this.deadlineMs = this.#clock.monotonicMs() + this.limits.idleTimeoutMs;
    this.#turn.resumeReading();
    this.readKept();
  }

  /** Closes our side and reads away what the client still sends, so that a reset does not eat the answer. */
  #leave(): void {
    if (this.#state === "body" && !this.#quota.isDrained) this.#linger.expectUpload();
    this.#state = "closing";
    this.#turn.leave();
    this.#held.take();
    // First the client has to take the end of its answer; only then its patience with us is measured.
    if (this.#socket.writableLength > 0) this.#awaitDrain();
    else this.#startLinger();
    this.#socket.end(() => this.#startLinger());
    this.#turn.resumeReading();
  }

  #startLinger(): void {
    this.deadlineMs = this.#linger.start(this.#clock.monotonicMs());
  }

  // ---- events --------------------------------------------------------------------------------------------------

  onDeadline(): void {
    this.writeTimedOut = this.#state !== "closing" && this.#socket.writableNeedDrain;
    const late = `no whole head in ${this.limits.headTimeoutMs} ms`;
    if (this.#state === "closing" || this.writeTimedOut) this.#socket.destroy();
    else if (this.#state === "head" && this.#headStartedMs > 0) this.#refuse(new HeadFault("head_timeout", late));
    else if (this.#state === "head") {
      this.#quota.expire();
      this.#leave();
    } else this.#turn.expire();
  }

  #onDrain(): void {
    this.#held.answerTaken();
    if (this.#state === "closing") return;
    if (this.#state === "read") this.deadlineMs = Number.POSITIVE_INFINITY;
    else this.#turn.onDrain();
    if (this.#unsent) {
      this.#unsent = false;
      this.#onResponseSent();
    } else this.#handler.onDrain(this);
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
    this.#held.release();
    this.#linger.stop();
    this.#turn.body?.fail("client_closed");
    this.#handler.onClose(this, this.#quota.closeReason);
  }
}
