import { clientOf } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";

type Key = ReturnType<typeof clientOf>["key"];

/** Work that waits for its turn. */
interface Job {
  readonly key: Key;
  readonly exchange: Exchange;
  readonly deadlineMs: number;
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
 * Long bodies are judged one after the other: what is read of one takes many times its bytes while it is judged, and in
 * turns a hundred of them would be in the middle at once. Clients take turns, so that one which sends many holds up nobody
 * but itself. The body of a client that has left is not judged, and not kept either: nothing counts it any more. None
 * waits for longer than `longBodyWaitMsMax`.
 */
export class LongBodies {
  /** By client; the first is next. None is empty. */
  readonly #waiting = new Map<Key, Set<Job>>();
  /** The same, the oldest first. */
  readonly #byAge = new Set<Job>();
  /** Whose turn it is; null for nobody's. */
  #busyFor: Exchange | null = null;

  /** `work` is called in its turn, or not at all. */
  judge<Verdict>(
    exchange: Exchange,
    clock: Pick<Clock, "monotonicMs">,
    { left, late }: Unjudged<Verdict>,
    work: () => Promise<Verdict>,
  ): Promise<Verdict> {
    // What is part of the work under way would wait for its own end, and all others with it.
    if (this.#busyFor === exchange) return work();
    return new Promise((resolve, reject) => {
      const job: Job = {
        exchange,
        key: clientOf(exchange.clientAddress).key,
        deadlineMs: clock.monotonicMs() + DEFAULTS.longBodyWaitMsMax,
        begin: () => {
          forget();
          return work()
            .then(resolve, reject)
            .then(() => this.giveUpLate(clock.monotonicMs()));
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
  giveUpLate(nowMs: number): void {
    for (const job of this.#byAge) {
      if (job.deadlineMs > nowMs) return;
      this.#remove(job);
      job.giveUp();
    }
  }

  #next(): void {
    const [turn] = this.#waiting;
    if (this.#busyFor !== null || turn === undefined) return;
    const [key, jobs] = turn;
    const [job] = jobs;
    if (job === undefined) return;
    this.#remove(job);
    // Its other bodies wait until everybody else had a turn.
    if (this.#waiting.delete(key)) this.#waiting.set(key, jobs);
    this.#busyFor = job.exchange;
    job.begin().finally(() => {
      this.#busyFor = null;
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
