import type { Duplex } from "node:stream";
import type { RequestBody } from "./body.ts";
import type { HeaderBlock } from "./headers.ts";

/**
 * The two sides of an exchange, without their protocols: what HTTP/1.1 connections and HTTP/2 streams both offer the
 * proxy. Header lines travel as text, `name: value` with CR LF each and names in lower case: HTTP/1.1 writes them as
 * they are, HTTP/2 takes them apart.
 */

/** `Upgrade` of HTTP/1.1 (RFC 9110 section 7.8), or CONNECT with `:protocol` of HTTP/2 (RFC 8441), here as its GET. */
export type Upgrade = "upgrade" | "extended-connect";

/** Neither Content-Length nor Transfer-Encoding: no body in a request, until the end of the connection in a response. */
export const NO_LENGTH = -2;

/** Body of a response that ends with its connection (RFC 9112 section 6.3, rule 8). */
export const UNTIL_CLOSE = -3;

/** One request as a codec read it: one valid reading, nothing judged yet. */
export interface ServerRequest {
  readonly method: string;
  /** As received. */
  readonly target: string;
  /** Host or `:authority` as received. */
  readonly authority: string;
  readonly headers: HeaderBlock;
  readonly body: RequestBody;
  /** How it asks for another protocol; null for the many that do not. */
  readonly upgrade: Upgrade | null;
  /** Monotonic milliseconds at the head's first byte. */
  readonly startedMs: number;
}

export type ClientLeft = "client_closed" | "client_read_timeout";

/** Who answers one request, told by its stream what the client does. */
export interface ServerStreamOwner {
  /** The client takes more bytes again. */
  onClientDrain(): void;
  /** The client is gone or wants no answer any more, or was cut off because it does not take it. */
  onClientClosed(reason: ClientLeft): void;
}

/** The client's side: where the answer to one request goes. */
export interface ServerStream {
  /** 102, 103: as they come. */
  writeInformational(status: number, lines: string): void;
  /**
   * The final response's head; the stream adds the framing. `bodyBytes` is the length where known, CHUNKED where not,
   * NO_LENGTH for none (204). Nothing is written before `flush` or `endResponse`.
   */
  startResponse(status: number, lines: string, bodyBytes: number): void;
  writeBody(chunk: Buffer): void;
  /** False asks to pause until the owner's `onClientDrain`. */
  flush(): boolean;
  /** `trailers` as lines like those of a head; a stream that cannot carry them to its client leaves them out. */
  endResponse(trailers: string): void;
  /** Whether trailers of the response that has begun reach the client. */
  readonly carriesTrailers: boolean;
  /**
   * Answers that the protocol is switched to WebSocket, and hands the bytes over: what the client sent early comes
   * first. The stream is paused; nothing of this interface but `abort` may be called any more.
   */
  upgrade(lines: string): Duplex;
  /** Cuts the answer, so that the client sees that it is not whole. */
  abort(): void;
  /** Body bytes of this request, read so far, and of its response, written so far. */
  readonly requestBodyBytes: number;
  readonly responseBodyBytes: number;
}

/** A request on its way to the service. */
export interface ClientRequest {
  readonly method: string;
  /** Path and query, canonical. */
  readonly target: string;
  readonly authority: string;
  /** Header lines without Host and framing. */
  readonly lines: string;
  /** Length of the body, 0 for none, CHUNKED where unknown. */
  readonly bodyBytes: number;
  /** Asks for WebSocket with an Upgrade header; the handler is then ready for `onUpgrade`. */
  readonly upgrade: boolean;
  /** Whether the client takes trailers of the answer (`TE: trailers`). */
  readonly acceptsTrailers: boolean;
}

/** Why an exchange with the service came to nothing. */
export type ClientFailure =
  | "closed" // no byte of an answer
  | "reset" // no byte of an answer, and the service said so
  | "refused" // the service vouches that it has not begun to work on the request
  | "tls" // the service ended the handshake after our side of it was done, as for want of a client certificate
  | "cut" // an answer began and did not end
  | "invalid" // no valid answer, or more than one reading of it
  | "timeout" // no answer in time
  | "stalled" // the service does not take the request
  | "idle" // an answer began and stands still
  | "unfed" // the client sends its request too slowly, and others wait for the connection
  | "unread"; // the client takes its answer too slowly, and others wait for the connection

/** How long the service may take, in milliseconds. */
export interface ResponseTimes {
  /** To take what was written to it. */
  readonly writeTimeoutMs: number;
  /** From the request's end to the head of the answer. */
  readonly responseTimeoutMs: number;
  /** Without a byte in either direction, once the head of the answer is there. */
  readonly streamIdleTimeoutMs: number;
}

/** How large the head of an answer may be. */
export interface ResponseLimits {
  /** Status line and headers. */
  readonly headBytesMax: number;
  readonly headersCountMax: number;
}

/** Final response head of the service. */
export interface ClientResponse {
  readonly status: number;
  readonly headers: HeaderBlock;
  /** Length of the body that follows: bytes, CHUNKED, UNTIL_CLOSE, or 0 for none. */
  readonly bodyBytes: number;
  /** Content-Length of a message that carries no body (HEAD, 304), or NO_LENGTH. */
  readonly announcedBytes: number;
}

/** Who sent the request that a stream to the service carries. */
export interface ResponseHandler {
  onInformational(status: number, headers: HeaderBlock): void;
  onResponse(response: ClientResponse): void;
  onResponseBody(chunk: Buffer): void;
  /** Trailers as the service sent them, or null for none. */
  onResponseEnd(trailers: HeaderBlock | null): void;
  /** At the end of each read: what was handed over may be written now; false pauses the service until `resume`. */
  onReadEnd(): boolean;
  /** The service's 101, unchecked, and its bytes, paused; the handler owns them from here on. */
  onUpgrade(headers: HeaderBlock, service: Duplex): void;
  onFailure(failure: ClientFailure, detail: string): void;
  /** The service takes more of the request's body again. */
  onUpstreamDrain(): void;
}

/** The service's side: one request and its answer. */
export interface ClientStream {
  /** True once its connection has carried a request: an answer that never comes may then be a keep-alive race. */
  readonly used: boolean;
  /** Starts a request; nothing is written before `flush`. */
  begin(handler: ResponseHandler, request: ClientRequest, times: ResponseTimes): void;
  writeBody(chunk: Buffer): void;
  /** `trailers` as lines like those of a head; HTTP/1.1 does not send them (message/trailers.ts). */
  endBody(trailers: string): void;
  /** False asks to pause until the handler's `onUpstreamDrain`. */
  flush(): boolean;
  resume(): void;
  /** Gives the exchange up: nothing more is told to the handler. */
  abort(): void;
  /** Gives it back before `begin`, unused. */
  release(): void;
}
