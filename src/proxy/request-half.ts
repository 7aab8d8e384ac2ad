import { Permit } from "../decision/permit.ts";
import { Denial } from "../decision/verdict.ts";
import { type BodyFailure, EMPTY_BODY } from "../message/body.ts";
import type { ClientFailure, ClientStream, ResponseHandler } from "../message/stream.ts";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import type { AcquireFailure, Acquirer, Upstream } from "../upstream/upstream.ts";
import { bodyDenial } from "./client-failure.ts";
import { isGrpcCall } from "./grpc.ts";
import type { Life } from "./life.ts";
import { type FeedOwner, RequestFeed } from "./request-feed.ts";
import { settingsOn } from "./route-timeouts.ts";
import { connectDenial, mayFailHarmlessly, mayRepeat, unhealthyDenial } from "./service-failure.ts";
import { isOpenCall, isReadAhead, serviceRequest } from "./service-request.ts";
import { beginWebSocket } from "./web-socket.ts";

/** The way of a request that was allowed: to a connection, and with its body to the service, once or again. */
export class RequestHalf implements Acquirer, FeedOwner {
  /** Monotonic milliseconds since which the service is waited for; -1 before. */
  forwardedMs = -1;
  /** How often it was sent again. */
  resends = 0;
  readonly #life: Life;
  #handler: ResponseHandler | null = null;
  #pool: Upstream | null = null;
  #settings: UpstreamSettings | undefined = undefined;
  #service: ClientStream | null = null;
  /** Null where there is no body, or it is here whole. */
  #feed: RequestFeed | null = null;
  #isAnswered = false;
  #uploading = false;

  constructor(life: Life) {
    this.#life = life;
  }

  /** Whose connection it asks for, as the pool counts them. */
  get client(): string {
    return this.#life.exchange.clientAddress.text;
  }

  /** Of the service that it goes to, once that is known. */
  get settings(): UpstreamSettings | undefined {
    return this.#settings;
  }

  /** `handler` gets what the service says to it. */
  forward(permit: Permit, nowMs: number, handler: ResponseHandler): void {
    if (!Permit.isGenuine(permit)) throw new TypeError("forward without a permit");
    const { deps, snapshot, route, exchange, usualUpstream } = this.#life;
    this.#handler = handler;
    const upstream = route?.upstream ?? usualUpstream;
    const refused = snapshot.refusals === null ? null : unhealthyDenial(snapshot, upstream);
    if (refused !== null) {
      this.#life.deny(refused);
      return;
    }
    this.#pool = deps.poolOf(snapshot, upstream);
    this.#settings = settingsOn(route, this.#pool.settings);
    if (exchange.upgrade !== null) {
      const begun = beginWebSocket(exchange, this.#pool.settings, route?.hidesProtocolTokens ?? false, deps);
      if (begun instanceof Denial) {
        this.#life.deny(begun);
        return;
      }
      this.#life.webSocket = begun;
    }
    this.forwardedMs = nowMs;
    if (exchange.collectedBody === null && exchange.body !== EMPTY_BODY) {
      this.#feed = new RequestFeed(this, this.#life, deps.memory);
    }
    if (this.#feed !== null && isReadAhead(exchange)) this.#feed.readAhead();
    else this.#pool.acquire(this);
  }

  onBodyEarned(): void {
    this.forwardedMs = this.#life.deps.clock.monotonicMs();
    this.#pool?.acquire(this);
  }

  onConnection(connection: ClientStream): void {
    const { route, exchange, isOver, webSocket } = this.#life;
    const { settings } = this;
    if (isOver || route === null || settings === undefined || this.#handler === null) {
      connection.release();
      return;
    }
    this.#service = connection;
    const { method, collectedBody } = exchange;
    const request = serviceRequest(exchange, route, settings, webSocket?.addedLines ?? null);
    this.#life.limitDuration(settings.streamDurationMaxMs);
    if (isOpenCall(exchange, settings)) {
      exchange.body.setPatience(settings.streamIdleTimeoutMs, false);
      this.#life.last(true); // its service may not say a word for minutes
    } else if (collectedBody !== null && isGrpcCall(exchange)) this.#life.last(true);
    connection.begin(this.#handler, request, settings);
    if (collectedBody !== null) {
      connection.writeBody(collectedBody);
      connection.endBody("");
    } else if (request.bodyBytes !== 0) {
      this.#feed?.feed(connection, mayFailHarmlessly(settings.protocol, connection.used, method));
    }
    if (connection.flush() && this.#service === connection) this.#feed?.resume();
  }

  onAcquireFailure(failure: AcquireFailure, detail: string): void {
    this.#life.deny(connectDenial(failure, detail, this.settings));
  }

  // ---- its body (FeedOwner) --------------------------------------------------------------------------------------

  onBodyRead(): void {
    if (this.#uploading) this.#life.last(true);
    this.#uploading = true;
  }

  onBodyWhole(): void {
    // A whole request waits no longer than responseTimeout; a call may be one that listens, where that is long.
    if (!this.#isAnswered && !isGrpcCall(this.#life.exchange)) this.#life.last(false);
  }

  onBodyFailure(failure: BodyFailure): void {
    this.#life.deny(bodyDenial(failure, this.#life.route?.place ?? null));
  }

  /** The service takes more of it again. */
  resumeBody(): void {
    this.#feed?.resume();
  }

  // ---- its end ---------------------------------------------------------------------------------------------------

  /** The head of the answer is here: nothing is sent again, and the body may take the time of a stream. */
  onAnswered(): void {
    this.#isAnswered = true;
    this.#feed?.forget();
    const { body } = this.#life.exchange;
    if (body !== EMPTY_BODY) body.setPatience(this.settings?.streamIdleTimeoutMs ?? 0, true);
  }

  /** The client takes more of the answer again. */
  resumeAnswer(): void {
    this.#service?.resume();
  }

  /** The service's stream is at its end, or another's. */
  onServiceDone(): void {
    this.#service = null;
  }

  /** Asks once more after a failure of the service that allows it; false where it does not. */
  repeats(failure: ClientFailure): boolean {
    const wasUsed = this.#service?.used === true;
    this.#service = null;
    if (this.#feed?.isAtHand === false) return false;
    if (!mayRepeat(failure, wasUsed, this.#life.exchange.method, this.resends)) return false;
    this.resends++;
    this.#feed?.withdraw();
    this.#pool?.acquire(this, true);
    return true;
  }

  /** Nobody waits for the service any more. */
  drop(): void {
    this.#service?.abort();
    this.#service = null;
    this.#pool?.cancel(this);
  }

  /** Nothing of its body goes anywhere any more. */
  stop(): void {
    this.#feed?.stop();
  }
}
