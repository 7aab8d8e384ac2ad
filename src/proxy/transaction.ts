import type { Duplex } from "node:stream";
import { Permit } from "../decision/permit.ts";
import type { Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import { hostName } from "../http1/head.ts";
import type { CidrTable } from "../matching/cidr-table.ts";
import { type BodyFailure, type BodySink, CHUNKED, EMPTY_BODY } from "../message/body.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";
import {
  type ClientFailure,
  type ClientResponse,
  type ClientStream,
  NO_LENGTH,
  type ResponseHandler,
  type ServerRequest,
  type ServerStream,
  type ServerStreamOwner,
  UNTIL_CLOSE,
} from "../message/stream.ts";
import { acceptsTrailers } from "../message/trailers.ts";
import type { ListenerSettings, Route, Snapshot } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { AcquireFailure, Acquirer, Upstream } from "../upstream/upstream.ts";
import { grpcStatusLines, isGrpc } from "./grpc.ts";
import type { LastingStream } from "./long-lived.ts";
import { judge, type Observer, type Outcome, type Subject } from "./pipeline.ts";
import { requestTarget } from "./request-target.ts";
import { denialResponse, grpcDenialResponse, rateLimitLines } from "./respond.ts";
import { isHarmless, serviceDenial } from "./service-failure.ts";
import type { TransactionDeps } from "./transaction-deps.ts";
import { refuseWebSocket, WebSocket } from "./web-socket.ts";

/** The client's side of it. */
export interface TransactionOwner {
  readonly facts: ConnectionFacts;
  readonly listener: ListenerSettings;
  /** Null where the peer is not one of the listener's trusted proxies. */
  readonly trustedProxies: CidrTable | null;
  /** True once a reload changed whose certificates are trusted: the client's was judged by others. */
  readonly outlivedTrust: boolean;
  onFinished(transaction: Transaction): void;
}

/**
 * One request from its head to its last byte: judged, forwarded or denied, reported once. It is the meeting point of four
 * parties that each call it in their own time: the client's connection, the pool, the service's connection, the body.
 */
export class Transaction implements Subject, LastingStream, Acquirer, ResponseHandler, BodySink, ServerStreamOwner {
  snapshot: Snapshot;
  readonly exchange: Exchange;
  readonly trustedProxies: CidrTable | null;
  readonly observer: Observer | null = null;
  readonly random: () => number;
  route: Route | null = null;
  readonly #deps: TransactionDeps;
  readonly #owner: TransactionOwner;
  readonly #listener: ListenerSettings;
  readonly #client: ServerStream;
  readonly #id: string;
  readonly startedMs: number;
  #decidedMs = 0;
  #forwardedMs = -1;
  #upstreamMs = -1;
  #pool: Upstream | null = null;
  #service: ClientStream | null = null;
  #retried = false;
  #responseStarted = false;
  /** The response that has begun has no announced length, so that trailers may end it. */
  #unbounded = false;
  #finished = false;
  #status = 0;
  #malformed: Denial | null = null;
  /** Null but for WebSockets. */
  #webSocket: WebSocket | null = null;
  #uploading = false;
  #lasting = false;

  constructor(deps: TransactionDeps, owner: TransactionOwner, client: ServerStream, request: ServerRequest) {
    this.#deps = deps;
    this.#owner = owner;
    this.#listener = owner.listener;
    this.#client = client;
    this.#id = deps.nextId();
    this.startedMs = request.startedMs;
    this.snapshot = deps.snapshot;
    this.trustedProxies = owner.trustedProxies;
    this.random = deps.random;
    const { method, authority, headers, body } = request;
    const target = requestTarget(method, request.target, authority);
    const canonical = target.ok ? target.value : NO_TARGET;
    this.exchange = new Exchange(owner.facts, method, canonical, hostName(authority), authority, headers, body);
    if (request.upgrade !== null) this.exchange.upgrade = request.upgrade;
    if (!target.ok) this.#malformed = new Denial("target_ambiguous", null, target.error.seen, target.error.wanted);
  }

  /** Judges the request and goes on with the outcome; a fault in a check is a denial, never a way through. */
  run(): void {
    if (this.#malformed !== null) {
      this.deny(this.#malformed);
      return;
    }
    try {
      const outcome = judge(this);
      if (outcome instanceof Promise) {
        outcome.then((settled) => this.#settle(settled)).catch((error: unknown) => this.#onInternalError(error));
      } else this.#settle(outcome);
    } catch (error) {
      this.#onInternalError(error);
    }
  }

  #settle(outcome: Outcome): void {
    if (this.#finished) return;
    this.#decidedMs = this.#deps.clock.monotonicMs();
    if (outcome instanceof Denial) this.deny(outcome);
    else this.#forward(outcome);
  }

  #onInternalError(error: unknown): void {
    const seen = error instanceof Error ? `${error.name}: ${error.message}` : "unknown error";
    this.deny(new Denial("internal_error", null, seen, "no error"));
  }

  // ---- forward ---------------------------------------------------------------------------------------------------

  #forward(permit: Permit): void {
    if (!Permit.isGenuine(permit)) throw new TypeError("forward without a permit");
    const bytesMax = this.route?.bodyBytesMax ?? 0;
    if (this.exchange.collectedBody === null && this.exchange.body.announcedBytes > bytesMax) {
      this.onBodyFailure("body_too_large");
      return;
    }
    this.#pool = this.#deps.poolOf(this.snapshot, this.route?.upstream ?? this.#listener.upstream);
    if (this.exchange.upgrade !== null) {
      const refused = refuseWebSocket(this.#pool.settings, this.#deps.longLived.size);
      if (refused !== null) {
        this.deny(refused);
        return;
      }
      this.#webSocket = new WebSocket(this.exchange, this.#deps);
    }
    this.#forwardedMs = this.#decidedMs;
    this.#pool.acquire(this);
  }

  onConnection(connection: ClientStream): void {
    const route = this.route;
    const settings = this.#pool?.settings;
    if (this.#finished || route === null || settings === undefined) {
      connection.release();
      return;
    }
    this.#service = connection;
    const { exchange } = this;
    const { method, target } = exchange;
    const collected = exchange.collectedBody;
    const bodyBytes = collected === null ? exchange.body.announcedBytes : collected.length;
    const request = {
      method,
      target: target.path + target.query,
      authority: exchange.authority,
      lines: route.rewriteRequest(exchange.headers, exchange) + (this.#webSocket?.addedLines ?? ""),
      bodyBytes,
      upgrade: this.#webSocket !== null,
      // Where the service speaks HTTP/1.1, TE belongs to its connection, which is ours.
      acceptsTrailers: settings.protocol === "h2" && acceptsTrailers(exchange.headers),
    };
    // A call may wait for its first answer before it sends more.
    if (bodyBytes === CHUNKED && isGrpc(exchange.headers)) exchange.body.setPatience(settings.streamIdleTimeoutMs);
    connection.begin(this, request, settings);
    if (collected !== null) {
      connection.writeBody(collected);
      connection.endBody("");
    } else if (bodyBytes !== 0) exchange.body.start(this, route.bodyBytesMax);
    connection.flush();
  }

  onAcquireFailure(failure: AcquireFailure, detail: string): void {
    this.deny(new Denial(failure, null, detail, "a connection to the service"));
  }

  // The request's body, on its way to the service.

  onBody(chunk: Buffer): boolean {
    if (this.#uploading) this.#last();
    this.#uploading = true;
    this.#service?.writeBody(chunk);
    return this.#service?.flush() ?? true;
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    this.#service?.endBody(trailers === null ? "" : (this.route?.rewriteTrailers.request(trailers) ?? ""));
    this.#service?.flush();
  }

  onBodyFailure(failure: BodyFailure): void {
    this.#dropService();
    this.deny(
      new Denial(failure, this.route?.place ?? null, `request body: ${failure}`, "a whole body within its limits"),
    );
  }

  onUpstreamDrain(): void {
    this.exchange.body.resume();
  }

  // ---- respond ---------------------------------------------------------------------------------------------------

  onInformational(status: number, headers: HeaderBlock): void {
    const rewrite = this.route?.rewriteResponse;
    if (rewrite === undefined || status === 101) return;
    this.#client.writeInformational(status, rewrite(headers, false));
  }

  onResponse(response: ClientResponse): void {
    if (this.route === null) return;
    const lines = this.#beginAnswer(response.status, response.headers);
    const bodyBytes = this.#responseBodyBytes(response);
    this.#unbounded = bodyBytes === CHUNKED;
    const { body } = this.exchange;
    if (body !== EMPTY_BODY) body.setPatience(this.#pool?.settings.streamIdleTimeoutMs ?? 0);
    this.#client.startResponse(response.status, lines, bodyBytes);
  }

  #beginAnswer(status: number, headers: HeaderBlock): string {
    this.#upstreamMs = this.#deps.clock.monotonicMs() - this.#forwardedMs;
    this.#responseStarted = true;
    this.#status = status;
    const lines = this.route?.rewriteResponse(headers, this.#owner.facts.secure) ?? "";
    return this.exchange.rateLimit === null ? lines : lines + rateLimitLines(this.exchange.rateLimit);
  }

  #responseBodyBytes(response: ClientResponse): number {
    if (response.bodyBytes === UNTIL_CLOSE) return CHUNKED;
    if (response.bodyBytes !== 0) return response.bodyBytes;
    // HEAD and 304 tell the length of what they do not send; 204 has none.
    return response.status === 204 ? NO_LENGTH : response.announcedBytes;
  }

  onResponseBody(chunk: Buffer): void {
    this.#client.writeBody(chunk);
  }

  onReadEnd(): boolean {
    // What fits into one read is over by now; the rest may go on for ever.
    if (this.#responseStarted) this.#last();
    return this.#client.flush();
  }

  onResponseEnd(trailers: HeaderBlock | null): void {
    this.#service = null;
    this.#finish(null, null);
    this.#client.endResponse(trailers === null ? "" : (this.route?.rewriteTrailers.response(trailers) ?? ""));
  }

  onFailure(failure: ClientFailure, detail: string): void {
    const wasUsed = this.#service?.used === true;
    this.#service = null;
    if (isHarmless(failure, wasUsed, this.exchange.method) && this.#mayRetry()) {
      this.#retried = true;
      this.#pool?.acquire(this, true);
      return;
    }
    this.deny(serviceDenial(failure, detail));
  }

  // ---- streams that last -----------------------------------------------------------------------------------------

  get outlivedTrust(): boolean {
    return this.#owner.outlivedTrust;
  }

  #last(): void {
    if (this.#lasting || this.#finished) return;
    this.#lasting = true;
    this.#deps.longLived.add(this);
  }

  onUpgrade(headers: HeaderBlock, service: Duplex): void {
    this.#service = null;
    const webSocket = this.#webSocket;
    const rules = this.route?.webSocket ?? null;
    const denial = webSocket?.judge(headers) ?? null;
    if (webSocket === null || rules === null || denial !== null) {
      service.destroy();
      this.deny(denial ?? new Denial("internal_error", null, "101 without a handshake", "a handshake"));
      return;
    }
    const client = this.#client.upgrade(this.#beginAnswer(101, headers));
    const idleTimeoutMs = this.#pool?.settings.streamIdleTimeoutMs ?? DEFAULTS.streamIdleTimeoutMs;
    webSocket.open(client, service, rules, idleTimeoutMs, (end) => this.#finish(end?.reason ?? null, end));
    this.#last();
  }

  endStream(denial: Denial): void {
    if (this.#webSocket?.isOpen) this.#webSocket.close(denial);
    else this.deny(denial);
  }

  adopt(snapshot: Snapshot, route: Route | null): void {
    // Until its head is out, an answer is written by the policy that let its request in.
    if (!this.#responseStarted) return;
    this.snapshot = snapshot;
    this.route = route;
  }

  goAway(atOnce: boolean): void {
    if (atOnce) this.#webSocket?.destroy();
    else if (this.#webSocket?.isOpen) this.#webSocket.close(null);
  }

  /** Once, and only what is still at hand. */
  #mayRetry(): boolean {
    const { exchange } = this;
    const bodyAtHand = exchange.collectedBody !== null || exchange.body === EMPTY_BODY;
    return !this.#retried && bodyAtHand;
  }

  /** Refuses the request; where the answer has begun, cuts it, so that nobody takes it for whole. */
  deny(denial: Denial): void {
    if (this.#finished) return;
    if (this.#decidedMs === 0) this.#decidedMs = this.#deps.clock.monotonicMs();
    this.#dropService();
    if (this.#responseStarted || denial.reason === "client_closed") {
      if (!this.#responseStarted) this.#status = CLIENT_CLOSED_STATUS;
      this.#finish(denial.reason, denial);
      this.#cut(denial.reason);
      return;
    }
    const rewrite = this.route?.rewriteResponse ?? this.snapshot.rewriteResponse;
    const { facts } = this.#owner;
    const { rateLimit } = this.exchange;
    const toDenial = isGrpc(this.exchange.headers) ? grpcDenialResponse : denialResponse;
    const response = toDenial(denial, this.#id, rewrite, facts.secure, rateLimit, this.#deps.clock.wallMs());
    this.#status = response.status;
    this.#responseStarted = true;
    this.#client.startResponse(response.status, response.lines, response.body.length);
    if (this.exchange.method !== "HEAD") this.#client.writeBody(response.body);
    this.#finish(denial.reason, denial);
    this.#client.endResponse("");
  }

  /** A gRPC call can be told in trailers what became of it; anything else must not look whole. */
  #cut(reason: Reason): void {
    const canTell = reason !== "client_closed" && this.#unbounded && this.#client.carriesTrailers;
    if (canTell && isGrpc(this.exchange.headers)) this.#client.endResponse(grpcStatusLines(reason, this.#id));
    else this.#client.abort();
  }

  onClientDrain(): void {
    this.#service?.resume();
  }

  onClientClosed(): void {
    // A tunnel sees to both its ends itself.
    if (this.#finished || this.#webSocket?.isOpen) return;
    this.#dropService();
    if (!this.#responseStarted) this.#status = CLIENT_CLOSED_STATUS;
    const seen = this.#responseStarted ? "closed during the answer" : "closed before the answer";
    this.#finish("client_closed", new Denial("client_closed", null, seen, "a client that waits"));
  }

  #dropService(): void {
    this.#service?.abort();
    this.#service = null;
    this.#pool?.cancel(this);
  }

  #finish(reason: Reason | null, denial: Denial | null): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#lasting) this.#deps.longLived.remove(this);
    this.#owner.onFinished(this);
    this.#deps.telemetry.requestFinished({
      id: this.#id,
      listener: this.#listener.name,
      route: this.route?.template ?? "unmatched",
      protocol: this.#owner.facts.protocol,
      policyHash: this.snapshot.hash,
      exchange: this.exchange,
      clientAddress: this.exchange.clientAddress.text,
      status: this.#status,
      reason,
      denial,
      decisionMs: this.#decidedMs - this.startedMs,
      upstreamMs: this.#upstreamMs,
      durationMs: this.#deps.clock.monotonicMs() - this.startedMs,
      requestBodyBytes: this.#webSocket?.clientBytes ?? this.#client.requestBodyBytes,
      responseBodyBytes: this.#webSocket?.serviceBytes ?? this.#client.responseBodyBytes,
    });
  }
}

/** Nothing was sent: the client was gone. nginx made the number known; it never goes over the wire. */
const CLIENT_CLOSED_STATUS = 499;
const NO_TARGET = { path: "", query: "" };
