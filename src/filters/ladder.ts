import { KeyHash } from "../limits/rate/key-hash.ts";
import { clientKey } from "../message/address.ts";
import type { Exchange } from "../message/exchange.ts";

/** `enforcePercent` of a check that is off: nobody asks it. */
export const OFF = -1;

/** Which callers a check enforces for where it enforces for a share: from 0 to 1, those below the share. */
export interface Shares {
  /** `check`: its name. */
  of(check: string, exchange: Exchange): number;
}

/** What is only rehearsed is told as if it were in each share. */
export const IN_EVERY_SHARE: Shares = { of: () => 0 };

/** A random key of 64 bits, as two words. */
export type LadderSeed = readonly [number, number];

/**
 * The same caller is always in a share or always out of it, so that nobody gets through by trying again: its principal, and
 * before one is known, or where all are anonymous, its address. A keyed hash, for whoever could work it out would come from
 * an address that is left out. Each check has other callers, so that no caller meets all that is new at once.
 */
export class CallerShares implements Shares {
  readonly #prefix: KeyHash;
  readonly #hash: KeyHash;

  constructor(seed: LadderSeed) {
    this.#prefix = new KeyHash(seed);
    this.#hash = new KeyHash(seed);
  }

  of(check: string, { principal, clientAddress }: Exchange): number {
    const hash = this.#hash;
    hash.copy(this.#prefix);
    hash.text(check);
    const isKnown = principal !== null && principal.type !== "anonymous";
    // The key of a principal has a slash, and no address has.
    hash.text(isKnown ? principal.key : String(clientKey(clientAddress)));
    hash.finish();
    return (hash.high >>> 0) / 2 ** 32;
  }
}
