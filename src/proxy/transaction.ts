import type { Duplex } from "node:stream";
import { Permit } from "../decision/permit.ts";
import { REASONS, type Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { CidrTable } from "../matching/cidr-table.ts";
import { type BodyFailure, CHUNKED, EMPTY_BODY } from "../message/body.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { Exchange } from "../message/exchange.ts";
import type { ForwardedCertificates } from "../message/forwarded-certificate.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type {
  ClientFailure,
  ClientLeft,
  ClientResponse,
  ClientStream,
  ResponseHandler,
  ServerRequest,
  ServerStream,
  ServerStreamOwner,
} from "../message/stream.ts";
import type { ListenerSettings, OwnPage, Route, Snapshot } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { AcquireFailure, Acquirer, Upstream } from "../upstream/upstream.ts";
import { bodyDenial, clientDenial } from "./client-failure.ts";
import { DurationLimit } from "./duration-limit.ts";
import { grpcStatusLines, isGrpcCall } from "./grpc.ts";
import type { LastingStream } from "./long-lived.ts";
import { faultDenial, judgeNoted } from "./noted-judgement.ts";
import { OwnAnswer } from "./own-page.ts";
import type { Observer, Outcome, Subject } from "./pipeline.ts";
import { receive } from "./receive.ts";
import { type FeedOwner, RequestFeed } from "./request-feed.ts";
import { type OwnResponse, ownResponse, rateLimitLines, refusal } from "./respond.ts";
import { connectDenial, mayFailHarmlessly, mayRepeat, serviceDenial } from "./service-failure.ts";
import { isOpenCall, isReadAhead, lengthForClient, serviceRequest } from "./service-request.ts";
import type { TransactionDeps } from "./transaction-deps.ts";
import { beginWebSocket, type WebSocket } from "./web-socket.ts";

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
export class Transaction implements Subject, LastingStream, Acquirer, ResponseHandler, FeedOwner, ServerStreamOwner {
  snapshot: Snapshot;
  readonly exchange: Exchange;
  readonly trustedProxies: CidrTable | null;
  readonly trustsForwardedHost: boolean;
  readonly forwardedCertificates: ForwardedCertificates | null;
  readonly observer: Observer | null = null;
  readonly random: () => number;
  fault: Denial | null;
  route: Route | null = null;
  ownPage: OwnPage | null = null;
  methodBody: Subject["methodBody"] = null;
  readonly #deps: TransactionDeps;
  readonly #owner: TransactionOwner;
  readonly #listener: ListenerSettings;
  readonly #client: ServerStream;
  readonly #duration: DurationLimit;
  readonly #id: string;
  readonly startedMs: number;
  #decidedMs = 0;
  #forwardedMs = -1;
  #upstreamMs = -1;
  #pool: Upstream | null = null;
  #service: ClientStream | null = null;
  /** Null where there is no body, or it is here whole. */
  #feed: RequestFeed | null = null;
  /** How often it was sent again. */
  #repeats = 0;
  #responseStarted = false;
  /** The response that has begun has no announced length, so that trailers may end it. */
  #unbounded = false;
  #finished = false;
  #status = 0;
  /** Of a gRPC call that postern itself ended; null for what went otherwise. */
  #grpcStatus: number | null = null;
  /** Null but for WebSockets. */
  #webSocket: WebSocket | null = null;
  #uploading = false;
  #lasting = false;

  constructor(deps: TransactionDeps, owner: TransactionOwner, client: ServerStream, request: ServerRequest) {
    this.#deps = deps;
    this.#owner = owner;
    this.#listener = owner.listener;
    this.#client = client;
    this.#duration = new DurationLimit(deps, (denial) => this.endStream(denial));
    this.#id = deps.nextId();
    this.startedMs = request.startedMs;
    this.snapshot = deps.snapshot;
    this.trustedProxies = owner.trustedProxies;
    this.trustsForwardedHost = owner.listener.trustsForwardedHost;
    this.forwardedCertificates = owner.listener.forwardedCertificates;
    this.random = deps.random;
    const { exchange, fault } = receive(request, owner.facts, this.snapshot.keepsInPaths);
    this.exchange = exchange;
    this.fault = fault;
  }

