import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { WITHOUT_BODY as METHODS_WITHOUT_BODY } from "../http1/request-reader.ts";
import type { ServerLimits } from "../http1/server-limits.ts";
import { CHUNKED, EMPTY_BODY, type RequestBody } from "../message/body.ts";
import { type ClientLeft, NO_LENGTH, type ServerStream, type ServerStreamOwner } from "../message/stream.ts";
import { trailerFields } from "./field-lines.ts";
import type { RequestFields } from "./fields.ts";
import { informationalFields, type ResponseFields, responseFields } from "./response-fields.ts";
import { type BodyHost, FRAME_BYTES, StreamBody } from "./stream-body.ts";

/** RFC 9113 section 7. */
const NO_ERROR = 0;

/** The session, as far as its streams need it. */
export interface StreamHost {
  readonly limits: ServerLimits;
  readonly responseFields: ResponseFields;
  /** Monotonic. */
  nowMs(): number;
  onBodyBytes(bytes: number): void;
  /** Once. `cut`: the stream ended before its answer did, and not by our doing. */
  onStreamClosed(stream: StreamConnection, cut: boolean): void;
}

/** Server side of one HTTP/2 stream (RFC 9113 section 8.1): one request and its answer. */
export class StreamConnection implements ServerStream, BodyHost {
  /** Who answers the request; null where nobody was asked. */
  owner: ServerStreamOwner | null = null;
  responseBodyBytes = 0;
  readonly #stream: ServerHttp2Stream;
  readonly #host: StreamHost;
  readonly #isHead: boolean;
  readonly #endStream: boolean;
  readonly #body: StreamBody | null;
  #expectContinue: boolean;
  /** The final head, until the first flush. */
  #head: readonly string[] | null = null;
  #chunks: Buffer[] = [];
  #bodyless = false;
  /** Has a body of unknown length, which trailers may end. */
  #openEnded = false;
  /** Node was told to ask for trailers at the body's end. */
  #waitsForTrailers = false;
  #trailers = "";
  #ended = false;
  #aborted = false;
  #closed = false;
  #left: ClientLeft = "client_closed";
  #deadlineMs = Number.POSITIVE_INFINITY;

  /** `fields`: null for a request that cannot be read. `endStream`: the client sends nothing more. */
  constructor(stream: ServerHttp2Stream, fields: RequestFields | null, endStream: boolean, host: StreamHost) {
    this.#stream = stream;
    this.#host = host;
    this.#isHead = fields?.method === "HEAD";
    this.#endStream = endStream;
    this.#expectContinue = fields?.expectContinue === true;
    const announcedBytes = fields?.bodyBytes ?? 0;
    this.#body = announcedBytes === 0 ? null : bodyOf(stream, announcedBytes, fields, this);
    stream.on("error", ignore);
    stream.on("close", () => this.onGone());
  }

  get body(): RequestBody {
    return this.#body ?? EMPTY_BODY;
  }

  /** Whether the client may have sent what nobody read. */
  get hasUnread(): boolean {
    return !this.#endStream && this.#body?.whole !== true;
  }

  get requestBodyBytes(): number {
    return this.#body?.bytes ?? 0;
  }

  // ---- the request's body (BodyHost) -----------------------------------------------------------------------------

