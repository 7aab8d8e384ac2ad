import { Denial } from "../decision/verdict.ts";
import type { Charge } from "../memory/account.ts";
import type { Answer, AnswerObserver } from "../message/answer.ts";
import { CHUNKED } from "../message/body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { BodyStage, Judged, StageHost } from "./body-stage.ts";
import { headersOfChanged } from "./changed-body.ts";

/** Where a judged answer goes on. */
export interface AnswerOutlet {
  /** `bodyBytes`: as `ServerStream.startResponse` has it. */
  startAnswer(answer: Answer, bodyBytes: number): void;
  writeAnswer(piece: Buffer): void;
  // For what comes in turns of its own, and not while the service is read.
  /** Judges more of it and lets out what may go; false asks to pause until the client takes more. A denial ends the answer. */
  passAnswer(judge: () => Denial | null): boolean;
  /** `judge` gives what `AnswerWay.end` does. */
  endAnswer(judge: () => Ended): void;
  /** More of the service's bytes may come. */
  onAnswerDrain(): void;
}

/** What the client gets of the trailers, or why it gets no answer; `later`: the outlet is told. */
export type Ended = HeaderBlock | null | Denial | "later";

/** The way of an answer that somebody looks at, from the service to an outlet. */
export interface AnswerWay {
  /** The next piece of the body; a denial ends the answer. */
  take(piece: Buffer): Denial | null;
  /** All that came in one read is here. Lets out what may go; false while nothing may. */
  release(): boolean | Denial;
  /** More of the service's bytes would only wait; the outlet is told when they would not. */
  readonly isFull: boolean;
  /** The client takes more again. */
  resume(): void;
  /** The body is over. */
  end(trailers: HeaderBlock | null): Ended;
  stop(): void;
}

/**
 * An answer whose body somebody looks at: what comes of it goes by the observers, then through the stages, one after the
 * other. The head waits for what the same read brought, for all of an answer whose length is told and short, or for the rules
 * that see the body whole, so that what is refused by then is a clean answer of postern's own. What is here whole by then goes
 * through each stage at once, and leaves with its length, whatever became of it.
 */
export class JudgedAnswer implements AnswerWay {
  readonly #answer: Answer;
  readonly #outlet: AnswerOutlet;
  readonly #bodyBytes: number;
  readonly #observers: readonly AnswerObserver[];
  readonly #stages: readonly BodyStage[];
  readonly #host: StageHost;
  readonly #changes: boolean;
  /** It is judged when all of it is here. What only audits keeps nothing back. */
  readonly #isShort: boolean;
  /** What came, until it streams through the stages; null from then on. */
  #came: Buffer[] | null = null;
  /** What may go out, until the head is out; null from then on. */
  #held: Buffer[] | null = null;
  /** The body, where it is here before any of it has streamed. */
  #whole: Buffer | null = null;
  #trailers: HeaderBlock | null = null;
  #charge: Charge | null = null;
  /** A stage judges in turns, and nothing more is given to any meanwhile. */
  #isJudging = false;
  /** What came meanwhile. */
  readonly #waiting: Buffer[] = [];
  /** The body was over meanwhile: what is to be done then. */
  #next: (() => Ended) | null = null;
  #isStopped = false;

