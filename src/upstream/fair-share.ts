import { DEFAULTS } from "../support/defaults.ts";

/** Who waits for a connection to the service, by the address of the client. */
export interface Waiter {
  readonly client: string;
}

/** A connection that somebody has. */
export interface Holding {
  /** The client's address. */
  readonly holder: string;
  /** Since when it waits for that client, monotonic milliseconds; Infinity where it does not. */
  readonly clientAwaitedSinceMs: number;
}

/**
 * Who gets a connection while there are not enough. Looked at only then, so that it costs nothing otherwise: a client
 * that opens hundreds of requests, and reads or writes them a byte a second, must not shut the others out.
 */
export class FairShare {
  readonly #held = new Map<string, number>();

  constructor(open: Iterable<Holding>) {
    for (const { holder } of open) this.#held.set(holder, this.#heldBy(holder) + 1);
  }

  #heldBy(client: string): number {
    return this.#held.get(client) ?? 0;
  }

  /** The first of those whose clients hold fewest connections. */
  next<W extends Waiter>(waiting: Iterable<W>): W | undefined {
    let best: W | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const waiter of waiting) {
      const held = this.#heldBy(waiter.client);
      if (held >= fewest) continue;
      best = waiter;
      fewest = held;
      if (held === 0) break;
    }
    return best;
  }

  /**
   * The connection to take for `waiter`: of the client that holds most of those that wait for their clients, the one that
   * has waited longest. A client that holds no more than the waiter's does is left more time.
   */
  reclaim<H extends Holding>(open: Iterable<H>, waiter: Waiter, nowMs: number): H | undefined {
    let victim: H | undefined;
    let most = 0;
    for (const holding of open) {
      const held = this.#heldBy(holding.holder);
      const isUnfair = held > this.#heldBy(waiter.client) + 1;
      const patienceMs = isUnfair ? DEFAULTS.greedyClientYieldMs : DEFAULTS.slowClientYieldMs;
      if (nowMs - holding.clientAwaitedSinceMs < patienceMs || held < most) continue;
      const isSlower = victim === undefined || holding.clientAwaitedSinceMs < victim.clientAwaitedSinceMs;
      if (held > most || isSlower) victim = holding;
      most = held;
    }
    return victim;
  }
}