  /** Judges the request and goes on with the outcome; a fault in a check is a denial, never a way through. */
  run(): void {
    try {
      const outcome = judgeNoted(this, this.#deps);
      if (outcome instanceof Promise) {
        outcome.then((settled) => this.#settle(settled)).catch((error: unknown) => this.deny(faultDenial(error)));
      } else this.#settle(outcome);
    } catch (error) {
      this.deny(faultDenial(error));
    }
  }

  #settle(outcome: Outcome): void {
    if (this.#finished) return;
    this.#decidedMs = this.#deps.clock.monotonicMs();
    if (outcome instanceof Denial) this.deny(outcome);
    else if (outcome instanceof OwnAnswer) this.#answer(outcome);
    else this.#forward(outcome);
  }

  // ---- forward ---------------------------------------------------------------------------------------------------

  #forward(permit: Permit): void {
    if (!Permit.isGenuine(permit)) throw new TypeError("forward without a permit");
    this.#pool = this.#deps.poolOf(this.snapshot, this.route?.upstream ?? this.#listener.upstream);
    if (this.exchange.upgrade !== null) {
      const hidesTokens = this.route?.hidesProtocolTokens ?? false;
      const begun = beginWebSocket(this.exchange, this.#pool.settings, hidesTokens, this.#deps);
      if (begun instanceof Denial) {
        this.deny(begun);
        return;
      }
      this.#webSocket = begun;
    }
    this.#forwardedMs = this.#decidedMs;
    const { body, collectedBody } = this.exchange;
    if (collectedBody === null && body !== EMPTY_BODY) this.#feed = new RequestFeed(this, this.#deps.memory);
    if (this.#feed !== null && isReadAhead(this.exchange)) this.#feed.readAhead();
    else this.#pool.acquire(this);
  }

  onBodyEarned(): void {
    this.#forwardedMs = this.#deps.clock.monotonicMs();
    this.#pool?.acquire(this);
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
    const { method, collectedBody } = exchange;
    const request = serviceRequest(exchange, route, settings, this.#webSocket?.addedLines ?? null);
    this.#duration.start(settings.streamDurationMaxMs);
    if (isOpenCall(exchange, settings)) {
      exchange.body.setPatience(settings.streamIdleTimeoutMs, false);
      this.#last(true); // its service may not say a word for minutes
    }
    connection.begin(this, request, settings);
    if (collectedBody !== null) {
      connection.writeBody(collectedBody);
      connection.endBody("");
    } else if (request.bodyBytes !== 0) {
      this.#feed?.feed(connection, mayFailHarmlessly(settings.protocol, connection.used, method));
    }
    if (connection.flush() && this.#service === connection) this.#feed?.resume();
  }

  get client(): string {
    return this.exchange.clientAddress.text;
  }

  onAcquireFailure(failure: AcquireFailure, detail: string): void {
    this.deny(connectDenial(failure, detail, this.#pool?.settings));
  }

  // The request's body, on its way to the service.

  onBodyRead(): void {
    if (this.#uploading) this.#last(true);
    this.#uploading = true;
  }

  onBodyWhole(): void {
    // A whole request waits no longer than responseTimeout; a call may be one that listens, where that is long.
    if (!this.#responseStarted && !isGrpcCall(this.exchange)) this.#last(false);
  }

  onBodyFailure(failure: BodyFailure): void {
    this.#dropService();
    this.deny(bodyDenial(failure, this.route?.place ?? null));
  }

  onUpstreamDrain(): void {
    this.#feed?.resume();
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
    const bodyBytes = lengthForClient(response);
    this.#unbounded = bodyBytes === CHUNKED;
    this.#feed?.forget();
    const { body } = this.exchange;
    if (body !== EMPTY_BODY) body.setPatience(this.#pool?.settings.streamIdleTimeoutMs ?? 0, true);
    this.#client.startResponse(response.status, lines, bodyBytes);
  }

  #beginAnswer(status: number, headers: HeaderBlock): string {
    this.#upstreamMs = this.#deps.clock.monotonicMs() - this.#forwardedMs;
    this.#responseStarted = true;
    this.#status = status;
    const lines = this.route?.rewriteResponse(headers, this.#owner.facts.secure) ?? "";
    return this.exchange.rateLimit === null ? lines : lines + rateLimitLines(this.exchange.rateLimit);
  }

  onResponseBody(chunk: Buffer): void {
    this.#client.writeBody(chunk);
  }

  onReadEnd(): boolean {
    // What fits into one read is over by now; the rest may go on for ever.
    if (this.#responseStarted) this.#last(true);
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
    if (this.#feed?.isAtHand !== false && mayRepeat(failure, wasUsed, this.exchange.method, this.#repeats)) {
      this.#repeats++;
      this.#feed?.withdraw();
      this.#pool?.acquire(this, true);
      return;
    }
    this.deny(serviceDenial(failure, detail, this.#pool?.settings));
  }

  // ---- streams that last -----------------------------------------------------------------------------------------

  get outlivedTrust(): boolean {
    return this.#owner.outlivedTrust;
  }

  #last(lasting: boolean): void {
    if (this.#lasting === lasting || this.#finished) return;
    this.#lasting = lasting;
    if (lasting) this.#deps.longLived.add(this);
    else this.#deps.longLived.remove(this);
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
    const client = this.#client.upgrade(this.#beginAnswer(101, headers) + webSocket.answerLines);
    const idleTimeoutMs = this.#pool?.settings.streamIdleTimeoutMs ?? DEFAULTS.streamIdleTimeoutMs;
    webSocket.open(client, service, rules, idleTimeoutMs, (end) => this.#finish(end?.reason ?? null, end));
    this.#last(true);
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

  /** Refuses the request; where the answer has begun, cuts it, so that nobody takes it for whole. */
  deny(denial: Denial): void {
    if (this.#finished) return;
    if (this.#decidedMs === 0) this.#decidedMs = this.#deps.clock.monotonicMs();
    this.#dropService();
    if (this.#responseStarted || denial.reason === "client_closed") {
      if (!this.#responseStarted) this.#status = REASONS.client_closed.status;
      this.#cut(denial);
      return;
    }
    const rewrite = this.route?.rewriteResponse ?? this.snapshot.rewriteResponse;
    const response = refusal(denial, this.#id, this.exchange, rewrite, this.#deps.clock.wallMs());
    this.#status = REASONS[denial.reason].status;
    this.#grpcStatus = response.grpcStatus;
    this.#write(response, denial);
  }

  #answer(answer: OwnAnswer): void {
    this.#status = 200;
    this.#write(ownResponse(answer, this.exchange, this.snapshot.rewriteResponse, this.#deps.clock.wallMs()), null);
  }

  /** An answer of postern's own, whole. */
  #write({ status, lines, body }: OwnResponse, denial: Denial | null): void {
    this.#responseStarted = true;
    this.#client.startResponse(status, lines, body.length);
    if (this.exchange.method !== "HEAD") this.#client.writeBody(body);
    this.#finish(denial?.reason ?? null, denial);
    this.#client.endResponse("");
  }

  /** A gRPC call can be told in trailers what became of it; anything else must not look whole. */
  #cut(denial: Denial): void {
    const { reason } = denial;
    const canTell = this.#unbounded && this.#client.carriesTrailers && isGrpcCall(this.exchange);
    const tells = canTell && reason !== "client_closed";
    if (tells) this.#grpcStatus = REASONS[reason].grpcStatus;
    this.#finish(reason, denial);
    if (tells) this.#client.endResponse(grpcStatusLines(reason, this.#id));
    else this.#client.abort();
  }

  onClientDrain(): void {
    this.#service?.resume();
  }

  onClientClosed(reason: ClientLeft): void {
    // A tunnel sees to both its ends itself.
    if (this.#finished || this.#webSocket?.isOpen) return;
    this.#dropService();
    if (!this.#responseStarted) this.#status = REASONS.client_closed.status;
    this.#finish(reason, clientDenial(reason, this.#responseStarted));
  }

  #dropService(): void {
    this.#service?.abort();
    this.#service = null;
    this.#pool?.cancel(this);
  }

  #finish(reason: Reason | null, denial: Denial | null): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#duration.stop();
    this.#feed?.stop();
    this.exchange.end();
    if (this.#lasting) this.#deps.longLived.remove(this);
    this.#owner.onFinished(this);
    const nowMs = this.#deps.clock.monotonicMs();
    const end = {
      id: this.#id,
      listener: this.#listener.name,
      route: this.route?.template ?? this.ownPage?.label ?? "unmatched",
      protocol: this.#owner.facts.protocol,
      policyHash: this.snapshot.hash,
      exchange: this.exchange,
      clientAddress: this.exchange.clientAddress.text,
      status: this.#status,
      grpcStatus: this.#grpcStatus,
      reason,
      denial,
      decisionMs: (this.#decidedMs === 0 ? nowMs : this.#decidedMs) - this.startedMs,
      upstreamMs: this.#upstreamMs,
      durationMs: nowMs - this.startedMs,
      requestBodyBytes: this.#webSocket?.clientBytes ?? this.#client.requestBodyBytes,
      responseBodyBytes: this.#webSocket?.serviceBytes ?? this.#client.responseBodyBytes,
      denied: denial !== null && this.#forwardedMs < 0,
    };
    this.exchange.settle(end);
    this.#deps.telemetry.requestFinished(end);
  }
}
