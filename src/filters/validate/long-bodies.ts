import { clientOf } from "../../message/address.ts";
import type { Exchange } from "../../message/exchange.ts";

type Key = ReturnType<typeof clientOf>["key"];

/** Work that waits for its turn. */
type Job = () => Promise<void>;

/**
 * Long bodies are judged one after the other: what is read of one takes many times its bytes while it is judged, and in
 * turns a hundred of them would be in the middle at once. Clients take turns, so that one which sends many holds up nobody
 * but itself. The body of a client that has left is not judged, and not kept either: nothing counts it any more.
 */
export class LongBodies {
  /** By client; the first is next. None is empty. */
  readonly #waiting = new Map<Key, Set<Job>>();
  #isBusy = false;

  /** `work` is called in its turn; where the request is over before, `left` stands in its place. */
  judge<Verdict>(exchange: Exchange, left: Verdict, work: () => Promise<Verdict>): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      const { key } = clientOf(exchange.clientAddress);
      const job: Job = () => {
        exchange.onOver = null;
        return work().then(resolve, reject);
      };
      exchange.onOver = () => {
        this.#remove(key, job);
        resolve(left);
      };
      const jobs = this.#waiting.get(key);
      if (jobs === undefined) this.#waiting.set(key, new Set([job]));
      else jobs.add(job);
      this.#next();
    });
  }

  #next(): void {
    const [turn] = this.#waiting;
    if (this.#isBusy || turn === undefined) return;
    const [key, jobs] = turn;
    const [job] = jobs;
    if (job === undefined) return;
    this.#remove(key, job);
    // Its other bodies wait until everybody else had a turn.
    if (this.#waiting.delete(key)) this.#waiting.set(key, jobs);
    this.#isBusy = true;
    job().finally(() => {
      this.#isBusy = false;
      this.#next();
    });
  }

  #remove(key: Key, job: Job): void {
    const jobs = this.#waiting.get(key);
    if (jobs?.delete(job) === true && jobs.size === 0) this.#waiting.delete(key);
  }
}
