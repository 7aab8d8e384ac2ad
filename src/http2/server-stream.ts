import type { Duplex } from "node:stream";
import type { LingerRoom } from "../http1/linger.ts";
import type { ServerLimits } from "../http1/server-limits.ts";
import type { Charge } from "../memory/account.ts";
import { CHUNKED, EMPTY_BODY, type RequestBody } from "../message/body.ts";
import { WITHOUT_BODY } from "../message/method.ts";
import { type ClientLeft, NO_LENGTH, type ServerStream, type ServerStreamOwner } from "../message/stream.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { parseTrailers } from "./client-fields.ts";
import { haveValidValues, type RequestFields } from "./fields.ts";
import type { FramedStream } from "./frames.ts";
import type { DecodedFields } from "./hpack-decoder.ts";
import { encodeResponse, encodeTrailers, type ResponseBlocks } from "./hpack-encoder.ts";
import { ReceiveWindow } from "./receive-window.ts";
import type { SessionMemory } from "./session-memory.ts";
import { type BodyHost, StreamBody } from "./stream-body.ts";
import { type SenderHost, type SenderOwner, StreamSender } from "./stream-sender.ts";
import { StreamTunnel, type TunnelHost } from "./stream-tunnel.ts";
import { UploadRest } from "./upload-rest.ts";
import { ERROR_CODE } from "./wire.ts";

/** The session, as far as its streams need it. */
export interface StreamHost extends SenderHost {
  readonly limits: ServerLimits;
  readonly responseBlocks: ResponseBlocks;
  readonly memory: Pick<SessionMemory, "body">;
  readonly lingerRoom: LingerRoom;
  /** Monotonic. */
  nowMs(): number;
  /** So many bytes that the client sent need no room any more. */
  onTaken(bytes: number): void;
  /** Once: nothing goes either way any more. */
  onStreamClosed(stream: StreamConnection): void;
}

/** Server side of one HTTP/2 stream (RFC 9113 sections 5.1 and 8.1): one request and its answer. */
export class StreamConnection implements ServerStream, FramedStream, BodyHost, TunnelHost, SenderOwner {
  readonly id: number;
  /** Who answers the request; null where nobody was asked. */
  owner: ServerStreamOwner | null = null;
  responseBodyBytes = 0;
  remoteEnded: boolean;
  /** What the client may still send. */
  readonly window = new ReceiveWindow(DEFAULTS.h2WindowBytes);
  readonly #host: StreamHost;
  readonly #sender: StreamSender;
  readonly #isReadable: boolean;
  readonly #isHead: boolean;
  readonly #isUpgrade: boolean;
  readonly #body: StreamBody | null;
  #tunnel: StreamTunnel | null = null;
  /** Of its answer, what the client does not take yet. */
  #untaken: Charge | null = null;
  #expectContinue: boolean;
  #bodyless = false;
  /** Has a body of unknown length, which trailers may end. */
  #openEnded = false;
  #closed = false;
  /** Null before the answer is whole, and where the client had nothing more to send then. */
  #rest: UploadRest | null = null;
  #malformedTold = false;
  #wantsDrain = false;
  /** Of what is written into a tunnel. */
  #onWritten: (() => void) | null = null;
  /** When a client that takes nothing of what is written has used up its time. */
  #deadlineMs = Number.POSITIVE_INFINITY;
  /** What it took since that was set. */
  #sentBytes = 0;

  /** `fields`: null for a request that cannot be read. `endStream`: the client sends nothing more. */
  constructor(id: number, fields: RequestFields | null, endStream: boolean, sendWindow: number, host: StreamHost) {
    this.id = id;
    this.#host = host;
    this.#sender = new StreamSender(host, this, sendWindow);
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
    return new StreamBody(fields.bodyBytes, !WITHOUT_BODY.has(fields.method), this);
  }

  /** The request's body; what is said in a tunnel is none. */
  get body(): RequestBody {
    return this.#isUpgrade ? EMPTY_BODY : (this.#body ?? EMPTY_BODY);
  }

