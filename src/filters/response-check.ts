import type { Coding } from "../bodies/codings.ts";
import type { Inflation, InflationSink } from "../bodies/inflation.ts";
import type { Denial, Place, Verdict } from "../decision/verdict.ts";
import type { Answer } from "../message/answer.ts";
import type { AnswerCount } from "../message/answer-count.ts";
import type { Exchange } from "../message/exchange.ts";
import type { HeaderBlock } from "../message/headers.ts";

/**
 * A check of phase `respond`: it judges an answer of the service before the client gets it, in one of three grades: on the
 * head alone, on the body as it streams, on the body whole. The ladder is the runner's: what is only audited, or not
 * enforced for this request, changes nothing and refuses nothing, and its denial is noted.
 */
export interface ResponseCheck {
  /** The key in the policy. */
  readonly name: string;
  readonly place: Place;
  /** The ladder: -1 is never asked, 0 only audits, 100 enforces, between them that share of callers is enforced. */
  readonly enforcePercent: number;
  /**
   * It judges bodies, or changes them. Then the service is not asked for parts (Range), one that comes nevertheless is
   * refused, and HEAD tells no length and no digest.
   */
  readonly judgesBody: boolean;
  /** It looks into bodies and neither refuses nor changes any: a compressed one leaves as it came, and is inflated beside it. */
  readonly observesBody?: boolean;
  /** False where it has nothing to do with what this request is answered, as for a caller that may see all. Always if absent. */
  appliesTo?(exchange: Exchange): boolean;
  /** For `explain`, what it looks for in the answer to this request. */
  explain?(exchange: Exchange): string;
  /**
   * The head alone; it may give `answer` other headers. Also asked about 1xx, which are left out where it denies them, and
   * about the 101 of a WebSocket.
   */
  judgeHead?(exchange: Exchange, answer: Answer): Verdict;
  /** What it does with the body that belongs to this head; null for nothing. Not asked where there is none (HEAD, 204, 304). */
  judgeBody?(exchange: Exchange, answer: Answer): BodyRule | null;
}

interface RuleOfBody {
  /** The body may leave with other bytes than it came with, so that its length and digests do not hold. */
  readonly changes: boolean;
  /** What the client gets of the trailers, or a denial. All of them if absent. */
  judgeTrailers?(trailers: HeaderBlock): HeaderBlock | Denial;
  /** What it would have changed, for the log; asked at the end, where it only audits. Null for nothing. */
  noted?(): Denial | null;
  /** What it did, for the log and metrics; asked at the end, where it is enforced. */
  readonly counted?: readonly AnswerCount[];
}

/** For one answer: sees its body piece by piece, wherever it is cut. */
export interface StreamRule extends RuleOfBody {
  readonly kind: "stream";
  /** Most bytes that it holds back to see what follows them. */
  readonly heldBytesMax: number;
  /**
   * What goes on now: the piece itself, which is not changed in place, or other bytes, or none of them. A promise where that
   * takes long and is judged in turns: nothing more is given to it meanwhile.
   */
  take(piece: Buffer): Buffer | Denial | Promise<Buffer | Denial>;
  /** The end: what was held back. */
  end(): Buffer | Denial | Promise<Buffer | Denial>;
  /** In place of both, for a body that is here whole; if absent it is taken as one piece. */
  takeAll?(body: Buffer): Buffer | Denial;
}

/** For one answer: sees its body whole. */
export interface WholeRule extends RuleOfBody {
  readonly kind: "whole";
  readonly bytesMax: number;
  /** What goes on: the body itself, or another. A promise where it is long and judged in turns. */
  judge(body: Buffer): Buffer | Denial | Promise<Buffer | Denial>;
  /** It is longer than `bytesMax`; CONTINUE lets it pass as it is. */
  judgeTooLong(): Verdict;
}

export type BodyRule = StreamRule | WholeRule;

/** What becomes of answers of a route that cannot be looked into as they come, where a rule has to. */
export interface AnswerReading {
  readonly place: Place;
  /** The service is asked for no compression. */
  readonly asksForIdentity: boolean;
  /** What becomes of one that is compressed. */
  readonly compressed: "inflate" | "refuse" | "pass";
  /** What becomes of one that cannot be looked into. */
  readonly unreadable: "refuse" | "pass";
  /** A content coding, by its name in lower case; null for one that nobody here inflates. */
  codingOf(name: string): Coding | null;
  inflate(coding: Coding, sink: InflationSink): Inflation;
}
