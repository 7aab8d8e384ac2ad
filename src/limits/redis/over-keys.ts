import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import type { Ask, StoreCounter } from "./ask.ts";

interface OverKey {
  readonly counter: StoreCounter;
  /** Of the request that was over; one that costs less may still be let in. */
  readonly cost: number;
  /** Monotonic milliseconds at which the same request would be let in. */
  readonly untilMs: number;
  /** From then on the store is asked all the same: somebody may have reset the counter there. */
  readonly askAgainMs: number;
}

/**
 * Keys that a store said are over: until they are not, nobody asks it again, so that a client who is denied costs no round
 * trip. Bounded; the one that is known longest gives way, and costs a round trip again.
 */
export class OverKeys {
  readonly #keys = new Map<string, OverKey>();

  get size(): number {
    return this.#keys.size;
  }

  /** Milliseconds that the ask has to wait for; 0 where nothing is known against it. `name` is the key's, within the store. */
  waitMs(name: string, { counter, cost }: Ask, nowMs: number): number {
    const over = this.#keys.get(name);
    if (over === undefined) return 0;
    if (over.counter !== counter || nowMs >= over.askAgainMs) {
      this.#keys.delete(name);
      return 0;
    }
    if (cost < over.cost) return 0;
    const more = counter.terms.kind === "rate" ? ((cost - over.cost) * counter.terms.intervalUs) / 1000 : 0;
    return over.untilMs - nowMs + more;
  }

  note(name: string, { counter, cost }: Ask, waitMs: number, nowMs: number): void {
    this.#keys.delete(name);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size >= LIMIT_DEFAULTS.storeOverKeysMax && oldest !== undefined) this.#keys.delete(oldest);
    const untilMs = nowMs + waitMs;
    const askAgainMs = Math.min(untilMs, nowMs + LIMIT_DEFAULTS.storeOverMsMax);
    this.#keys.set(name, { counter, cost, untilMs, askAgainMs });
  }

  /** Units of it came back. */
  forget(name: string): void {
    this.#keys.delete(name);
  }
}
