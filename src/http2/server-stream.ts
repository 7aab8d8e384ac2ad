import type { Duplex } from "node:stream";
import { WITHOUT_BODY as METHODS_WITHOUT_BODY } from "../http1/request-reader.ts";
import type { ServerLimits } from "../http1/server-limits.ts";
import { CHUNKED, EMPTY_BODY, type RequestBody } from "../message/body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { type ClientLeft, NO_LENGTH, type ServerStream, type ServerStreamOwner } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { RequestFields } from "./fields.ts";
import type { FrameOutput } from "./frame-output.ts";
import { encodeResponse, encodeTrailers, type ResponseBlocks } from "./hpack-encoder.ts";
import type { Sender, SendQueue, SendResult } from "./send-queue.ts";
import { type BodyHost, StreamBody } from "./stream-body.ts";
import { StreamTunnel, type TunnelHost } from "./stream-tunnel.ts";
import { ERROR_CODE, FLAG, FRAME, FRAME_BYTES_MAX, WINDOW_MAX } from "./wire.ts";

/** The session, as far as its streams need it. */
export interface StreamHost {
  readonly limits: ServerLimits;
  readonly output: FrameOutput;
  readonly queue: SendQueue;
  readonly responseBlocks: ResponseBlocks;
  /** Monotonic. */
  nowMs(): number;
  /** So many bytes that the client sent need no room any more. */
  onTaken(bytes: number): void;
  /** A DATA frame of so many bytes went out, which the client will acknowledge. */
  onSent(bytes: number): void;
  /** Once: nothing goes either way any more. */
  onStreamClosed(stream: StreamConnection): void;
}

/** Server side of one HTTP/2 stream (RFC 9113 sections 5.1 and 8.1): one request and its answer. */
export class StreamConnection implements ServerStream, BodyHost, TunnelHost, Sender {
  readonly id: number;
  /** Who answers the request; null where nobody was asked. */
  owner: ServerStreamOwner | null = null;
  responseBodyBytes = 0;
  /** The client has sent its last frame but for resets and window updates. */
  remoteEnded: boolean;
  /** What the client may still send. */
  receiveWindow = DEFAULTS.h2WindowBytes;
  /** What the client lets us send; may be below zero after SETTINGS. */
  #sendWindow: number;
  readonly #host: StreamHost;
  readonly #isReadable: boolean;
  readonly #isHead: boolean;
  readonly #isUpgrade: boolean;
  readonly #body: StreamBody | null;
  #tunnel: StreamTunnel | null = null;
  #expectContinue: boolean;
  /** The final head, until it is sent. */
  #head: Buffer | null = null;
  #headSent = false;
  #chunks: Buffer[] = [];
  /** The trailers' block, where there are any. */
  #trailers: Buffer | null = null;
  #bodyless = false;
  /** Has a body of unknown length, which trailers may end. */
  #openEnded = false;
  /** What is not sent yet is the last of it. */
  #ending = false;
  /** The last of it was sent. */
  #localEnded = false;
  #closed = false;
  #wantsDrain = false;
  #onWritten: (() => void) | null = null;
  /** When a client that takes nothing of what is written has used up its time. */
  #deadlineMs = Number.POSITIVE_INFINITY;
  /** What it took since that was set. */
  #takenBytes = 0;
  /** Bytes that were taken and are not announced to the client yet. */
  #credit = 0;

  /** `fields`: null for a request that cannot be read. `endStream`: the client sends nothing more. */
  constructor(id: number, fields: RequestFields | null, endStream: boolean, sendWindow: number, host: StreamHost) {
    this.id = id;
    this.#host = host;
    this.#sendWindow = sendWindow;
    this.remoteEnded = endStream;
    this.#isReadable = fields !== null;
    this.#isHead = fields?.method === "HEAD";
    this.#isUpgrade = fields?.upgrade === true;
    this.#expectContinue = fields?.expectContinue === true;
    this.#body = this.#bodyOf(fields);
  }

