import { Account } from "../../memory/account.ts";
import { NOBODY } from "../../memory/budget.ts";
import type { Clock } from "../../support/clock.ts";
import { RateTable } from "./rate-table.ts";

/**
 * Each limit's share of what is counted: a table of its own, so that keys of one limit never push out those of another.
 * A share outlives the policy that asked for it as long as the next one asks for the same; when no policy in force, no
 * request that began under one, and no compilation holds it any more, its memory goes.
 */
export class RateTables {
  readonly #shares = new Map<string, WeakRef<RateTable>>();
  readonly #seed: readonly [number, number];
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #keysMax: number;
  readonly #account: Account;
  readonly #gone: FinalizationRegistry<number>;
  /** At how many shares those that are gone are looked for. */
  #sweepAt = 64;

  /** `seed`: random 32-bit words. `keysMax`: where fewer do than a policy asks for, as in a command that judges once. `account`: what counts their memory. */
  constructor(
    seed: readonly [number, number],
    clock: Pick<Clock, "monotonicMs">,
    keysMax: number = Number.POSITIVE_INFINITY,
    account: Account = new Account(),
  ) {
    this.#account = account;
    this.#gone = new FinalizationRegistry((bytes) => account.release(NOBODY, bytes));
    this.#seed = seed;
    this.#clock = clock;
    this.#keysMax = keysMax;
  }

  /** The table of whatever `identity` names, for so many keys; with the counters that it has. */
  share(identity: string, keys: number): RateTable {
    const sized = Math.min(keys, this.#keysMax);
    const name = `${sized} ${identity}`;
    const kept = this.#shares.get(name)?.deref();
    if (kept !== undefined) return kept;
    if (this.#shares.size >= this.#sweepAt) this.#sweep();
    const made = new RateTable(sized, this.#seed, this.#clock);
    this.#shares.set(name, new WeakRef(made));
    // The policy asks for it, and bounds it; it is not refused here.
    this.#account.takeUnasked(NOBODY, made.bytes);
    this.#gone.register(made, made.bytes);
    return made;
  }

  /** Nothing was counted so far: each test of a policy begins so. */
  forget(): void {
    for (const share of this.#shares.values()) share.deref()?.clear();
  }

  #sweep(): void {
    for (const [name, share] of this.#shares) if (share.deref() === undefined) this.#shares.delete(name);
    this.#sweepAt = 64 + 2 * this.#shares.size;
  }
}
