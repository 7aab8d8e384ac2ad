import type { Address } from "../message/address.ts";

/**
 * How many connections each client has open. An IPv6 client counts by its /64, which is what one subscriber gets: within
 * it there are more addresses than any limit could tell apart. Holds as many entries as there are connections at most.
 */
export class AddressCounts {
  readonly #counts = new Map<number | string, number>();

  /** Counts one more, or gives false where that would be more than `most`. */
  take(address: Address, most: number): boolean {
    const key = keyOf(address);
    const count = this.#counts.get(key) ?? 0;
    if (count >= most) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  release(address: Address): void {
    const key = keyOf(address);
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}

function keyOf({ family, w0, w1 }: Address): number | string {
  return family === 4 ? w0 : `${w0}:${w1}`;
}
