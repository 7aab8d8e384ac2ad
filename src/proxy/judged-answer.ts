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
}

/**
 * An answer whose body somebody looks at: what comes of it goes by the observers, then through the stages, one after the
 * other. The head waits for what the same read brought, or for the rules that see the body whole, so that what is refused
 * by then is a clean answer of postern's own, and the length of a short one is told whatever became of it.
 */
export class JudgedAnswer {
  readonly #answer: Answer;
  readonly #outlet: AnswerOutlet;
  readonly #bodyBytes: number;
  readonly #observers: readonly AnswerObserver[];
  readonly #stages: readonly BodyStage[];
  readonly #changes: boolean;
  /** What may go out, until the head is out; null from then on. */
  #held: Buffer[] | null = null;

  /** `bodyBytes`: of the body as the service sends it. */
  constructor(
    answer: Answer,
    bodyBytes: number,
    outlet: AnswerOutlet,
    observers: readonly AnswerObserver[],
    stages: readonly BodyStage[],
  ) {
    this.#answer = answer;
    this.#outlet = outlet;
    this.#bodyBytes = bodyBytes;
    this.#observers = observers;
    this.#stages = stages;
    this.#changes = stages.some(({ changes }) => changes);
    if (this.#changes) answer.headers = headersOfChanged(answer.headers);
    if (stages.length > 0) this.#held = [];
    else outlet.startAnswer(answer, bodyBytes);
  }

  /** The next piece of the body; a denial ends the answer. */
  take(piece: Buffer): Denial | null {
    for (const observer of this.#observers) observer.onChunk(piece);
    return this.#pass(piece, 0);
  }

  /** Lets out what may go; false while nothing may. */
  release(): boolean {
    if (this.#held === null) return true;
    if (this.#stages.some(({ isWaiting }) => isWaiting)) return false;
    this.#start(this.#changes ? CHUNKED : this.#bodyBytes);
    return true;
  }

  /** The body is over: gives what the client gets of the trailers. */
  end(trailers: HeaderBlock | null): HeaderBlock | null | Denial {
    for (const observer of this.#observers) observer.onEnd(trailers);
    let left = trailers;
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
