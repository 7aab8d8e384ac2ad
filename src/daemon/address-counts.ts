import { type Address, clientKey } from "../message/address.ts";

/** How many connections each client has open. Holds as many entries as there are connections at most. */
export class AddressCounts {
  readonly #counts = new Map<number | string, number>();

  /** Counts one more, or gives false where that would be more than `most`. */
  take(address: Address, most: number): boolean {
    const key = clientKey(address);
    const count = this.#counts.get(key) ?? 0;
    if (count >= most) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  release(address: Address): void {
    const key = clientKey(address);
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}
