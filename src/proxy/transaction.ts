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
  type ClientLeft,
  type ClientResponse,
  type ClientStream,
  NO_LENGTH,
  type ResponseHandler,
  type ServerRequest,
  type ServerStream,
  type ServerStreamOwner,
  UNTIL_CLOSE,
} from "../message/stream.ts";
import { canonicalTarget } from "../message/target.ts";
import { acceptsTrailers } from "../message/trailers.ts";
import type { ListenerSettings, Route, Snapshot } from "../policy/snapshot.ts";
import type { Timed } from "../support/deadlines.ts";
import type { AcquireFailure, Acquirer, Upstream } from "../upstream/upstream.ts";
import { EarlyBody } from "./early-body.ts";
import { grpcStatusLines, isGrpc } from "./grpc.ts";
import { judge, type Observer, type Outcome, type Subject } from "./pipeline.ts";
import { denialResponse, grpcDenialResponse, rateLimitLines } from "./respond.ts";
import { isHarmless, serviceDenial } from "./service-failure.ts";
import type { TransactionDeps } from "./transaction-deps.ts";

/** The client's side of it. */
export interface TransactionOwner {
  readonly facts: ConnectionFacts;
  readonly listener: ListenerSettings;
  /** Null where the peer is not one of the listener's trusted proxies. */
  readonly trustedProxies: CidrTable | null;
  onFinished(transaction: Transaction): void;
}

/**
 * One request from its head to its last byte: judged, forwarded or denied, reported once. It is the meeting point of four
 * parties that each call it in their own time: the client's connection, the pool, the service's connection, the body.
 */
export class Transaction implements Subject, Acquirer, ResponseHandler, BodySink, ServerStreamOwner, Timed {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  readonly trustedProxies: CidrTable | null;
  readonly observer: Observer | null = null;
  readonly random: () => number;
  route: Route | null = null;
  /** End of the time that the policy gives a whole exchange with the service. */
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #deps: TransactionDeps;
  readonly #owner: TransactionOwner;
  readonly #listener: ListenerSettings;
  readonly #client: ServerStream;
  readonly #id: string;
  readonly #startedMs: number;
  #decidedMs = 0;
  #forwardedMs = -1;
  #upstreamMs = -1;
  #pool: Upstream | null = null;
  #service: ClientStream | null = null;
  #early: EarlyBody | null = null;
  #timed = false;
  #retried = false;
  #responseStarted = false;
  /** The response that has begun has no announced length, so that trailers may end it. */
  #unbounded = false;
  #finished = false;
  #status = 0;
  #malformed: Denial | null = null;

  constructor(deps: TransactionDeps, owner: TransactionOwner, client: ServerStream, request: ServerRequest) {
    this.#deps = deps;
    this.#owner = owner;
    this.#listener = owner.listener;
    this.#client = client;
    this.#id = deps.nextId();
    this.#startedMs = request.startedMs;
    this.snapshot = deps.snapshot;
    this.trustedProxies = owner.trustedProxies;
    this.random = deps.random;
    const { method, authority, headers, body } = request;
    const target = canonicalTarget(request.target);
    const canonical = target.ok ? target.value : NO_TARGET;
    this.exchange = new Exchange(owner.facts, method, canonical, hostName(authority), authority, headers, body);
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
    this.#pool = this.#deps.poolOf(this.snapshot, this.route?.upstream ?? this.#listener.upstream);
    this.#forwardedMs = this.#decidedMs;
    const { body } = this.exchange;
    // A client that announced a length sends without waiting for an answer; of others nobody knows.
    if (this.exchange.collectedBody === null && body.announcedBytes > 0) {
      this.#early = new EarlyBody();
      body.start(this, this.route?.bodyBytesMax ?? 0);
    } else this.#pool.acquire(this);
  }

