export interface TopCount {
  readonly key: string;
  readonly count: number;
}

interface Entry {
  count: number;
  /** What it took over from the one whose place it took: so many of `count` may be others'. */
  readonly foreign: number;
}

/**
 * How often each of the most frequent keys was seen, of a bounded number of them (space saving, Metwally and others 2005): a
 * newcomer takes the place and the count of the smallest, so that whoever is seen often is never missing, however many
 * others come by once. What is told of a key is only what is certainly its own; the rest is told as `other`.
 */
export class TopCounts {
  readonly #entries = new Map<string, Entry>();
  readonly #keysMax: number;
  total = 0;

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  /** True where the key was not among them. */
  note(key: string): boolean {
    this.total++;
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.count++;
      return false;
    }
    const foreign = this.#entries.size < this.#keysMax ? 0 : this.#removeSmallest();
    this.#entries.set(key, { count: foreign + 1, foreign });
    return true;
  }

  /** The greatest first. */
  get list(): readonly TopCount[] {
    return [...this.#entries]
      .map(([key, { count, foreign }]) => ({ key, count: count - foreign }))
      .sort((a, b) => b.count - a.count);
  }

  get other(): number {
    return this.list.reduce((left, { count }) => left - count, this.total);
  }

  #removeSmallest(): number {
    let smallestKey = "";
    let smallest = Number.POSITIVE_INFINITY;
    for (const [key, { count }] of this.#entries) {
      if (count >= smallest) continue;
      smallest = count;
      smallestKey = key;
    }
    this.#entries.delete(smallestKey);
    return smallest;
  }
}