  #bodyOf(fields: RequestFields | null): StreamBody | null {
    if (fields === null) return null;
    if (fields.upgrade) return new StreamBody(CHUNKED, true, this); // what is said in the tunnel
    if (fields.bodyBytes === 0) return null;
    return new StreamBody(fields.bodyBytes, !METHODS_WITHOUT_BODY.has(fields.method), this);
  }

  /** The request's body; what is said in a tunnel is none. */
  get body(): RequestBody {
    return this.#isUpgrade ? EMPTY_BODY : (this.#body ?? EMPTY_BODY);
  }

  /** What came is not the body that the head speaks of. */
  get isMalformed(): boolean {
    return this.#body?.isMalformed === true;
  }

  get requestBodyBytes(): number {
    return this.#isUpgrade ? 0 : (this.#body?.bytes ?? 0);
  }

  // ---- the request's body (BodyHost) -----------------------------------------------------------------------------

  onBodyWanted(): void {
    if (!this.#expectContinue) return;
    this.#expectContinue = false;
    this.writeInformational(100, "");
  }

  get limits(): ServerLimits {
    return this.#host.limits;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  onBodyTaken(bytes: number): void {
    this.#host.onTaken(bytes);
    if (this.remoteEnded || this.#closed) return;
    this.#credit += bytes;
    if (this.#credit < DEFAULTS.h2WindowBytes / 2) return;
    this.#host.output.addWindowUpdate(this.id, this.#credit);
    this.receiveWindow += this.#credit;
    this.#credit = 0;
  }

  // ---- what the client sends -------------------------------------------------------------------------------------

  /** Counts bytes of DATA; false where they are more than the window lets through. */
  onReceived(bytes: number): boolean {
    this.receiveWindow -= bytes;
    return this.receiveWindow >= 0;
  }

  /** False where no data was to come. */
  onData(data: Buffer, padding: number): boolean {
    if (padding > 0) this.onBodyTaken(padding);
    if (data.length === 0) return true;
    if (this.#body === null) {
      this.#host.onTaken(data.length);
      return !this.#isReadable; // it is refused for its head already
    }
    this.#body.onData(data);
    return true;
  }

  /** The client's side is over. */
  onEnd(trailers: HeaderBlock | null): void {
    this.remoteEnded = true;
    this.#body?.onEnd(trailers);
  }

  /** The read is over that brought something of this stream. */
  deliver(): void {
    this.#body?.deliver();
  }

  onMalformedTrailers(endStream: boolean): void {
    this.remoteEnded = endStream;
    this.#body?.fail("request_malformed");
  }

  // ---- writing (ServerStream) ------------------------------------------------------------------------------------

  writeInformational(status: number, lines: string): void {
    if (this.#closed || this.#head !== null || this.#headSent) return;
    this.#host.output.addHeaders(this.id, encodeResponse(status, lines, -1), false);
  }

  startResponse(status: number, lines: string, bodyBytes: number): void {
    this.#bodyless = this.#isHead || status === 204 || status === 205 || status === 304;
    const hasLength = bodyBytes !== CHUNKED && bodyBytes !== NO_LENGTH && status !== 205;
    this.#openEnded = bodyBytes === CHUNKED && !this.#bodyless;
    this.#head = this.#host.responseBlocks.of(status, lines, hasLength ? bodyBytes : -1);
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0 || this.#bodyless || this.#closed) return;
    this.responseBodyBytes += chunk.length;
    this.#chunks.push(chunk);
    this.#body?.onAnswerBytes();
  }

  flush(): boolean {
    if (this.#closed) return true;
    this.#host.queue.send(this);
    if (this.#chunks.length === 0) return true;
    this.#wantsDrain = true;
    this.#awaitClient();
    return false;
  }

  /** Where no length is announced: what was announced would no longer hold. */
  get carriesTrailers(): boolean {
    return this.#openEnded;
  }

  endResponse(trailers: string): void {
    if (this.#closed) return;
    if (this.#openEnded && trailers !== "") this.#trailers = encodeTrailers(trailers);
    this.#ending = true;
    this.#host.queue.send(this);
    if (!this.#closed) this.#awaitClient();
  }

  /** Cuts the answer: what began must not look whole. */
  abort(): void {
    this.reset(ERROR_CODE.internalError);
  }

  // ---- a tunnel through the stream (RFC 8441, TunnelHost) --------------------------------------------------------

  /** RFC 8441 section 5: 200 stands for 101, and there is no key to answer. */
  upgrade(lines: string): Duplex {
    const tunnel = new StreamTunnel(this);
    this.#tunnel = tunnel;
    this.#head = encodeResponse(200, lines.replace(ACCEPT_LINE, ""), -1);
    this.#host.queue.send(this);
    this.#body?.setPatience(Number.POSITIVE_INFINITY, true);
    this.#body?.start(tunnel, Number.POSITIVE_INFINITY);
    return tunnel;
  }

  writeTunnel(bytes: Buffer, taken: () => void): void {
    if (this.#closed || bytes.length === 0) {
      taken();
      return;
    }
    this.#chunks.push(bytes);
    this.#onWritten = taken;
    this.#host.queue.send(this);
  }

  endTunnel(done: () => void): void {
    this.#ending = true;
    this.#onWritten = done;
    if (this.#closed) done();
    else this.#host.queue.send(this);
  }

  closeTunnel(): void {
    this.reset(ERROR_CODE.cancel);
  }

  resumeTunnel(): void {
    this.#body?.resume();
  }

  // ---- sending (Sender) ------------------------------------------------------------------------------------------

  /** By so many bytes more, or fewer; false where it becomes larger than a window may be. */
  widen(bytes: number): boolean {
    this.#sendWindow += bytes;
    if (this.#sendWindow > WINDOW_MAX) return false;
    if (bytes > 0 && this.#hasUnsent) this.#host.queue.send(this);
    return true;
  }

  get #hasUnsent(): boolean {
    return this.#head !== null || this.#chunks.length > 0 || (this.#ending && !this.#localEnded);
  }

  sendSome(): SendResult {
    if (this.#closed || this.#localEnded) return "done"; // a tunnel lives on after its end
    const { output } = this.#host;
    if (this.#head !== null) {
      const endStream = this.#ending && this.#chunks.length === 0 && this.#trailers === null;
      output.addHeaders(this.id, this.#head, endStream || this.#bodyless);
      this.#head = null;
      this.#headSent = true;
      if (endStream || this.#bodyless) return this.#onSentAll();
    }
    if (this.#chunks.length > 0) {
      const result = this.#sendData();
      if (result !== "done") return result;
    }
    // Whoever heard that there is room may have written again, and ended.
    if (this.#chunks.length > 0) return "more";
    if (!this.#ending || this.#localEnded || this.#closed) return "done";
    if (this.#trailers === null) output.add(FRAME.data, FLAG.endStream, this.id);
    else output.addHeaders(this.id, this.#trailers, true);
    return this.#onSentAll();
  }

  /** One DATA frame. `done`: no data is left, but the end may be still to be sent. */
  #sendData(): SendResult {
    const { output, queue } = this.#host;
    const first = this.#chunks[0];
    if (first === undefined) return "done";
    const size = Math.min(first.length, FRAME_BYTES_MAX, this.#sendWindow);
    if (size <= 0) return "blocked";
    if (queue.window <= 0) return "starved";
    const part = first.subarray(0, Math.min(size, queue.window));
    this.#sendWindow -= part.length;
    queue.window -= part.length;
    if (part.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(part.length);
    const isLast = this.#ending && this.#chunks.length === 0 && this.#trailers === null;
    output.add(FRAME.data, isLast ? FLAG.endStream : 0, this.id, part);
    this.#host.onSent(part.length);
    if (isLast) return this.#onSentAll();
    if (this.#chunks.length > 0) {
      // A block is to be taken in one span: a window that opens byte by byte buys no new one (CVE-2019-9511).
      this.#takenBytes += part.length;
      const isTaken = this.#takenBytes >= DEFAULTS.h2OutputBytesMax;
      if (isTaken || this.#deadlineMs === Number.POSITIVE_INFINITY) this.#awaitClient();
      return "more";
    }
    this.#onDrained();
    return "done";
  }

  #onDrained(): void {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    const onWritten = this.#onWritten;
    this.#onWritten = null;
    onWritten?.();
    if (!this.#wantsDrain || this.#ending) return;
    this.#wantsDrain = false;
    this.owner?.onClientDrain();
  }

  /** END_STREAM is on its way. What the client of an answer still sends nobody reads (RFC 9113 section 8.1). */
  #onSentAll(): SendResult {
    this.#localEnded = true;
    this.#onDrained();
    if (this.#tunnel === null) this.#close(ERROR_CODE.noError, null);
    return "done";
  }

  #awaitClient(): void {
    this.#takenBytes = 0;
    this.#deadlineMs = this.nowMs() + this.limits.writeTimeoutMs;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  // ---- the end ---------------------------------------------------------------------------------------------------

  /** Looks at the time: a client that does not send its body, or does not take its answer. */
  check(nowMs: number): void {
    this.#body?.check(nowMs);
    if (this.#deadlineMs > nowMs) return;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#close(ERROR_CODE.internalError, "client_read_timeout");
  }

  /** RST_STREAM to the client, unless both sides are over. */
  reset(code: number): void {
    this.#close(code, "client_closed");
  }

  /** The client is gone, from this stream or altogether. */
  onGone(left: ClientLeft = "client_closed"): void {
    this.remoteEnded = true;
    this.#close(null, left);
  }

  /** `code`: null where the client needs not be told. `left`: null where the answer is whole. */
  #close(code: number | null, left: ClientLeft | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks = [];
    this.#host.queue.forget(this);
    if (code !== null && !(this.#localEnded && this.remoteEnded)) this.#host.output.addReset(this.id, code);
    this.#host.onStreamClosed(this);
    if (left !== null) this.owner?.onClientClosed(left); // first, for it knows the reason
    this.#body?.fail("client_closed");
    this.#tunnel?.destroy();
  }
}

const ACCEPT_LINE = /^sec-websocket-accept:[^\r]*\r\n/m;