  /** Enough of the body came. */
  #acquireFor(early: EarlyBody): void {
    if (early.acquiring) return;
    early.acquiring = true;
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
    const { method, target } = exchange;
    const collected = exchange.collectedBody;
    const bodyBytes = collected === null ? exchange.body.announcedBytes : collected.length;
    const request = {
      method,
      target: target.path + target.query,
      authority: exchange.authority,
      lines: route.rewriteRequest(exchange.headers, exchange),
      bodyBytes,
      // Where the service speaks HTTP/1.1, TE belongs to its connection, which is ours.
      acceptsTrailers: settings.protocol === "h2" && acceptsTrailers(exchange.headers),
    };
    this.#limitDuration(settings.streamDurationMaxMs);
    // A call may wait for its first answer before it sends more; gRPC needs HTTP/2 on the service's side, too.
    const isCall = bodyBytes === CHUNKED && settings.protocol === "h2" && isGrpc(exchange.headers);
    if (isCall) exchange.body.setPatience(settings.streamIdleTimeoutMs, false);
    connection.begin(this, request, settings);
    if (collected !== null) {
      connection.writeBody(collected);
      connection.endBody("");
    } else if (this.#early !== null) this.#early.writeTo(connection);
    else if (bodyBytes !== 0) exchange.body.start(this, route.bodyBytesMax);
    if (connection.flush() && this.#early !== null) exchange.body.resume();
  }

  #limitDuration(durationMaxMs: number): void {
    if (durationMaxMs === Number.POSITIVE_INFINITY || this.#timed) return;
    this.deadlineMs = this.#deps.clock.monotonicMs() + durationMaxMs;
    this.#timed = true;
    this.#deps.deadlines.add(this);
  }

  onDeadline(): void {
    this.deny(new Denial("stream_duration_exceeded", null, "an exchange that goes on", "its end"));
  }

  get client(): string {
    return this.exchange.clientAddress.text;
  }

  onAcquireFailure(failure: AcquireFailure, detail: string): void {
    this.deny(new Denial(failure, null, detail, "a connection to the service"));
  }

  // The request's body, on its way to the service.

  onBody(chunk: Buffer): boolean {
    const service = this.#service;
    const early = this.#early;
    if (service === null && early !== null) {
      if (!early.add(chunk)) return true;
      this.#acquireFor(early);
      return this.#service !== null; // else the rest waits until there is a connection
    }
    service?.writeBody(chunk);
    return service?.flush() ?? true;
  }

  onBodyEnd(trailers: HeaderBlock | null): void {
    const lines = trailers === null ? "" : (this.route?.rewriteTrailers.request(trailers) ?? "");
    const service = this.#service;
    const early = this.#early;
    if (service === null && early !== null) {
      early.end(lines);
      this.#acquireFor(early);
      return;
    }
    service?.endBody(lines);
    service?.flush();
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
    const route = this.route;
    if (route === null) return;
    this.#upstreamMs = this.#deps.clock.monotonicMs() - this.#forwardedMs;
    this.#responseStarted = true;
    this.#status = response.status;
    let lines = route.rewriteResponse(response.headers, this.#owner.facts.secure);
    if (this.exchange.rateLimit !== null) lines += rateLimitLines(this.exchange.rateLimit);
    const bodyBytes = this.#responseBodyBytes(response);
    this.#unbounded = bodyBytes === CHUNKED;
    const { body } = this.exchange;
    if (body !== EMPTY_BODY) body.setPatience(this.#pool?.settings.streamIdleTimeoutMs ?? 0, true);
    this.#client.startResponse(response.status, lines, bodyBytes);
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

  onClientClosed(reason: ClientLeft): void {
    if (this.#finished) return;
    this.#dropService();
    if (!this.#responseStarted) this.#status = CLIENT_CLOSED_STATUS;
    const closed = this.#responseStarted ? "closed during the answer" : "closed before the answer";
    const seen = reason === "client_closed" ? closed : "an answer that the client does not read";
    this.#finish(reason, new Denial(reason, null, seen, "a client that takes its answer"));
  }

  #dropService(): void {
    this.#service?.abort();
    this.#service = null;
    this.#pool?.cancel(this);
  }

  #finish(reason: Reason | null, denial: Denial | null): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#timed) this.#deps.deadlines.remove(this);
    this.#owner.onFinished(this);
    const nowMs = this.#deps.clock.monotonicMs();
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
      decisionMs: (this.#decidedMs === 0 ? nowMs : this.#decidedMs) - this.#startedMs,
      upstreamMs: this.#upstreamMs,
      durationMs: nowMs - this.#startedMs,
      requestBodyBytes: this.#client.requestBodyBytes,
      responseBodyBytes: this.#client.responseBodyBytes,
    });
  }
}

/** Nothing was sent: the client was gone. nginx made the number known; it never goes over the wire. */
const CLIENT_CLOSED_STATUS = 499;
const NO_TARGET = { path: "", query: "" };
