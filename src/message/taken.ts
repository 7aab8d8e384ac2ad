/**
 * What a service said of a gRPC call, whose HTTP status is 200 however it went; `unknown` where the answer broke off before
 * it said anything, `none` of anything else.
 */
export type CallOutcome = "ok" | "failed" | "unknown" | "none";

/** How a request ended, for whoever counts by that. */
export interface AnswerFacts {
  /** Of the answer's head; 0 where there was none. 499 where the client left before it. */
  readonly status: number;
  readonly callOutcome: CallOutcome;
  /** As far as they came. Of a WebSocket: all that the client sent. */
  readonly requestBodyBytes: number;
  /** As far as they went. Of a WebSocket: all that the service sent. */
  readonly responseBodyBytes: number;
  /** Milliseconds from passing the request on to the head of the service's answer; -1 where none came. */
  readonly upstreamMs: number;
  /** The request was refused before it was forwarded. */
  readonly denied: boolean;
}

/** What a limit took for one request: a turn, a place, an estimate. */
export interface Taken {
  /** Another limit refuses the request: nothing is taken. Called at most once, and then `onEnd` is not. */
  giveBack(): void;
  /** The request is over, however. Called at most once. */
  onEnd?(facts: AnswerFacts): void;
}
