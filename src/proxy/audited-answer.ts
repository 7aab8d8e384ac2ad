import type { Inflation, InflationFailure, InflationSink } from "../bodies/inflation.ts";
import { Denial } from "../decision/verdict.ts";
import type { Charge } from "../memory/account.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { BodyStage } from "./body-stage.ts";
import type { AnswerOutlet, AnswerWay, JudgedAnswer } from "./judged-answer.ts";

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
  #left: HeaderBlock | null | Denial = null;
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

  release(): boolean {
    return this.#asItCame.release();
  }

  get isFull(): boolean {
    return this.#inflation.isFull;
  }

  resume(): void {}

  end(trailers: HeaderBlock | null): HeaderBlock | null | Denial | "later" {
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
    this.#outlet.passAnswer(() => {
      for (const stage of this.#stages) stage.take(bytes);
      return null;
    });
    return true;
  }

  onInflatedEnd(): void {
    this.#outlet.endAnswer(() => {
      for (const stage of this.#stages) {
        stage.end();
        if (this.#left !== null && !(this.#left instanceof Denial)) stage.trailers(this.#left);
      }
      this.#close();
      return this.#left;
    });
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
