import type { Duplex } from "node:stream";
import { REASONS } from "../decision/reason.ts";
import { Denial } from "../decision/verdict.ts";
import type { Answer } from "../message/answer.ts";
import { CHUNKED } from "../message/body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { type PacedReading, pacedReading } from "../message/pace.ts";
import type { ClientFailure, ClientResponse, ResponseHandler, ServerStream } from "../message/stream.ts";
import type { CallOutcome } from "../message/taken.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { endFrame } from "./call-denial.ts";
import { CallEnd } from "./call-end.ts";
import { callEndLines, isGrpcAnswer, isGrpcCall, mayEndCall, outcomeIn } from "./grpc.ts";
import { isAnswerJudged, judgeAnswer, judgeBareHead } from "./judge-answer.ts";
import type { AnswerOutlet, AnswerWay, Ended } from "./judged-answer.ts";
import type { AnswerLife } from "./life.ts";
import { faultDenial } from "./noted-judgement.ts";
import type { OwnAnswer } from "./own-page.ts";
import type { RequestHalf } from "./request-half.ts";
import { besideLimits, type OwnResponse, ownResponse, refusal, withLines } from "./respond.ts";
import { serviceDenial } from "./service-failure.ts";
import { lengthForClient } from "./service-request.ts";

/** What it tells the half that asked. */
export type AskingHalf = Pick<
  RequestHalf,
  "forwardedMs" | "settings" | "onAnswered" | "onServiceDone" | "repeats" | "resumeAnswer" | "resumeBody"
>;

/**
 * The way of an answer: from the service, through the checks of phase `respond` where the route has any, to the client;
 * or postern's own in its place.
 */
export class AnswerHalf implements ResponseHandler, AnswerOutlet {
  /** Its head is on the way to the client: nothing can be put in its place any more. */
  isStarted = false;
  /** As log and metrics have it. */
  status = 0;
  /** Of the service's answer; 0 where there was none. */
  serviceStatus = 0;
  /** Of a gRPC call that postern itself ended; null for what went otherwise. */
  grpcStatus: number | null = null;
  /** What the service said of a gRPC call so far. */
  callOutcome: CallOutcome = "none";
  /** How long the service took to begin; -1 where it did not. */
  upstreamMs = -1;
  readonly #life: AnswerLife;
  readonly #request: AskingHalf;
  readonly #client: ServerStream;
  /** The service has begun with it. */
  #isBegun = false;
  /** It has no announced length, so that trailers may end it. */
  #unbounded = false;
  /** Null where nobody looks at it. */
  #judged: AnswerWay | null = null;
  /** Null where it has no frames whose last one says how the call went. */
  #callEnd: CallEnd | null = null;
  /** Null where it may come as fast as it does. */
  #pacing: PacedReading | null = null;

  constructor(life: AnswerLife, request: AskingHalf, client: ServerStream) {
    this.#life = life;
    this.#request = request;
    this.#client = client;
  }

  // ---- from the service (ResponseHandler) ------------------------------------------------------------------------

  onInformational(status: number, headers: HeaderBlock): void {
    const { route } = this.#life;
    if (route === null || status === 101) return;
    const isJudged = route.responseChecks.length > 0;
    const passing = isJudged ? this.#attempt(() => judgeBareHead(this.#life, status, headers)) : headers;
    if (!(passing instanceof Denial)) this.#client.writeInformational(status, route.rewriteResponse(passing, false));
  }

