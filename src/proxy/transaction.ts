import type { Permit } from "../decision/permit.ts";
import { REASONS, type Reason } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { Shares } from "../filters/ladder.ts";
import type { CidrTable } from "../matching/cidr-table.ts";
import type { ConnectionFacts } from "../message/connection.ts";
import type { Exchange } from "../message/exchange.ts";
import type { ForwardedCertificates } from "../message/forwarded-certificate.ts";
import type { ClientLeft, ServerRequest, ServerStream, ServerStreamOwner } from "../message/stream.ts";
import type { ListenerSettings, OwnPage, Route, Snapshot } from "../policy/snapshot.ts";
import { placeText } from "../records/step.ts";
import type { Trace } from "../records/tracer.ts";
import type { RequestSpan } from "../tracing/request-span.ts";
import type { CalledService } from "../tracing/traced-request.ts";
import { AnswerHalf } from "./answer-half.ts";
import type { AsItCame } from "./beside.ts";
import { clientDenial } from "./client-failure.ts";
import { DurationLimit } from "./duration-limit.ts";
import type { Life } from "./life.ts";
import type { LastingStream } from "./long-lived.ts";
import { countSuspicion, faultDenial, judgeNoted } from "./noted-judgement.ts";
import { OwnAnswer } from "./own-page.ts";
import type { Observer, Outcome, Subject } from "./pipeline.ts";
import { receive } from "./receive.ts";
import { RequestHalf } from "./request-half.ts";
import type { TransactionDeps } from "./transaction-deps.ts";
import type { WebSocket } from "./web-socket.ts";

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
 * One request from its head to its last byte: judged, forwarded or denied, reported once. Its two halves do the ways, of
 * the request to the service and of the answer to the client; this is the life that owns both, and what is told when the
 * client leaves, the policy changes or the time is over.
 */
export class Transaction implements Subject, Life, LastingStream, ServerStreamOwner {
  snapshot: Snapshot;
  readonly deps: TransactionDeps;
  readonly id: string;
  readonly exchange: Exchange;
  readonly trustedProxies: CidrTable | null;
  readonly trustsForwardedHost: boolean;
  readonly forwardedCertificates: ForwardedCertificates | null;
  /** Null for the many that nobody looks at. */
  readonly observer: Observer | null;
  fault: Denial | null;
  route: Route | null = null;
  ownPage: OwnPage | null = null;
  methodBody: Subject["methodBody"] = null;
  webSocket: WebSocket | null = null;
  isOver = false;
  readonly startedMs: number;
  readonly #owner: TransactionOwner;
  readonly #listener: ListenerSettings;
  readonly #client: ServerStream;
  readonly #request: RequestHalf;
  readonly #answer: AnswerHalf;
  /** Null unless somebody waits for a request to be traced. */
  readonly #trace: Trace | null;
  /** Null where the policy traces nothing. */
  readonly #span: RequestSpan | null;
  /** Null where the policy gives the exchange all the time it takes. */
  #duration: DurationLimit | null = null;
  #decidedMs = 0;
  /** The candidate judges it, too. */
  readonly #isDrawn: boolean;
  /** Null for the many that no other policy judges. */
  readonly #asItCame: AsItCame | null;
  #lasting = false;

  constructor(deps: TransactionDeps, owner: TransactionOwner, client: ServerStream, request: ServerRequest) {
    this.deps = deps;
    this.#owner = owner;
    this.#listener = owner.listener;
    this.#client = client;
    this.id = deps.nextId();
    this.startedMs = request.startedMs;
    this.snapshot = deps.snapshot;
    this.trustedProxies = owner.trustedProxies;
    this.trustsForwardedHost = owner.listener.trustsForwardedHost;
    this.forwardedCertificates = owner.listener.forwardedCertificates;
    const { exchange, fault } = receive(request, owner.facts, this.snapshot.keepsInPaths);
    this.exchange = exchange;
    exchange.upstream = owner.listener.upstream;
    this.#trace = this.snapshot.records?.begin(exchange) ?? null;
    this.fault = fault;
    this.snapshot.requestIds?.begin(exchange, this.id, this.trustedProxies !== null);
    this.#isDrawn = deps.beside?.draws() === true;
    this.#asItCame =
      this.#isDrawn || deps.guard?.draws() === true ? { headers: request.headers, body: request.body } : null;
    this.#span = this.snapshot.tracing?.begin(exchange, this.trustedProxies !== null) ?? null;
    this.observer = this.#span === null ? this.#trace : this.#span.observer(this.#trace);
    this.#request = new RequestHalf(this);
    this.#answer = new AnswerHalf(this, this.#request, client);
  }

  get shares(): Shares {
    return this.snapshot.shares;
  }

  get usualUpstream(): string {
    return this.#listener.upstream;
  }

  // ---- its beginning ---------------------------------------------------------------------------------------------