  /** `bodyBytes`: of the body as the service sends it. `isInflated`: its bytes are others already. */
  constructor(
    answer: Answer,
    bodyBytes: number,
    outlet: AnswerOutlet,
    observers: readonly AnswerObserver[],
    stages: readonly BodyStage[],
    host: StageHost,
    isInflated: boolean = false,
  ) {
    this.#answer = answer;
    this.#outlet = outlet;
    this.#bodyBytes = bodyBytes;
    this.#observers = observers;
    this.#stages = stages;
    this.#host = host;
    this.#changes = isInflated || stages.some(({ changes }) => changes);
    const isEnforced = stages.some((stage) => stage.isEnforced);
    this.#isShort = isEnforced && bodyBytes >= 0 && bodyBytes <= DEFAULTS.answerAtOnceBytesMax;
    if (this.#changes) answer.headers = headersOfChanged(answer.headers);
    if (stages.length > 0) {
      this.#came = [];
      this.#held = [];
    } else outlet.startAnswer(answer, bodyBytes);
  }

  take(piece: Buffer): Denial | null {
    for (const observer of this.#observers) observer.onChunk(piece);
    if (this.#came === null) return this.#passOn(piece);
    this.#came.push(piece);
    return null;
  }

  get isFull(): boolean {
    return this.#isJudging;
  }

  release(): boolean | Denial {
    if (this.#held === null) return true;
    const came = this.#came;
    if (came !== null && this.#isShort) return this.#keep(came);
    this.#came = null;
    for (const piece of came ?? []) {
      const denial = this.#passOn(piece);
      if (denial !== null) return denial;
    }
    if (this.#isJudging || this.#stages.some(({ isWaiting }) => isWaiting)) return false;
    this.#start(this.#changes ? CHUNKED : this.#bodyBytes);
    return true;
  }

  resume(): void {}

  end(trailers: HeaderBlock | null): Ended {
    for (const observer of this.#observers) observer.onEnd(trailers);
    this.#trailers = trailers === null || !this.#changes ? trailers : headersOfChanged(trailers);
    const came = this.#came;
    this.#came = null;
    if (came !== null) this.#whole = came.length === 1 ? (came[0] as Buffer) : Buffer.concat(came);
    return this.#finish(0);
  }

  stop(): void {
    this.#isStopped = true;
    for (const stage of this.#stages) stage.stop();
    this.#charge?.release();
  }

  /** In one buffer, for a service may send a byte at a time. */
  #keep(came: Buffer[]): false | Denial {
    if (came.length === 0) return false;
    const whole = came.length === 1 ? (came[0] as Buffer) : Buffer.concat(came);
    came.length = 0;
    came.push(whole);
    if (whole.length < DEFAULTS.keptBytesMin) return false;
    this.#charge ??= this.#host.openCharge();
    if (this.#charge.hold(whole.length)) return false;
    return new Denial("memory_bodies", null, `${whole.length} bytes of an answer to hold`, "room for them");
  }

  /** From a stage on: each gives what it held, or is given the body that is here whole. */
  #finish(first: number): Ended {
    if (this.#isJudging) {
      this.#next = () => this.#finish(first);
      return "later";
    }
    for (let at = first; at < this.#stages.length; at++) {
      const stage = this.#stages[at] as BodyStage;
      const judged = this.#whole === null ? stage.end() : stage.takeAll(this.#whole);
      if (judged instanceof Promise) return this.#later(at, judged);
      const denial = this.#settle(at, judged);
      if (denial !== null) return denial;
      if (this.#isJudging) return this.#finish(at + 1);
    }
    if (this.#whole !== null && this.#whole.length > 0) this.#held?.push(this.#whole);
    if (this.#held !== null) this.#start(this.#changes ? this.#lengthOf(this.#held) : this.#bodyBytes);
    return this.#trailers;
  }

  #settle(at: number, judged: Judged): Denial | null {
    if (judged instanceof Denial) return judged;
    const denial = this.#whole === null ? this.#pass(judged, at + 1) : null;
    if (denial !== null) return denial;
    if (this.#whole !== null) this.#whole = judged;
    const left = this.#trailers === null ? null : (this.#stages[at]?.trailers(this.#trailers) ?? null);
    if (left instanceof Denial) return left;
    this.#trailers = left;
    return null;
  }

  #later(at: number, judging: Promise<Judged>): "later" {
    this.#whenJudged(judging, (judge) =>
      this.#outlet.endAnswer(() => this.#settle(at, judge()) ?? this.#finish(at + 1)),
    );
    return "later";
  }

  /** Nothing goes out until it is judged; `goOn` gets what came of it, or its fault. */
  #whenJudged(judging: Promise<Judged>, goOn: (judge: () => Judged) => void): void {
    const settle = (judge: () => Judged): void => {
      this.#isJudging = false;
      if (!this.#isStopped) goOn(judge);
    };
    this.#isJudging = true;
    judging.then(
      (judged) => settle(() => judged),
      (fault) =>
        settle(() => {
          throw fault;
        }),
    );
  }

  /** What a stage lets out goes on with the next; then comes what waits. */
  #passLater(at: number, judging: Promise<Judged>): void {
    this.#whenJudged(judging, (judge) => {
      const flows = this.#outlet.passAnswer(() => {
        const judged = judge();
        return judged instanceof Denial ? judged : (this.#pass(judged, at + 1) ?? this.#passWaiting());
      });
      const next = this.#next;
      if (this.#isJudging || this.#isStopped) return;
      if (next !== null) this.#outlet.endAnswer(next);
      else if (flows) this.#outlet.onAnswerDrain();
    });
  }

  #passWaiting(): Denial | null {
    for (let piece = this.#waiting.shift(); piece !== undefined; piece = this.#waiting.shift()) {
      const denial = this.#pass(piece, 0);
      if (denial !== null || this.#isJudging) return denial;
    }
    return null;
  }

  /** Behind what is judged in turns. */
  #passOn(piece: Buffer): Denial | null {
    if (!this.#isJudging) return this.#pass(piece, 0);
    this.#waiting.push(piece);
    return null;
  }

  #pass(whole: Buffer, first: number): Denial | null {
    let piece = whole;
    for (let at = first; at < this.#stages.length && piece.length > 0; at++) {
      const taken = this.#stages[at]?.take(piece) ?? piece;
      if (taken instanceof Denial) return taken;
      if (taken instanceof Promise) {
        this.#passLater(at, taken);
        return null;
      }
      piece = taken;
    }
    if (piece.length === 0) return null;
    if (this.#held === null) this.#outlet.writeAnswer(piece);
    else this.#held.push(piece);
    return null;
  }

  /** Trailers end a body whose length was not told. */
  #lengthOf(held: readonly Buffer[]): number {
    return this.#trailers === null ? held.reduce((sum, { length }) => sum + length, 0) : CHUNKED;
  }

  #start(bodyBytes: number): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#outlet.startAnswer(this.#answer, bodyBytes);
    for (const piece of held) this.#outlet.writeAnswer(piece);
  }
}
