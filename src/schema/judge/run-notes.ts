/** What a list of children leaves behind where its work was broken off, or took long. */
export interface Stretch {
  at: number;
  good: boolean;
  result: boolean | null;
  /** The result for who collects faults, which are then in the list. */
  told: boolean | null;
}

/** A power of two. */
const SHARD_CHILDREN = 1_024;

/**
 * What one run found out about values. Of a long list or object each thousand children have notes of their own: a map that
 * grows is written anew as a whole, and one of a million values holds the thread for many milliseconds then.
 */
export class RunNotes {
  readonly #ofValues = new Map<unknown, Map<number, Stretch>>();
  readonly #shards = new Map<unknown, RunNotes[]>();

  /** Notes for the child at that place of a value, and all below it. */
  ofChild(value: unknown, count: number, at: number): RunNotes {
    if (count <= SHARD_CHILDREN) return this;
    let shards = this.#shards.get(value);
    if (shards === undefined) {
      shards = [];
      this.#shards.set(value, shards);
    }
    const index = Math.floor(at / SHARD_CHILDREN);
    let notes = shards[index];
    if (notes === undefined) {
      notes = new RunNotes();
      shards[index] = notes;
    }
    return notes;
  }

  find(key: number, value: unknown): Stretch | undefined {
    return this.#ofValues.get(value)?.get(key);
  }

  stretch(key: number, value: unknown): Stretch {
    let ofValue = this.#ofValues.get(value);
    if (ofValue === undefined) {
      ofValue = new Map();
      this.#ofValues.set(value, ofValue);
    }
    let stretch = ofValue.get(key);
    if (stretch === undefined) {
      stretch = { at: 0, good: true, result: null, told: null };
      ofValue.set(key, stretch);
    }
    return stretch;
  }
}
