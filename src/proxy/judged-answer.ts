import { Denial } from "../decision/verdict.ts";
import type { Answer, AnswerObserver } from "../message/answer.ts";
import { CHUNKED } from "../message/body.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { BodyStage } from "./body-stage.ts";
import { headersOfChanged } from "./changed-body.ts";

/** Where a judged answer goes on. */
export interface AnswerOutlet {
  /** `bodyBytes`: as `ServerStream.startResponse` has it. */
  startAnswer(answer: Answer, bodyBytes: number): void;
  writeAnswer(piece: Buffer): void;
  // For what comes in turns of its own, and not while the service is read.
  /** Judges more of it and lets out what may go; false asks to pause until the client takes more. A denial ends the answer. */
  passAnswer(judge: () => Denial | null): boolean;
  /** `judge` gives what the client gets of the trailers. */
  endAnswer(judge: () => HeaderBlock | null | Denial): void;
  /** More of the service's bytes may come. */
  onAnswerDrain(): void;
}

/** The way of an answer that somebody looks at, from the service to an outlet. */
export interface AnswerWay {
  /** The next piece of the body; a denial ends the answer. */
  take(piece: Buffer): Denial | null;
  /** Lets out what may go; false while nothing may. */
  release(): boolean;
  /** More of the service's bytes would only wait; the outlet is told when they would not. */
  readonly isFull: boolean;
  /** The client takes more again. */
  resume(): void;
  /** The body is over: gives what the client gets of the trailers, or says that the outlet is told later. */
  end(trailers: HeaderBlock | null): HeaderBlock | null | Denial | "later";
  stop(): void;
}

/**
 * An answer whose body somebody looks at: what comes of it goes by the observers, then through the stages, one after the
 * other. The head waits for what the same read brought, or for the rules that see the body whole, so that what is refused
 * by then is a clean answer of postern's own, and the length of a short one is told whatever became of it.
 */
export class JudgedAnswer implements AnswerWay {
  readonly isFull = false;
  readonly #answer: Answer;
  readonly #outlet: AnswerOutlet;
  readonly #bodyBytes: number;
  readonly #observers: readonly AnswerObserver[];
  readonly #stages: readonly BodyStage[];
  readonly #changes: boolean;
  /** What may go out, until the head is out; null from then on. */
  #held: Buffer[] | null = null;

  /** `bodyBytes`: of the body as the service sends it. `isInflated`: its bytes are others already. */
  constructor(
    answer: Answer,
    bodyBytes: number,
    outlet: AnswerOutlet,
    observers: readonly AnswerObserver[],
    stages: readonly BodyStage[],
    isInflated: boolean = false,
  ) {
    this.#answer = answer;
    this.#outlet = outlet;
    this.#bodyBytes = bodyBytes;
    this.#observers = observers;
    this.#stages = stages;
    this.#changes = isInflated || stages.some(({ changes }) => changes);
    if (this.#changes) answer.headers = headersOfChanged(answer.headers);
    if (stages.length > 0) this.#held = [];
    else outlet.startAnswer(answer, bodyBytes);
  }

  take(piece: Buffer): Denial | null {
    for (const observer of this.#observers) observer.onChunk(piece);
    return this.#pass(piece, 0);
  }

  release(): boolean {
    if (this.#held === null) return true;
    if (this.#stages.some(({ isWaiting }) => isWaiting)) return false;
    this.#start(this.#changes ? CHUNKED : this.#bodyBytes);
    return true;
  }

  resume(): void {}

  end(trailers: HeaderBlock | null): HeaderBlock | null | Denial {
    for (const observer of this.#observers) observer.onEnd(trailers);
    let left = trailers === null || !this.#changes ? trailers : headersOfChanged(trailers);
    for (const [at, stage] of this.#stages.entries()) {
      const rest = stage.end();
      if (rest instanceof Denial) return rest;
      const denial = rest.length === 0 ? null : this.#pass(rest, at + 1);
      if (denial !== null) return denial;
      const judged = left === null ? null : stage.trailers(left);
      if (judged instanceof Denial) return judged;
      left = judged;
    }
    if (this.#held !== null) this.#start(this.#changes ? this.#lengthOf(this.#held, left) : this.#bodyBytes);
    return left;
  }

  stop(): void {
    for (const stage of this.#stages) stage.stop();
  }

  #pass(whole: Buffer, first: number): Denial | null {
    let piece = whole;
    for (let at = first; at < this.#stages.length && piece.length > 0; at++) {
      const taken = this.#stages[at]?.take(piece) ?? piece;
      if (taken instanceof Denial) return taken;
      piece = taken;
    }
    if (piece.length === 0) return null;
    if (this.#held === null) this.#outlet.writeAnswer(piece);
    else this.#held.push(piece);
    return null;
  }

  /** Trailers end a body whose length was not told. */
  #lengthOf(held: readonly Buffer[], trailers: HeaderBlock | null): number {
    return trailers === null ? held.reduce((sum, { length }) => sum + length, 0) : CHUNKED;
  }

  #start(bodyBytes: number): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#outlet.startAnswer(this.#answer, bodyBytes);
    for (const piece of held) this.#outlet.writeAnswer(piece);
  }
}