  onBodyWanted(): void {
    if (!this.#expectContinue) return;
    this.#expectContinue = false;
    if (!this.#unwritable && !this.#stream.headersSent) this.#stream.additionalHeaders({ ":status": 100 });
  }

  get limits(): ServerLimits {
    return this.#host.limits;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  onBodyBytes(bytes: number): void {
    this.#host.onBodyBytes(bytes);
  }

  // ---- writing ---------------------------------------------------------------------------------------------------

  writeInformational(status: number, lines: string): void {
    if (this.#unwritable || this.#stream.headersSent) return;
    try {
      this.#stream.additionalHeaders(informationalFields(status, lines));
    } catch {
      // Node refuses a field: the client does without the hint.
    }
  }

  startResponse(status: number, lines: string, bodyBytes: number): void {
    this.#bodyless = this.#isHead || status === 204 || status === 205 || status === 304;
    const hasLength = bodyBytes !== CHUNKED && bodyBytes !== NO_LENGTH && status !== 205;
    this.#openEnded = bodyBytes === CHUNKED && !this.#bodyless;
    this.#head = this.#host.responseFields.of(status, lines, hasLength ? bodyBytes : -1);
  }

  writeBody(chunk: Buffer): void {
    if (chunk.length === 0 || this.#bodyless) return;
    this.responseBodyBytes += chunk.length;
    this.#chunks.push(chunk);
    this.#body?.onAnswerBytes();
  }

  flush(): boolean {
    const chunks = this.#chunks;
    if (this.#unwritable) {
      this.#chunks = [];
      return true;
    }
    if (this.#head === null && chunks.length === 0) return true;
    this.#chunks = [];
    this.#sendHead(this.#bodyless, this.#openEnded);
    let flowing = true;
    for (const chunk of chunks) flowing = this.#stream.write(chunk) && flowing;
    if (!flowing) this.#awaitDrain();
    return flowing;
  }

  /** Where no length is announced: what was announced would no longer hold. */
  get carriesTrailers(): boolean {
    return this.#openEnded;
  }

  endResponse(trailers: string): void {
    this.#ended = true;
    if (this.#unwritable) return;
    this.#trailers = this.#openEnded ? trailers : "";
    const hasTrailers = this.#trailers !== "";
    const last = this.#chunks.pop();
    if (this.#chunks.length > 0) this.flush();
    this.#sendHead(last === undefined && !hasTrailers, hasTrailers);
    if (!this.#bodyless && !this.#stream.writableEnded) this.#stream.end(last);
    if (!this.#waitsForTrailers) this.#refuseRest();
    this.#deadlineMs = this.#nextTakenMs();
  }

  #sendTrailers(): void {
    if (this.#unwritable) return;
    this.#stream.sendTrailers(trailerFields(this.#trailers));
    this.#refuseRest();
  }

  /**
   * The answer is whole: what the client still sends nobody reads (RFC 9113 section 8.1). Node sends a head and trailers
   * in an immediate of its own, and a reset that overtakes them takes them away.
   */
  #refuseRest(): void {
    if (!this.hasUnread) return;
    setImmediate(() => {
      if (this.hasUnread && !this.#unwritable) this.#stream.close(NO_ERROR);
    });
  }

  /** RFC 8441 section 5: 200 stands for 101, and there is no key to answer. */
  upgrade(lines: string): Duplex {
    const stream = this.#stream;
    const fields = responseFields(200, lines.replace(ACCEPT_LINE, ""), -1);
    stream.pause();
    stream.on("data", (chunk: Buffer) => this.#host.onBodyBytes(chunk.length + FRAME_BYTES));
    // A tunnel that its client ends is no request that was given up.
    stream.once("end", () => {
      this.#ended = true;
    });
    try {
      if (!this.#unwritable) stream.respond(fields, WITH_BODY);
    } catch {
      this.abort();
    }
    return stream;
  }

  abort(): void {
    if (this.#closed) return;
    this.#aborted = true;
    this.#cut();
  }

  /**
   * RST_STREAM with INTERNAL_ERROR. Not `close(code)`: Node ends the stream in good order before it resets it, and the
   * client would take half an answer for a whole one.
   */
  #cut(): void {
    this.#stream.destroy(new Error("cut"));
  }

  #sendHead(endStream: boolean, mayHaveTrailers: boolean): void {
    const head = this.#head;
    if (head === null) return;
    this.#head = null;
    this.#waitsForTrailers = mayHaveTrailers;
    if (mayHaveTrailers) this.#stream.on("wantTrailers", () => this.#sendTrailers());
    try {
      this.#stream.respond(head, endStream ? WITHOUT_BODY : mayHaveTrailers ? WITH_TRAILERS : WITH_BODY);
    } catch {
      // Node refuses a field of the answer; the client must not wait for the rest.
      this.abort();
    }
  }

  /** Node throws where it is told to write what can no longer be written. */
  get #unwritable(): boolean {
    return this.#closed || this.#aborted || this.#stream.destroyed || this.#stream.closed;
  }

  #awaitDrain(): void {
    const isFirst = this.#deadlineMs === Number.POSITIVE_INFINITY;
    this.#deadlineMs = this.#nextTakenMs();
    if (!isFirst) return;
    this.#stream.once("drain", () => {
      if (!this.#ended) this.#deadlineMs = Number.POSITIVE_INFINITY;
      this.owner?.onClientDrain();
    });
  }

  /** When a client that takes nothing of what is written has used up its time. */
  #nextTakenMs(): number {
    return this.nowMs() + this.limits.writeTimeoutMs;
  }

  // ---- events ----------------------------------------------------------------------------------------------------

  /** Looks at the time: a client that does not send its body, or does not take its answer. */
  check(nowMs: number): void {
    this.#body?.check(nowMs);
    if (this.#deadlineMs <= nowMs) {
      this.#deadlineMs = Number.POSITIVE_INFINITY;
      this.#left = "client_read_timeout";
      this.#cut();
    }
    if (this.#stream.destroyed || (this.#stream.closed && !this.#ended)) this.onGone();
  }

  /** The stream is over, whatever the reason. */
  onGone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.onStreamClosed(this, !this.#ended && !this.#aborted);
    this.#body?.fail("client_closed");
    this.owner?.onClientClosed(this.#left);
  }
}

function bodyOf(stream: ServerHttp2Stream, bytes: number, fields: RequestFields | null, host: BodyHost): StreamBody {
  return new StreamBody(stream, bytes, !METHODS_WITHOUT_BODY.has(fields?.method ?? ""), host);
}

const ACCEPT_LINE = /^sec-websocket-accept:[^\r]*\r\n/m;

/** The date is the service's to tell, as over HTTP/1.1. */
const WITH_BODY = { endStream: false, sendDate: false };
const WITH_TRAILERS = { endStream: false, sendDate: false, waitForTrailers: true };
const WITHOUT_BODY = { endStream: true, sendDate: false };

/** Node reports a reset as an error; `close` follows and says all that is needed. */
function ignore(): void {}
