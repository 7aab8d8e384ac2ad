import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import type { Admitted, Ask } from "./ask.ts";
import type { Taken } from "./group.ts";

/**
 * Units of one key that were taken from the store at once and are spent here. The store counts them from when they were
 * taken, so it never gives out more than the limit; what is spent later than it was counted is the overshoot, at most
 * `counter.lease` for each process, for as long as a lease lasts.
 */
export class Lease {
  /** The ask that it was taken for; another of the same key and counter differs in its cost alone. */
  readonly ask: Ask;
  left = 0;
  /** Monotonic milliseconds. */
  untilMs = 0;
  /** How many units the next take wants: twice as many each time, so that a key that is asked once takes what it needs. */
  #wants = 1;
  /** What the last answer of the store said. */
  #told: Admitted | null = null;
  #toldAtMs = 0;
  /** While the store is asked for more; never rejects. */
  taking: Promise<void> | null = null;

  constructor(ask: Ask) {
    this.ask = ask;
  }

  get mark(): number {
    return this.#told?.mark ?? 0;
  }

  get wants(): number {
    return Math.min(this.#wants, this.ask.counter.lease);
  }

  /** Null where it has not as many. */
  spend(cost: number, nowMs: number): Admitted | null {
    const told = this.#told;
    if (told === null || this.left < cost || nowMs >= this.untilMs) return null;
    this.left -= cost;
    return {
      kind: "admitted",
      remaining: told.remaining + this.left,
      resetMs: Math.max(0, told.resetMs - (nowMs - this.#toldAtMs)),
      isLeased: true,
      mark: told.mark,
    };
  }

  /** What the store gave, of which the ask that filled it needs `cost`. */
  settle({ answer, units }: Taken, cost: number, nowMs: number): void {
    this.taking = null;
    if (answer.kind !== "admitted") {
      // The limit is near or reached: the rest is for all processes.
      this.#wants = 1;
      this.untilMs = Math.min(this.untilMs, nowMs);
      return;
    }
    this.#told = answer;
    this.#toldAtMs = nowMs;
    this.left += units - cost;
    this.#wants = Math.min(this.ask.counter.lease, this.#wants * 2);
    // What was taken of one window is not spent in the next.
    const isQuota = this.ask.counter.terms.kind === "quota";
    this.untilMs = nowMs + Math.min(LIMIT_DEFAULTS.storeLeaseMs, isQuota ? answer.resetMs : Number.POSITIVE_INFINITY);
  }
}

/** The store is asked for more of all these until what this gives is called. */
export function beginTaking(leases: readonly (Lease | null)[]): () => void {
  if (leases.every((lease) => lease === null)) return () => {};
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const lease of leases) if (lease !== null) lease.taking = promise;
  return resolve;
}

/** Leases by key, bounded: a key beyond that is asked of the store each time. */
export class Leases {
  readonly #leases = new Map<string, Lease>();

  get size(): number {
    return this.#leases.size;
  }

  /** Null where it is another policy's, and its terms may be others. */
  get(name: string, { counter }: Ask): Lease | null {
    const lease = this.#leases.get(name);
    return lease?.ask.counter === counter ? lease : null;
  }

  /** One without units; null where there are too many, or another policy's is not spent yet. */
  open(name: string, ask: Ask): Lease | null {
    if (this.#leases.size >= LIMIT_DEFAULTS.storeLeasesMax || this.#leases.has(name)) return null;
    const lease = new Lease(ask);
    lease.untilMs = Number.POSITIVE_INFINITY;
    this.#leases.set(name, lease);
    return lease;
  }

  /** Takes out those whose time has come. */
  takeEnded(nowMs: number): readonly Lease[] {
    const ended: Lease[] = [];
    for (const [name, lease] of this.#leases) {
      if (lease.taking !== null || nowMs < lease.untilMs) continue;
      this.#leases.delete(name);
      ended.push(lease);
    }
    return ended;
  }

  takeAll(): readonly Lease[] {
    const all = [...this.#leases.values()];
    this.#leases.clear();
    return all;
  }
}
