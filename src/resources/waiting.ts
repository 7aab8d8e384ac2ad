import type { Exchange } from "../message/exchange.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Timers } from "../support/timers.ts";

/** Why a request does not wait any longer. */
export type WaitingEnd =
  | "timeout" // nobody answered in time
  | "crowded" // too many wait already
  | "over"; // its client has left

/**
 * Requests that wait for what somebody else says. They are bounded in number, each has a deadline of its own, and one whose
 * client leaves is given up at once. What they wait for goes on: others may want it.
 */
export class Waiting {
  readonly #timers: Timers;
  #count = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get count(): number {
    return this.#count;
  }

  /** `answer`, which does not fail, or why the request stopped waiting for it. */
  until<T>(exchange: Exchange, answer: Promise<T>, timeoutMs: number): Promise<Result<T, WaitingEnd>> {
    if (this.#count >= DEFAULTS.waitingRequestsMax) return Promise.resolve(err("crowded"));
    this.#count++;
    return new Promise((resolve) => {
      let isOver = false;
      const end = (result: Result<T, WaitingEnd>): void => {
        if (isOver) return;
        isOver = true;
        this.#count--;
        cancel();
        forget();
        resolve(result);
      };
      const forget = exchange.whenOver(() => end(err("over")));
      const cancel = this.#timers.after(timeoutMs, () => end(err("timeout")));
      void answer.then((value) => end(ok(value)));
    });
  }
}
