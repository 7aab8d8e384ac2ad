import type { Clock } from "./clock.ts";

/**
 * Long work on a thread that serves: `if (turns.due) await turns.give()` now and then, and what waits gets its turn. One
 * check costs a reading of the clock.
 */
export class Turns {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #sliceMs: number;
  #sinceMs: number;

  /** `sliceMs`: how long the work may go on at a stretch; Infinity where nothing waits. */
  constructor(clock: Pick<Clock, "monotonicMs">, sliceMs: number) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#sinceMs = clock.monotonicMs();
  }

  get due(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= this.#sliceMs;
  }

  /** One turn of the event loop: everything that has arrived is read and answered. */
  async give(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
