import type { Client } from "../../memory/account.ts";
import type { Clock } from "../../support/clock.ts";

/** `overloaded`: nothing was found out, for others were before it and time or room ran out. */
export type Verification = "right" | "wrong" | "overloaded";

export interface LineLimits {
  /** At a time: each takes a thread of the pool that files and names are looked up with, and tens of MiB. */
  readonly runningMax: number;
  readonly waitingMax: number;
  /** Of those that wait, how many one client address may have. */
  readonly clientWaitingMax: number;
  readonly waitMsMax: number;
}

interface Waiter {
  readonly client: Client;
  readonly sinceMs: number;
  readonly work: () => Promise<boolean>;
  readonly settle: (verification: Verification) => void;
  isGone: boolean;
}

/** Says that nobody waits for the answer any more. */
export type GiveUp = () => void;

/** Passwords are verified a few at a time, one after the other, so that a flood of guesses costs others a bounded wait. */
export class VerificationLine {
  readonly #limits: LineLimits;
  readonly #clock: Clock;
  readonly #waiting: Waiter[] = [];
  readonly #waitingOf = new Map<Client["key"], number>();
  #running = 0;

  constructor(limits: LineLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Null where there is no room for one more of this client. */
  join(client: Client, work: () => Promise<boolean>): { verification: Promise<Verification>; giveUp: GiveUp } | null {
    const { waitingMax, clientWaitingMax } = this.#limits;
    const own = this.#waitingOf.get(client.key) ?? 0;
    if (this.#waiting.length >= waitingMax || (!client.isMany && own >= clientWaitingMax)) return null;
    const { promise, resolve } = Promise.withResolvers<Verification>();
    const waiter: Waiter = { client, sinceMs: this.#clock.monotonicMs(), work, settle: resolve, isGone: false };
    this.#waiting.push(waiter);
    this.#waitingOf.set(client.key, own + 1);
    this.#runNext();
    const giveUp = (): void => {
      waiter.isGone = true;
    };
    return { verification: promise, giveUp };
  }

  #runNext(): void {
    while (this.#running < this.#limits.runningMax) {
      const waiter = this.#waiting.shift();
      if (waiter === undefined) return;
      this.#leave(waiter.client);
      const waitedMs = this.#clock.monotonicMs() - waiter.sinceMs;
      if (waiter.isGone || waitedMs > this.#limits.waitMsMax) waiter.settle("overloaded");
      else void this.#run(waiter);
    }
  }

  async #run({ work, settle }: Waiter): Promise<void> {
    this.#running++;
    try {
      settle((await work()) ? "right" : "wrong");
    } catch {
      // The system had no memory for it: nothing was found out.
      settle("overloaded");
    } finally {
      this.#running--;
      this.#runNext();
    }
  }

  #leave({ key }: Client): void {
    const left = (this.#waitingOf.get(key) ?? 1) - 1;
    if (left > 0) this.#waitingOf.set(key, left);
    else this.#waitingOf.delete(key);
  }
}