  onResponse(response: ClientResponse): void {
    if (this.#life.route === null) return;
    this.#begin(response.status);
    if (mayEndCall(response.headers)) this.#beginCall(response.headers);
    const { paces } = this.#life.exchange;
    if (paces !== null) this.#pacing = pacedReading(paces, "response", () => this.#request.resumeAnswer());
    this.#request.onAnswered();
    if (isAnswerJudged(this.#life)) this.#judge(response);
    else this.#start(response.status, response.headers, lengthForClient(response));
  }

  #beginCall(headers: HeaderBlock): void {
    if (isGrpcAnswer(headers)) this.callOutcome = outcomeIn(headers);
    else {
      this.#callEnd = CallEnd.of(headers);
      if (this.#callEnd !== null) this.callOutcome = "unknown";
    }
  }

  onResponseBody(chunk: Buffer): void {
    this.#pacing?.add(chunk.length);
    if (this.#callEnd !== null) {
      this.#callEnd.take(chunk);
      this.callOutcome = this.#callEnd.outcome;
    }
    if (this.#judged === null) {
      this.#client.writeBody(chunk);
      return;
    }
    const denial = this.#attempt(() => this.#judged?.take(chunk) ?? null);
    if (denial !== null) this.#life.deny(denial);
  }

  onReadEnd(): boolean {
    // What fits into one read is over by now; the rest may go on for ever.
    if (this.#isBegun) this.#life.last(true);
    const flows = this.#flush() && this.#judged?.isFull !== true;
    return this.#pacing === null ? flows : this.#pacing.mayRead(flows);
  }

  /** What waits for the rest of the body does not wait for its client. */
  #flush(): boolean {
    const judged = this.#judged;
    const released = judged === null ? true : this.#attempt(() => judged.release());
    if (released instanceof Denial) this.#life.deny(released);
    return released === true ? this.#client.flush() : true;
  }

  /** The client takes more again. */
  onClientDrain(): void {
    this.#judged?.resume();
    if (this.#judged?.isFull !== true) this.#readOn();
  }

  #readOn(): void {
    if (this.#pacing === null) this.#request.resumeAnswer();
    else this.#pacing.onDrain();
  }

  onResponseEnd(trailers: HeaderBlock | null): void {
    this.#request.onServiceDone();
    if (this.callOutcome === "unknown") this.callOutcome = outcomeIn(trailers);
    const judged = this.#judged;
    if (judged === null) this.#end(trailers);
    else this.endAnswer(() => judged.end(trailers));
  }

  #end(left: HeaderBlock | null | Denial): void {
    if (left instanceof Denial) {
      this.#life.deny(left);
      return;
    }
    this.#life.finish(null, null);
    this.#client.endResponse(left === null ? "" : (this.#life.route?.rewriteTrailers.response(left) ?? ""));
  }

  onFailure(failure: ClientFailure, detail: string): void {
    if (this.#request.repeats(failure)) return;
    this.#life.deny(serviceDenial(failure, detail, this.#request.settings));
  }

  onUpstreamDrain(): void {
    this.#request.resumeBody();
  }

  onUpgrade(headers: HeaderBlock, service: Duplex): void {
    this.#request.onServiceDone();
    const { route, webSocket } = this.#life;
    const rules = route?.webSocket ?? null;
    const refused = webSocket?.judge(headers) ?? null;
    const passing = refused ?? this.#attempt(() => judgeBareHead(this.#life, 101, headers));
    if (webSocket === null || rules === null || passing instanceof Denial) {
      service.destroy();
      const denial = passing instanceof Denial ? passing : null;
      this.#life.deny(denial ?? new Denial("internal_error", null, "101 without a handshake", "a handshake"));
      return;
    }
    this.#begin(101);
    const client = this.#client.upgrade(this.#lines(101, passing) + webSocket.answerLines);
    const idleTimeoutMs = this.#request.settings?.streamIdleTimeoutMs ?? DEFAULTS.streamIdleTimeoutMs;
    webSocket.open(client, service, rules, idleTimeoutMs, (end) => this.#life.finish(end?.reason ?? null, end));
    this.#life.last(true);
  }

  // ---- judged ----------------------------------------------------------------------------------------------------

  #judge(response: ClientResponse): void {
    const judged = this.#attempt(() => judgeAnswer(this.#life, response, this));
    if (judged instanceof Denial) this.#life.deny(judged);
    else this.#judged = judged;
  }

  /** A fault in a check is a denial, never a way through. */
  #attempt<T>(work: () => T): T | Denial {
    try {
      return work();
    } catch (error) {
      return faultDenial(error);
    }
  }

  startAnswer({ status, headers }: Answer, bodyBytes: number): void {
    this.#start(status, headers, bodyBytes);
  }

  writeAnswer(piece: Buffer): void {
    this.#client.writeBody(piece);
  }

  passAnswer(judge: () => Denial | null): boolean {
    const denial = this.#attempt(judge);
    if (denial === null) return this.#flush();
    this.#life.deny(denial);
    return true;
  }

  endAnswer(judge: () => Ended): void {
    const left = this.#attempt(judge);
    if (left !== "later") this.#end(left);
  }

  onAnswerDrain(): void {
    this.#readOn();
  }

  // ---- to the client ---------------------------------------------------------------------------------------------

  #begin(status: number): void {
    this.#isBegun = true;
    this.serviceStatus = status;
    this.upstreamMs = this.#life.deps.clock.monotonicMs() - this.#request.forwardedMs;
  }

  #start(status: number, headers: HeaderBlock, bodyBytes: number): void {
    this.#unbounded = bodyBytes === CHUNKED;
    this.#client.startResponse(status, this.#lines(status, headers), bodyBytes);
  }

  #lines(status: number, headers: HeaderBlock): string {
    this.isStarted = true;
    this.status = status;
    const { route, exchange } = this.#life;
    const lines = route?.rewriteResponse(besideLimits(headers, exchange), exchange.connection.secure) ?? "";
    return withLines(lines, exchange, this.#life.deps.clock);
  }

  /** Postern's own. */
  give(answer: OwnAnswer): void {
    const { exchange, route, snapshot, deps } = this.#life;
    this.status = answer.status;
    const rewrite = (answer.isOfRoute ? route : null)?.rewriteResponse ?? snapshot.rewriteResponse;
    this.#write(ownResponse(answer, exchange, rewrite, deps.clock.wallMs()), null);
  }

  /** Why there is none, or where it has begun, its end in the middle. */
  refuse(denial: Denial): void {
    if (this.isStarted || denial.reason === "client_closed") {
      if (!this.isStarted) this.status = REASONS.client_closed.status;
      this.#cut(denial);
      return;
    }
    const { exchange, route, snapshot, deps, id } = this.#life;
    const rewrite = (isOfItsVersion(route, exchange) ? route : null)?.rewriteResponse ?? snapshot.rewriteResponse;
    const response = refusal(denial, id, exchange, route, rewrite, deps.clock.wallMs());
    this.status = REASONS[denial.reason].status;
    this.grpcStatus = response.grpcStatus;
    this.#write(response, denial);
  }

  /** An answer of postern's own, whole. */
  #write({ status, lines, body }: OwnResponse, denial: Denial | null): void {
    this.isStarted = true;
    this.#client.startResponse(status, lines, body.length);
    if (this.#life.exchange.method !== "HEAD") this.#client.writeBody(body);
    this.#life.finish(denial?.reason ?? null, denial);
    this.#client.endResponse("");
  }

  /** A call can be told in trailers, or in a last frame, what became of it; anything else must not look whole. */
  #cut(denial: Denial): void {
    const { reason } = denial;
    const inTrailers = this.#client.carriesTrailers && isGrpcCall(this.#life.exchange);
    const inFrame = this.#judged === null && this.#callEnd?.isBetween === true ? this.#callEnd.shape : null;
    const tells = this.#unbounded && (inTrailers || inFrame !== null) && reason !== "client_closed";
    if (tells) this.grpcStatus = REASONS[reason].grpcStatus;
    if (tells && inFrame !== null) this.#client.writeBody(endFrame(denial, this.#life.id, inFrame));
    this.#life.finish(reason, denial);
    if (tells) this.#client.endResponse(inFrame === null ? callEndLines(denial, this.#life.id) : "");
    else this.#client.abort();
  }

  /** Nothing of it is held any more. */
  stop(): void {
    this.#judged?.stop();
    this.#judged = null;
    this.#pacing?.stop();
  }
}

/** What another version's route tells of its end is none of a request that names no version, or one that there is not. */
function isOfItsVersion(route: AnswerLife["route"], { version }: AnswerLife["exchange"]): boolean {
  return route?.versions.length === 0 || version !== null;
}
