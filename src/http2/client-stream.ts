import { ByteHold } from "../message/byte-hold.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { ClientFailure, ClientRequest, ClientStream, ResponseHandler, ResponseTimes } from "../message/stream.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines, Timed } from "../support/deadlines.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { parseResponse, parseTrailers } from "./client-fields.ts";
import type { ConnectionFault } from "./connection-fault.ts";
import type { FramedStream } from "./frames.ts";
import type { DecodedFields } from "./hpack-decoder.ts";
import { encodeRequest, encodeTrailers } from "./hpack-encoder.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { type SenderHost, type SenderOwner, StreamSender } from "./stream-sender.ts";
import { ERROR_CODE } from "./wire.ts";

/** The connection, as far as one stream needs it. */
export interface StreamHost extends SenderHost {
  /** True once it has carried a request to its end. */
  used: boolean;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly scheme: "http" | "https";
  /** Header lines of an answer. */
  readonly headersCountMax: number;
  /** What the service lets us send on a stream that is opened now. */
  readonly initialWindow: number;
  /** Why the connection ended: the service broke the protocol, or the socket's error; null and empty for neither. */
  readonly fault: ConnectionFault | null;
  readonly errorCode: string;
  /** The service did not read. */
  readonly isStuck: boolean;
  /** Whether the service may have worked on it, for all that its GOAWAY says. */
  wasProcessed(streamId: number): boolean;
  /**
   * A stream has waited in vain for so long. Where none had anything meanwhile, the connection may be dead, as TCP itself
   * finds out after a quarter of an hour.
   */
  onUnanswered(timeoutMs: number): void;
  /** It has a request to send. */
  onBegun(stream: Http2ClientStream): void;
  /** Its head goes out now; gives its id. */
  takeId(stream: Http2ClientStream): number;
  onStreamEnded(stream: Http2ClientStream): void;
}

const NO_TIMES: ResponseTimes = { writeTimeoutMs: 0, responseTimeoutMs: 0, streamIdleTimeoutMs: 0 };

