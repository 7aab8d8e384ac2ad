import { clientOf } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";

type Key = ReturnType<typeof clientOf>["key"];

/** Work that waits for its turn. */
interface Job {
  readonly key: Key;
  readonly exchange: Exchange;
  readonly bytes: number;
  readonly deadlineMs: number;
  /** A policy's tests have a time of their own, in which hours pass between two of their requests. */
  readonly clock: Pick<Clock, "monotonicMs">;
  begin(): Promise<void>;
  giveUp(): void;
}

/** What stands in place of a verdict on a body that is not judged. */
export interface Unjudged<Verdict> {
  /** The request was over before its turn came. */
  readonly left: Verdict;
  /** Its turn did not come in time. */
  readonly late: Verdict;
}

/**
 * Of a client one long body is judged after the other, so that one which sends many holds up nobody but itself. Those of several
 * clients are judged side by side, a stretch of each in turn, as long as they are no more together than one body may be: what is
 * read of a body takes many times its bytes while it is judged. Beyond that clients take turns. The body of a client
 * that has left is not judged, and not kept either: nothing counts it any more. None waits for longer than `longBodyWaitMsMax`.
 */
export class LongBodies {
  /** By client; the first is next. None is empty. */
  readonly #waiting = new Map<Key, Set<Job>>();
  /** The same, the oldest first. */
  readonly #byAge = new Set<Job>();
  /** Whose turn it is, of each client one request. */
  readonly #busy = new Map<Key, Exchange>();
  #bytes = 0;

  /** `bytes`: of the body, or what of it is here. `work` is called in its turn, or not at all. */
  judge<Verdict>(
    exchange: Exchange,
    bytes: number,
    clock: Pick<Clock, "monotonicMs">,
    { left, late }: Unjudged<Verdict>,
    work: () => Promise<Verdict>,
  ): Promise<Verdict> {
    // Nobody would tell of its end again.
    if (exchange.isOver) return Promise.resolve(left);
    // What is part of the work under way would wait for its own end, and all others with it.
    const { key } = clientOf(exchange.clientAddress);
    if (this.#busy.get(key) === exchange) return work();
    return new Promise((resolve, reject) => {
      const job: Job = {
        exchange,
        key,
        bytes: Math.max(bytes, DEFAULTS.longBodyBytesMin),
        deadlineMs: clock.monotonicMs() + DEFAULTS.longBodyWaitMsMax,
        clock,
        begin: () => {
          forget();
          return work()
            .then(resolve, reject)
            .then(() => this.giveUpLate());
        },
        giveUp: () => {
          forget();
          resolve(late);
        },
      };
      const forget = exchange.whenOver(() => {
        this.#remove(job);
        resolve(left);
      });
      this.#byAge.add(job);
      const jobs = this.#waiting.get(job.key);
      if (jobs === undefined) this.#waiting.set(job.key, new Set([job]));
      else jobs.add(job);
      this.#next();
    });
  }

  /** Whoever is at work calls it now and then, so that waiting takes no timer. */
  giveUpLate(): void {
    for (const job of this.#byAge) {
      if (job.deadlineMs > job.clock.monotonicMs()) return;
      this.#remove(job);
      job.giveUp();
    }
  }

  #next(): void {
    for (const [key, jobs] of this.#waiting) {
      if (this.#busy.has(key)) continue;
      const [job] = jobs;
      // The first that has no room waits for it, or small ones would go by it for ever.
      if (job === undefined || (this.#bytes > 0 && this.#bytes + job.bytes > DEFAULTS.longBodiesBytesMax)) return;
      this.#remove(job);
      // Its other bodies wait until everybody else had a turn.
      if (this.#waiting.delete(key)) this.#waiting.set(key, jobs);
      this.#begin(job);
    }
  }

  #begin(job: Job): void {
    this.#busy.set(job.key, job.exchange);
    this.#bytes += job.bytes;
    void job.begin().finally(() => {
      this.#busy.delete(job.key);
      this.#bytes -= job.bytes;
      this.#next();
    });
  }

  #remove(job: Job): void {
    this.#byAge.delete(job);
    const jobs = this.#waiting.get(job.key);
    if (jobs?.delete(job) === true && jobs.size === 0) this.#waiting.delete(job.key);
  }
}

/** One line for all routes and policies, for requests and answers. */
export const longBodies: LongBodies = new LongBodies();