  /** Judges the request and goes on with the outcome; a fault in a check is a denial, never a way through. */
  run(): void {
    try {
      const outcome = judgeNoted(this, this.deps);
      if (outcome instanceof Promise) {
        outcome.then((settled) => this.#settle(settled)).catch((error: unknown) => this.deny(faultDenial(error)));
      } else this.#settle(outcome);
    } catch (error) {
      this.deny(faultDenial(error));
    }
  }

  #settle(outcome: Outcome): void {
    if (this.isOver) return;
    this.#decidedMs = this.deps.clock.monotonicMs();
    const denial = outcome instanceof Denial ? outcome : null;
    this.snapshot.records?.debug?.tell(this.exchange, {
      id: this.id,
      route: this.route?.template ?? this.ownPage?.label ?? "unmatched",
      reason: denial?.reason ?? null,
      place: placeText(denial?.place ?? null),
    });
    if (outcome instanceof Denial) this.deny(outcome);
    else if (outcome instanceof OwnAnswer) this.#answer.give(outcome);
    else this.#forward(outcome);
    if (this.#asItCame === null) return;
    if (this.#isDrawn) this.deps.beside?.offer(this, outcome, this.#asItCame);
    this.deps.guard?.offer(this, outcome, this.#asItCame);
  }

  #forward(permit: Permit): void {
    this.#request.forward(permit, this.#decidedMs, this.#answer);
  }

  limitDuration(maxMs: number): void {
    if (this.#duration !== null || maxMs === Number.POSITIVE_INFINITY) return;
    this.#duration = new DurationLimit(this.deps, (denial) => this.endStream(denial));
    this.#duration.start(maxMs);
  }

  // ---- where it lasts (LastingStream) ----------------------------------------------------------------------------

  get outlivedTrust(): boolean {
    return this.#owner.outlivedTrust;
  }

  last(lasting: boolean): void {
    if (this.#lasting === lasting || this.isOver) return;
    this.#lasting = lasting;
    if (lasting) this.deps.longLived.add(this);
    else this.deps.longLived.remove(this);
  }

  endStream(denial: Denial): void {
    if (this.webSocket?.isOpen) this.webSocket.close(denial);
    else this.deny(denial);
  }

  adopt(snapshot: Snapshot, route: Route | null): void {
    // Until its head is out, an answer is written by the policy that let its request in.
    if (!this.#answer.isStarted) return;
    this.snapshot = snapshot;
    this.route = route;
  }

  goAway(atOnce: boolean): void {
    if (atOnce) this.webSocket?.destroy();
    else if (this.webSocket?.isOpen) this.webSocket.close(null);
  }

  // ---- its client (ServerStreamOwner) ----------------------------------------------------------------------------

  onClientDrain(): void {
    this.#answer.onClientDrain();
  }

  onClientClosed(reason: ClientLeft): void {
    // A tunnel sees to both its ends itself.
    if (this.isOver || this.webSocket?.isOpen) return;
    this.#request.drop();
    const { isStarted } = this.#answer;
    if (!isStarted) this.#answer.status = REASONS.client_closed.status;
    this.finish(reason, clientDenial(reason, isStarted));
  }

  // ---- its end ---------------------------------------------------------------------------------------------------

  deny(denial: Denial): void {
    if (this.isOver) return;
    if (this.#decidedMs === 0) this.#decidedMs = this.deps.clock.monotonicMs();
    this.#request.drop();
    this.#answer.refuse(denial);
  }

  finish(reason: Reason | null, denial: Denial | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#duration?.stop();
    this.#request.stop();
    this.#answer.stop();
    this.exchange.end();
    if (this.#lasting) this.deps.longLived.remove(this);
    this.#owner.onFinished(this);
    const nowMs = this.deps.clock.monotonicMs();
    const end = {
      id: this.id,
      listener: this.#listener.name,
      route: this.route?.template ?? this.ownPage?.label ?? "unmatched",
      protocol: this.#owner.facts.protocol,
      policyHash: this.snapshot.hash,
      exchange: this.exchange,
      clientAddress: this.exchange.clientAddress.text,
      status: this.#answer.status,
      grpcStatus: this.#answer.grpcStatus,
      callOutcome: this.#answer.callOutcome,
      reason,
      denial,
      decisionMs: (this.#decidedMs === 0 ? nowMs : this.#decidedMs) - this.startedMs,
      upstreamMs: this.#answer.upstreamMs,
      durationMs: nowMs - this.startedMs,
      requestBodyBytes: this.webSocket?.clientBytes ?? this.#client.requestBodyBytes,
      responseBodyBytes: this.webSocket?.serviceBytes ?? this.#client.responseBodyBytes,
      denied: denial !== null && this.#request.forwardedMs < 0,
    };
    this.exchange.settle(end);
    if (this.exchange.detected !== null) {
      for (const ban of countSuspicion(this)) this.deps.telemetry.banned(ban, null);
    }
    this.#span?.finish(end, this.#called(), nowMs);
    this.deps.telemetry.requestFinished(end);
    this.snapshot.records?.note(end, this.route?.place ?? this.ownPage?.place ?? null, this.#trace);
  }

  /** The call to the service, for its span; null where there was none. */
  #called(): CalledService | null {
    const { forwardedMs, settings, resends } = this.#request;
    if (forwardedMs < 0 || settings === undefined) return null;
    return { forwardedMs, status: this.#answer.serviceStatus, resends, service: settings };
  }
}