/** One request and its answer over HTTP/2. */
export class Http2ClientStream implements ClientStream, FramedStream, SenderOwner, Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  /** 0 until the head goes out. */
  id = 0;
  remoteEnded = false;
  /** What the service may still send. */
  readonly window = new ReceiveWindow(DEFAULTS.upstreamStreamWindowBytes);
  readonly #host: StreamHost;
  readonly #sender: StreamSender;
  readonly #hold = new ByteHold();
  #handler: ResponseHandler | null = null;
  #times: ResponseTimes = NO_TIMES;
  #isHead = false;
  #requestDone = false;
  #answered = false;
  #informational = 0;
  /** The service has not taken yet what was written to it. */
  #stalled = false;
  /** Bytes of the body that are still announced; Infinity where nothing was. */
  #remaining = Number.POSITIVE_INFINITY;
  #trailers: HeaderBlock | null = null;
  #paused = false;
  #closed = false;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#sender = new StreamSender(host, this, host.initialWindow);
  }

  get used(): boolean {
    return this.#host.used;
  }

  // ---- request ---------------------------------------------------------------------------------------------------

  begin(handler: ResponseHandler, request: ClientRequest, times: ResponseTimes): void {
    this.#handler = handler;
    this.#times = times;
    this.#isHead = request.method === "HEAD";
    this.#requestDone = request.bodyBytes === 0;
    this.#host.deadlines.add(this);
    this.#host.onBegun(this);
    this.#sender.start(headOf(request, this.#host.scheme));
    if (!this.#requestDone) return;
    this.#sender.end(null);
    this.#await();
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0 || this.#handler === null) return;
    this.#sender.write(chunk);
    // A stream that goes both ways is alive while either side speaks.
    if (this.#answered && !this.#paused) this.#touch();
  }

  endBody(trailers: string): void {
    if (this.#handler === null) return;
    this.#requestDone = true;
    if (!this.#answered) this.#await();
    this.#sender.end(trailers === "" ? null : encodeTrailers(trailers));
  }

  flush(): boolean {
    this.#sender.flush();
    const flowing = !this.#sender.isBacklogged;
    if (!flowing && !this.#stalled) {
      this.#stalled = true;
      // Without it a service that reads nothing would hold the client and its upload for ever. Once it answers, its
      // silence in both directions is what counts.
      if (!this.#answered && !this.#requestDone) this.deadlineMs = this.#nowMs() + this.#times.writeTimeoutMs;
    }
    return flowing;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#answered) this.#touch();
    this.deliver();
  }

  abort(): void {
    this.#handler = null;
    this.reset(ERROR_CODE.cancel);
  }

  release(): void {
    this.#host.onStreamEnded(this);
  }

  // Sending (SenderOwner).

  idToSend(): number {
    if (this.id === 0) {
      this.id = this.#host.takeId(this);
      // While it waited for its turn, SETTINGS passed it by.
      this.#sender.window = this.#host.initialWindow;
    }
    return this.id;
  }

  onSendProgress(): void {}

  onSendDrained(): void {
    if (this.#stalled && !this.#answered && !this.#requestDone) this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#stalled = false;
    this.#handler?.onUpstreamDrain();
  }

  onSendEnded(): void {
    this.#stalled = false;
    if (this.#handler === null && this.remoteEnded) this.#close(null);
  }

  // ---- response (FramedStream) -----------------------------------------------------------------------------------

  onReceived(bytes: number): boolean {
    return this.window.receive(bytes);
  }

  onHead(head: DecodedFields, endStream: boolean): boolean {
    const fault = this.#answered ? this.#readTrailers(head, endStream) : this.#readHead(head, endStream);
    if (fault !== null) this.#fail("invalid", fault, ERROR_CODE.protocolError);
    else if (endStream) this.remoteEnded = true;
    return true;
  }

  #readHead({ raw, tooMany }: DecodedFields, endStream: boolean): string | null {
    if (tooMany) return "too large a head";
    const head = parseResponse(raw, this.#isHead, endStream, this.#host.headersCountMax);
    if (typeof head === "string") return head;
    if (head.status < 200) {
      if (++this.#informational > DEFAULTS.informationalMax) return "too many informational responses";
      if (head.status !== 100) this.#handler?.onInformational(head.status, head.headers);
      return null;
    }
    this.#answered = true;
    this.#touch();
    if (head.bodyBytes >= 0) this.#remaining = head.bodyBytes;
    this.#handler?.onResponse(head);
    return null;
  }

  #readTrailers({ raw, tooMany }: DecodedFields, endStream: boolean): string | null {
    if (!endStream || tooMany) return "no trailers";
    const trailers = parseTrailers(raw);
    if (typeof trailers === "string") return trailers;
    this.#trailers = trailers;
    return null;
  }

  onData(data: Buffer, padding: number): boolean {
    this.#onTaken(padding);
    if (data.length === 0) return true;
    if (this.#handler === null) {
      this.#onTaken(data.length);
      return true;
    }
    this.#remaining -= data.length;
    if (!this.#answered) this.#fail("invalid", "a body before its head", ERROR_CODE.protocolError);
    else if (this.#remaining < 0) this.#fail("invalid", "more bytes than announced", ERROR_CODE.protocolError);
    else {
      if (!this.#paused) this.#touch();
      this.#hold.add(data);
    }
    return true;
  }

  onEnd(): void {
    this.remoteEnded = true;
    if (!this.#answered) this.#fail("invalid", "a body before its head", ERROR_CODE.protocolError);
  }

  /** What one read brought goes on in one write: head, body and end of a short answer together. */
  deliver(): void {
    if (this.#paused) {
      this.#hold.keep();
      return;
    }
    const data = this.#hold.take();
    if (data !== null) {
      this.#onTaken(data.length);
      this.#handler?.onResponseBody(data);
    }
    if (this.remoteEnded) this.#onWhole();
    // Informational responses are few, and a pause would stop the time for the answer that is still to come.
    else if (this.#handler?.onReadEnd() === false && this.#answered) this.#pause();
  }

  #pause(): void {
    if (this.#handler === null) return;
    this.#paused = true;
    // Now the client is the slow one; its own deadline runs.
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  #onTaken(bytes: number): void {
    const announced = this.window.take(bytes);
    if (announced > 0 && !this.remoteEnded && !this.#closed) this.#host.output.addWindowUpdate(this.id, announced);
  }

  #onWhole(): void {
    const handler = this.#handler;
    if (handler === null) return;
    if (this.#remaining > 0 && this.#remaining !== Number.POSITIVE_INFINITY) {
      this.#fail("cut", "fewer bytes than announced", ERROR_CODE.protocolError);
      return;
    }
    this.#handler = null;
    this.#host.used = true;
    // The service has said all that it will say; the rest of the request is nothing to it.
    this.#close(this.#sender.isOver ? null : ERROR_CODE.cancel);
    handler.onResponseEnd(this.#trailers);
  }

  // ---- failures --------------------------------------------------------------------------------------------------

  onReset(code: number): void {
    // After a whole answer it says that the rest of the request is not wanted, and nothing against the answer.
    if (this.remoteEnded) {
      this.#dropRest();
      return;
    }
    this.remoteEnded = true;
    if (code === ERROR_CODE.refusedStream) this.#fail("refused", "stream refused", null);
    else if (code === ERROR_CODE.protocolError) this.#fail("invalid", "RST_STREAM, PROTOCOL_ERROR", null);
    else this.#fail("reset", `RST_STREAM, code ${code}`, null);
  }

  /** The service's GOAWAY says that it has not begun with it. */
  onUnprocessed(): void {
    if (this.remoteEnded) {
      this.#dropRest();
      return;
    }
    this.remoteEnded = true;
    this.#fail("refused", "stream refused", null);
  }

  onConnectionLost(): void {
    const { fault, errorCode } = this.#host;
    if (this.remoteEnded) {
      this.#dropRest();
      return;
    }
    this.remoteEnded = true;
    if (errorCode.startsWith("ERR_SSL_")) this.#fail("tls", errorCode, null);
    else if (fault !== null) this.#fail("invalid", `HTTP/2: ${fault.seen}`, null);
    else if (!this.#host.wasProcessed(this.id)) this.#fail("refused", "stream refused", null);
    else if (this.#host.isStuck) this.#fail("stalled", "the service does not read the request", null);
    else this.#fail("closed", errorCode === "" ? "connection ended early" : errorCode, null);
  }

  /** The answer is here whole, and waits for its client; what of the request is still to come goes nowhere. */
  #dropRest(): void {
    this.#sender.stop();
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#handler?.onUpstreamDrain();
  }

  reset(code: number): void {
    this.#fail("reset", `stream given up, code ${code}`, code);
  }

  widen(bytes: number): boolean {
    return this.#sender.widen(bytes);
  }

  /** `code`: null where the service needs not be told. */
  #fail(failure: ClientFailure, detail: string, code: number | null): void {
    const handler = this.#handler;
    this.#handler = null;
    this.#close(code);
    handler?.onFailure(this.#answered && failure !== "idle" ? "cut" : failure, detail);
  }

  onDeadline(): void {
    const code = ERROR_CODE.cancel;
    if (this.#answered) this.#fail("idle", "no bytes in either direction in time", code);
    else if (this.#stalled && !this.#requestDone) this.#fail("stalled", "the service does not read the request", code);
    else {
      this.#host.onUnanswered(this.#times.responseTimeoutMs);
      this.#fail("timeout", "no bytes from the service in time", code);
    }
  }

  #close(code: number | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#sender.stop();
    this.#hold.clear();
    if (code !== null && this.id !== 0) this.#host.output.addReset(this.id, code);
    this.#host.deadlines.remove(this);
    this.#host.onStreamEnded(this);
  }

  #await(): void {
    this.deadlineMs = this.#nowMs() + this.#times.responseTimeoutMs;
  }

  #touch(): void {
    this.deadlineMs = this.#nowMs() + this.#times.streamIdleTimeoutMs;
  }

  #nowMs(): number {
    return this.#host.clock.monotonicMs();
  }
}

/** The head's block. gRPC services ask for `te`, to find out a proxy on the way that would lose the status of a call. */
function headOf(request: ClientRequest, scheme: "http" | "https"): Buffer {
  const { method, authority, target, bodyBytes } = request;
  const lines = request.acceptsTrailers ? `${request.lines}te: trailers\r\n` : request.lines;
  return encodeRequest({ method, scheme, authority, path: target }, lines, bodyBytes > 0 ? bodyBytes : -1);
}
