import { Chain, type Link } from "./chain.ts";

/** Where a thing stands among others. */
export interface Standing<T> {
  rank: number;
  link: Link<T>;
}

/**
 * Things by a whole number that changes by one at a time: one of the lowest and one of the highest are found at once, and
 * equals stand in the order in which they came to be so.
 */
export class Ranks<T> {
  readonly #ranks = new Map<number, Chain<T>>();
  #lowest = 0;
  #highest = 0;

  add(item: T, rank: number): Standing<T> {
    return { rank, link: this.#put(item, rank) };
  }

  /** Behind those that have the rank already, also where it is its own. */
  move(standing: Standing<T>, rank: number): void {
    const { item } = standing.link;
    this.remove(standing);
    standing.rank = rank;
    standing.link = this.#put(item, rank);
  }

  remove({ rank, link }: Standing<T>): void {
    const equals = this.#ranks.get(rank);
    if (equals === undefined || !equals.remove(link) || equals.size > 0) return;
    this.#ranks.delete(rank);
    if (this.#ranks.size === 0) return;
    while (!this.#ranks.has(this.#lowest)) this.#lowest++;
    while (!this.#ranks.has(this.#highest)) this.#highest--;
  }

  /** The first of the lowest. */
  get first(): T | null {
    return this.#ranks.get(this.#lowest)?.first ?? null;
  }

  /** The last of the highest. */
  get top(): T | null {
    return this.#ranks.get(this.#highest)?.last ?? null;
  }

  #put(item: T, rank: number): Link<T> {
    const isOnly = this.#ranks.size === 0;
    if (isOnly || rank < this.#lowest) this.#lowest = rank;
    if (isOnly || rank > this.#highest) this.#highest = rank;
    let equals = this.#ranks.get(rank);
    if (equals === undefined) {
      equals = new Chain();
      this.#ranks.set(rank, equals);
    }
    return equals.add(item);
  }
}
