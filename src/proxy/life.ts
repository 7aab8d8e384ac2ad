import type { Reason } from "../decision/reason.ts";
import type { Denial } from "../decision/verdict.ts";
import type { Shares } from "../filters/ladder.ts";
import type { AnswerSubject } from "./judge-answer.ts";
import type { MethodSubject } from "./method-override.ts";
import type { TransactionDeps } from "./transaction-deps.ts";
import type { WebSocket } from "./web-socket.ts";

/** One request from its head to its last byte, as its two halves see it. */
export interface Life extends MethodSubject {
  readonly deps: TransactionDeps;
  /** Of the decision, for the client and the log. */
  readonly id: string;
  /** The service of requests whose route names none. */
  readonly usualUpstream: string;
  /** Nothing is told to anybody any more. */
  readonly isOver: boolean;
  /** Null but for WebSockets. */
  webSocket: WebSocket | null;
  /** For the ladder. */
  readonly shares: Shares;
  /** Starts the time of the whole exchange, where it has an end (Infinity: none). */
  limitDuration(maxMs: number): void;
  /** It goes on for longer than a moment, or does not any more. */
  last(lasting: boolean): void;
  /** Refuses the request; where the answer has begun, cuts it, so that nobody takes it for whole. */
  deny(denial: Denial): void;
  /** All has been said: reports it. Another call does nothing. */
  finish(reason: Reason | null, denial: Denial | null): void;
}

/** The same, as far as answers go. */
export type AnswerLife = Pick<
  Life,
  "route" | "exchange" | "id" | "snapshot" | "webSocket" | "shares" | "last" | "deny" | "finish"
> &
  Pick<AnswerSubject, "onAnswerCheck"> & { readonly deps: Pick<TransactionDeps, "clock" | "memory"> };
