import type { Inflation, InflationFailure, InflationSink } from "../bodies/inflation.ts";
import { Denial, type Place } from "../decision/verdict.ts";
import type { Charge } from "../memory/account.ts";
import type { AnswerObserver } from "../message/answer.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { AnswerOutlet, AnswerWay, JudgedAnswer } from "./judged-answer.ts";

/** For the log. */
export const INFLATION_FAULTS: Readonly<Record<InflationFailure, string>> = {
  content_encoding_invalid: "a compressed body that is none, or has more behind it",
  body_too_large: "a compressed body that holds too much",
  body_inflates_too_much: "a compressed body that holds too many times its bytes",
};

/**
 * A compressed answer on its way to those who judge what it holds, which is what the client gets. Inflating takes turns of
 * its own, so that what comes out finds its way by the outlet alone. Whoever does not take it stops the service.
 */
export class InflatedAnswer implements AnswerWay, InflationSink {
  readonly #judged: JudgedAnswer;
  readonly #outlet: AnswerOutlet;
  readonly #observers: readonly AnswerObserver[];
  readonly #inflation: Inflation;
  readonly #charge: Charge;
  readonly #place: Place;
  #trailers: HeaderBlock | null = null;
  #outBytes = 0;
  #hasAllCome = false;
  #mayRelease = false;

  /** `observers` see it as it comes; `charge` has what inflating takes up. */
  constructor(
    judge: (outlet: AnswerOutlet) => JudgedAnswer,
    outlet: AnswerOutlet,
    observers: readonly AnswerObserver[],
    open: (sink: InflationSink) => Inflation,
    charge: Charge,
    place: Place,
  ) {
    this.#judged = judge({
      startAnswer: (answer, bodyBytes) => outlet.startAnswer(answer, bodyBytes),
      writeAnswer: (piece) => outlet.writeAnswer(piece),
      passAnswer: (work) => outlet.passAnswer(work),
      endAnswer: (work) => outlet.endAnswer(work),
      // Who judges takes what comes out, and not what the service sends.
      onAnswerDrain: () => this.#inflation.resume(),
    });
    this.#outlet = outlet;
    this.#observers = observers;
    this.#charge = charge;
    this.#place = place;
    this.#inflation = open(this);
  }

  take(piece: Buffer): null {
    for (const observer of this.#observers) observer.onChunk(piece);
    this.#inflation.write(piece);
    return null;
  }

  /** The head waits for what comes out first, as that of another answer does for what the same read brought. */
  release(): boolean | Denial {
    return this.#mayRelease && this.#judged.release();
  }

  get isFull(): boolean {
    return this.#inflation.isFull;
  }

  /** The client takes more again. */
  resume(): void {
    this.#inflation.resume();
  }

  end(trailers: HeaderBlock | null): "later" {
    for (const observer of this.#observers) observer.onEnd(trailers);
    this.#trailers = trailers;
    this.#hasAllCome = true;
    this.#inflation.end();
    return "later";
  }

  stop(): void {
    this.#inflation.stop();
    this.#judged.stop();
    this.#charge.release();
  }

  // ---- what comes out (InflationSink) ----------------------------------------------------------------------------

  onInflated(bytes: Buffer): boolean {
    this.#outBytes += bytes.length;
    // The end of a short one is near, and its length can be told then.
    if (!this.#hasAllCome || this.#outBytes > DEFAULTS.answerHeldBytesMax) this.#mayRelease = true;
    return this.#outlet.passAnswer(() => this.#judged.take(bytes)) && !this.#judged.isFull;
  }

  onInflatedEnd(): void {
    this.#outlet.endAnswer(() => this.#judged.end(this.#trailers));
  }

  onInflationFailure(failure: InflationFailure): void {
    const denial = new Denial(
      "response_unreadable",
      this.#place,
      INFLATION_FAULTS[failure],
      "one that can be looked into",
    );
    this.#outlet.passAnswer(() => denial);
  }

  onInflationDrain(): void {
    this.#outlet.onAnswerDrain();
  }
}
