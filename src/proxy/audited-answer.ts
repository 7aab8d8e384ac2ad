import type { Inflation, InflationFailure, InflationSink } from "../bodies/inflation.ts";
import type { Denial } from "../decision/verdict.ts";
import type { Charge } from "../memory/account.ts";
import { HeaderBlock } from "../message/headers.ts";
import type { BodyStage } from "./body-stage.ts";
import type { AnswerOutlet, AnswerWay, Ended, JudgedAnswer } from "./judged-answer.ts";

/**
 * A compressed answer that leaves as it came, while rules that only audit are shown what it holds. It is taken no faster than
 * it can be inflated, and its end waits for theirs, so that the log has what they found.
 */
export class AuditedAnswer implements AnswerWay, InflationSink {
  readonly #asItCame: JudgedAnswer;
  readonly #outlet: AnswerOutlet;
  readonly #stages: readonly BodyStage[];
  readonly #inflation: Inflation;
  readonly #charge: Charge;
  readonly #onUnreadable: (failure: InflationFailure) => void;
  /** What is left of the trailers, once all has come. */
  #left: Ended = null;
  #hasAllCome = false;
  /** Nobody looks any more. */
  #isOver = false;

  /** `charge` has what inflating takes up. */
  constructor(
    asItCame: JudgedAnswer,
    outlet: AnswerOutlet,
    stages: readonly BodyStage[],
    open: (sink: InflationSink) => Inflation,
    charge: Charge,
    onUnreadable: (failure: InflationFailure) => void,
  ) {
    this.#asItCame = asItCame;
    this.#outlet = outlet;
    this.#stages = stages;
    this.#charge = charge;
    this.#onUnreadable = onUnreadable;
    this.#inflation = open(this);
  }

  take(piece: Buffer): Denial | null {
    if (!this.#isOver) this.#inflation.write(piece);
    return this.#asItCame.take(piece);
  }

  release(): boolean | Denial {
    return this.#asItCame.release();
  }

  get isFull(): boolean {
    return this.#inflation.isFull;
  }

  resume(): void {}

  end(trailers: HeaderBlock | null): Ended {
    this.#left = this.#asItCame.end(trailers);
    this.#hasAllCome = true;
    if (this.#isOver) return this.#left;
    this.#inflation.end();
    return "later";
  }

  stop(): void {
    this.#inflation.stop();
    this.#asItCame.stop();
    this.#close();
  }

  // ---- what comes out (InflationSink) ----------------------------------------------------------------------------

  onInflated(bytes: Buffer): boolean {
    let judging: Promise<unknown>[] = [];
    this.#outlet.passAnswer(() => {
      judging = this.#stages.map((stage) => stage.take(bytes)).filter((taken) => taken instanceof Promise);
      return null;
    });
    if (judging.length === 0) return true;
    void Promise.allSettled(judging).then(() => this.#inflation.resume());
    return false;
  }

  onInflatedEnd(): void {
    this.#outlet.endAnswer(() => {
      const ends = this.#stages.map((stage) => stage.end());
      if (!ends.some((end) => end instanceof Promise)) return this.#finish();
      const finish = (): void => {
        if (!this.#isOver) this.#outlet.endAnswer(() => this.#finish());
      };
      // What fails while it only audits changes nothing either.
      void Promise.allSettled(ends).then(finish);
      return "later";
    });
  }

  #finish(): Ended {
    if (this.#left instanceof HeaderBlock) for (const stage of this.#stages) stage.trailers(this.#left);
    this.#close();
    return this.#left;
  }

  onInflationFailure(failure: InflationFailure): void {
    this.#onUnreadable(failure);
    this.#close();
    if (this.#hasAllCome) this.#outlet.endAnswer(() => this.#left);
    else this.#outlet.onAnswerDrain();
  }

  onInflationDrain(): void {
    this.#outlet.onAnswerDrain();
  }

  #close(): void {
    this.#isOver = true;
    for (const stage of this.#stages) stage.stop();
    this.#charge.release();
  }
}
