import type { KeyHash } from "../../limits/rate/key-hash.ts";
import type { RateTable } from "../../limits/rate/rate-table.ts";
import { type Address, clientKey } from "../../message/address.ts";

/** So many failures at once, and from then on so many a minute. */
export interface GuessRate {
  readonly burst: number;
  readonly perMinute: number;
}

const ADDRESS = 1;
const USER = 2;

/**
 * Failures to log in, by address and by user, also by users that do not exist; they outlive the policy. Who asks first and
 * counts afterwards lets no more through than those that are being verified just then.
 */
export class Guesses {
  readonly #table: RateTable;
  readonly #ofAddress: { readonly intervalMs: number; readonly toleranceMs: number };
  readonly #ofUser: { readonly intervalMs: number; readonly toleranceMs: number };

  readonly #prefix: KeyHash;
  #isUsed = false;

  constructor(table: RateTable, ofAddress: GuessRate, ofUser: GuessRate) {
    this.#table = table;
    this.#prefix = table.prefix("guesses");
    this.#ofAddress = scaleOf(ofAddress);
    this.#ofUser = scaleOf(ofUser);
  }

  /** Milliseconds until another guess may be made; 0 for now. */
  waitMs(user: string, address: Address): number {
    this.#feed(ADDRESS, String(clientKey(address)));
    const forAddress = this.#table.peek(this.#ofAddress.intervalMs, this.#ofAddress.toleranceMs);
    this.#feed(USER, user);
    return Math.max(forAddress, this.#table.peek(this.#ofUser.intervalMs, this.#ofUser.toleranceMs));
  }

  /** Nobody has guessed so far. */
  forget(): void {
    if (this.#isUsed) this.#table.clear();
    this.#isUsed = false;
  }

  failed(user: string, address: Address): void {
    this.#isUsed = true;
    this.#feed(ADDRESS, String(clientKey(address)));
    this.#table.take(this.#ofAddress.intervalMs, this.#ofAddress.toleranceMs);
    this.#feed(USER, user);
    this.#table.take(this.#ofUser.intervalMs, this.#ofUser.toleranceMs);
  }

  #feed(kind: number, text: string): void {
    const { hash } = this.#table;
    hash.copy(this.#prefix);
    hash.word(kind);
    hash.text(text);
  }
}

function scaleOf({ burst, perMinute }: GuessRate): { intervalMs: number; toleranceMs: number } {
  const intervalMs = 60_000 / perMinute;
  return { intervalMs, toleranceMs: burst * intervalMs };
}
