import type { Clock } from "./clock.ts";
import { type Line, line as ofThread } from "./line.ts";

/**
 * Work that can be interrupted: it yields wherever it leaves nothing half done, at least once for what takes a tenth of a
 * millisecond. `atOnce` runs it where nobody waits, `Turns.run` on a thread that serves.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Runs the work to its end. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** What is there at once, or comes in steps, as steps. */
export function* stepsOf<T>(work: T | Steps<T>): Steps<T> {
  return isSteps(work) ? yield* work : work;
}

function isSteps<T>(work: T | Steps<T>): work is Steps<T> {
  return typeof work === "object" && work !== null && Symbol.iterator in work && "next" in work;
}

/**
 * Long work on a thread that serves: `if (turns.due) await turns.give()` now and then, or `turns.run` over work in steps,
 * and what waits gets its turn. One check costs a reading of the clock.
 */
export class Turns {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sliceMs: number;
  readonly #onStretch: (ms: number) => void;
  readonly #line: Pick<Line, "turn" | "stretchMsMax">;
  #sinceMs = 0;
  #stretchMs = 0;

  /**
   * `sliceMs`: how long the work may go on at a stretch, less where others are there; Infinity where nothing waits.
   * `onStretch` is told before each turn how long it really went on.
   */
  constructor(
    clock: Pick<Clock, "monotonicMs">,
    sliceMs: number,
    onStretch: (ms: number) => void = () => {},
    line: Pick<Line, "turn" | "stretchMsMax"> = ofThread,
  ) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#onStretch = onStretch;
    this.#line = line;
    this.restart();
  }

  get due(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= this.#stretchMs;
  }

  /** Everything that has arrived is read and answered, and other long work goes on, until it is this one's turn again. */
  async give(): Promise<void> {
    this.#onStretch(this.#clock.monotonicMs() - this.#sinceMs);
    await this.#line.turn();
    this.restart();
  }

  /** The work waited for something else meanwhile, and a new stretch begins. */
  restart(): void {
    this.#sinceMs = this.#clock.monotonicMs();
    this.#stretchMs = Number.isFinite(this.#sliceMs) ? Math.min(this.#sliceMs, this.#line.stretchMsMax) : this.#sliceMs;
  }

  /** What the work gives: at once where it ends within the slice, so that short work makes no promise; else later. */
  run<T>(steps: Steps<T>): T | Promise<T> {
    const step = this.#slice(steps);
    return step.done === true ? step.value : this.#goOn(steps);
  }

  async #goOn<T>(steps: Steps<T>): Promise<T> {
    for (;;) {
      await this.give();
      const step = this.#slice(steps);
      if (step.done === true) return step.value;
    }
  }

  #slice<T>(steps: Steps<T>): IteratorResult<undefined, T> {
    for (;;) {
      const step = steps.next();
      if (step.done === true || this.due) return step;
    }
  }
}