  /** Whether what came is not the body that the head speaks of; true once, however many reads bring more of it. */
  foundMalformed(): boolean {
    if (this.#malformedTold || this.#body?.isMalformed !== true) return false;
    this.#malformedTold = true;
    return true;
  }

  get requestBodyBytes(): number {
    return this.#isUpgrade ? 0 : (this.#body?.bytes ?? 0);
  }

  /** Its client has the whole answer, and sends what nobody reads. */
  get isServed(): boolean {
    return this.#rest !== null;
  }

  get isClosed(): boolean {
    return this.#closed;
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
    const announced = this.window.take(bytes);
    if (announced > 0) this.#host.output.addWindowUpdate(this.id, announced);
  }

  // ---- what the client sends (FramedStream) ----------------------------------------------------------------------

  onReceived(bytes: number): boolean {
    return this.window.receive(bytes);
  }

  onData(data: Buffer, padding: number): boolean {
    if (padding > 0) this.onBodyTaken(padding);
    if (data.length === 0) return true;
    if (this.#rest !== null) {
      this.#dropRest(this.#rest, data.length);
      return true;
    }
    if (this.#body === null) {
      this.#host.onTaken(data.length);
      return !this.#isReadable; // it is refused for its head already
    }
    this.#body.onData(data);
    return true;
  }

  charge(): Charge {
    return this.#host.memory.body();
  }

  /** Trailers, for the head was what opened the stream. */
  onHead({ raw, tooMany }: DecodedFields, endStream: boolean): boolean {
    this.remoteEnded = endStream;
    const trailers = endStream && !tooMany && haveValidValues(raw) ? parseTrailers(raw) : "no trailers";
    if (typeof trailers === "string") this.#body?.fail("request_malformed");
    else this.#body?.onEnd(trailers);
    if (this.#rest !== null) this.#close(null, null);
    return typeof trailers !== "string";
  }

  onEnd(): void {
    this.remoteEnded = true;
    this.#body?.onEnd(null);
    if (this.#rest !== null) this.#close(null, null);
  }

  /** The read is over that brought something of this stream. */
  deliver(): void {
    this.#body?.deliver();
  }

  onReset(): void {
    this.onGone("client_closed");
  }

  widen(bytes: number): boolean {
    return this.#sender.widen(bytes);
  }

  // ---- writing (ServerStream) ------------------------------------------------------------------------------------

  writeInformational(status: number, lines: string): void {
    if (this.#closed || this.#sender.hasHead) return;
    this.#host.output.addHeaders(this.id, encodeResponse(status, lines, -1), false);
  }

  startResponse(status: number, lines: string, bodyBytes: number): void {
    this.#bodyless = this.#isHead || status === 204 || status === 205 || status === 304;
    const hasLength = bodyBytes !== CHUNKED && bodyBytes !== NO_LENGTH && status !== 205;
    this.#openEnded = bodyBytes === CHUNKED && !this.#bodyless;
    this.#sender.start(this.#host.responseBlocks.of(status, lines, hasLength ? bodyBytes : -1));
    if (this.#bodyless) this.#sender.end(null);
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0 || this.#bodyless || this.#closed) return;
    this.responseBodyBytes += chunk.length;
    this.#sender.write(chunk);
    this.#body?.onAnswerBytes();
  }

  flush(): boolean {
    this.#sender.flush();
    if (!this.#sender.isBacklogged) return true;
    this.#wantsDrain = true;
    this.#holdAnswer();
    this.#awaitClient();
    return false;
  }

  /** Where no length is announced: what was announced would no longer hold. */
  get carriesTrailers(): boolean {
    return this.#openEnded;
  }

  endResponse(trailers: string): void {
    if (this.#closed) return;
    this.#sender.end(this.#openEnded && trailers !== "" ? encodeTrailers(trailers) : null);
    this.#sender.flush();
    if (this.#closed) return;
    this.#holdAnswer();
    this.#awaitClient();
  }

  /** What the client does not take yet is held for it; whoever makes us hold too much is cut off. */
  #holdAnswer(): void {
    if (!this.#sender.isBacklogged) return;
    this.#untaken ??= this.#host.memory.body();
    if (!this.#untaken.holdUnasked(this.#sender.waitingBytes))
      this.#close(ERROR_CODE.enhanceYourCalm, "client_read_timeout");
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
    this.#sender.start(encodeResponse(200, lines.replace(ACCEPT_LINE, ""), -1));
    this.#sender.flush();
    this.#body?.setPatience(Number.POSITIVE_INFINITY, true);
    this.#body?.start(tunnel, Number.POSITIVE_INFINITY);
    return tunnel;
  }

  writeTunnel(bytes: Buffer, taken: () => void): void {
    if (this.#closed || bytes.length === 0) {
      taken();
      return;
    }
    this.#onWritten = taken;
    this.#sender.write(bytes);
    this.#sender.flush();
  }

  endTunnel(done: () => void): void {
    if (this.#closed) {
      done();
      return;
    }
    this.#onWritten = done;
    this.#sender.end(null);
    this.#sender.flush();
  }

  closeTunnel(): void {
    this.reset(ERROR_CODE.cancel);
  }

  resumeTunnel(): void {
    this.#body?.resume();
  }

  // ---- sending (SenderOwner) -------------------------------------------------------------------------------------

  idToSend(): number {
    return this.id;
  }

  /** A block is to be taken in one span: a window that opens byte by byte buys no new one (CVE-2019-9511). */
  onSendProgress(bytes: number): void {
    this.#sentBytes += bytes;
    if (this.#sentBytes >= DEFAULTS.h2OutputBytesMax || this.#deadlineMs === Number.POSITIVE_INFINITY)
      this.#awaitClient();
  }

  #awaitClient(): void {
    this.#sentBytes = 0;
    this.#deadlineMs = this.nowMs() + this.limits.writeTimeoutMs;
  }

  onSendDrained(): void {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#tellWritten();
    if (!this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.owner?.onClientDrain();
  }

  /** What the client of an answer still sends nobody reads (RFC 9113 section 8.1); a tunnel goes on the other way. */
  onSendEnded(): void {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#tellWritten();
    if (this.#tunnel !== null) return;
    if (this.remoteEnded || this.#body?.isMalformed === true) this.#close(ERROR_CODE.noError, null);
    else this.#awaitRest();
  }

  #awaitRest(): void {
    this.#rest = new UploadRest(this.#host.lingerRoom, this.nowMs());
    this.#body?.fail("client_closed");
  }

  #dropRest(rest: UploadRest, bytes: number): void {
    if (rest.take(bytes, this.nowMs())) this.onBodyTaken(bytes);
    else this.#host.onTaken(bytes);
  }

  /** The connection is to end. */
  hasten(): void {
    this.#rest?.hasten(this.nowMs());
  }

  #tellWritten(): void {
    this.#untaken?.release();
    const onWritten = this.#onWritten;
    this.#onWritten = null;
    onWritten?.();
  }

  // ---- the end ---------------------------------------------------------------------------------------------------

  /** Looks at the time: a client that does not send its body, or does not take its answer. */
  check(nowMs: number): void {
    this.#body?.check(nowMs);
    if (this.#rest?.isOver(nowMs) === true) this.#close(ERROR_CODE.noError, null);
    if (this.#deadlineMs > nowMs) return;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#close(ERROR_CODE.internalError, "client_read_timeout");
  }

  /** RST_STREAM to the client, unless both sides are over. */
  reset(code: number): void {
    this.#close(code, "client_closed");
  }

  /** The client is gone, from this stream or altogether. */
  onGone(left: ClientLeft): void {
    this.remoteEnded = true;
    this.#close(null, left);
  }

  /** `code`: null where the client needs not be told. `left`: null where the answer is whole. */
  #close(code: number | null, left: ClientLeft | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rest?.stop();
    this.#sender.stop();
    if (code !== null && !(this.#sender.ended && this.remoteEnded)) this.#host.output.addReset(this.id, code);
    this.#host.onStreamClosed(this);
    if (left !== null) this.owner?.onClientClosed(left); // first, for it knows the reason
    this.#body?.fail("client_closed");
    this.#tunnel?.destroy();
    this.#tellWritten();
  }
}

const ACCEPT_LINE = /^sec-websocket-accept:[^\r]*\r\n/m;
