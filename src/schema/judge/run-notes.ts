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
/** With more, whatever lies deeper has notes of its own. */
const NOTES_MAX = 4_096;

/**
 * What one run found out about values. Each thousand children of a long list or object have notes of their own, and so has
 * what comes when these are full: a map that grows is written anew as a whole, and one of a million values holds the thread
 * for many milliseconds then.
 */
export class RunNotes {
  /** Verdicts on values, by the number of the schema; most notes have none, or no stretches. */
  #results: Map<number, Map<unknown, boolean>> | null = null;
  #stretches: Map<number, Map<unknown, Stretch>> | null = null;
  #shards: Map<unknown, RunNotes[]> | null = null;
  #count = 0;

  /** Notes for the child at that place of a value, and all below it. */
  ofChild(value: unknown, count: number, at: number): RunNotes {
    let shards = this.#shards?.get(value);
    if (shards === undefined) {
      if (count <= SHARD_CHILDREN && this.#count < NOTES_MAX) return this;
      shards = [];
      this.#shards ??= new Map();
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

  result(key: number, value: unknown): boolean | null {
    return this.#results?.get(key)?.get(value) ?? null;
  }

  setResult(key: number, value: unknown, result: boolean): void {
    this.#results ??= new Map();
    this.#set(this.#results, key, value, result);
  }

  stretch(key: number, value: unknown): Stretch | undefined {
    return this.#stretches?.get(key)?.get(value);
  }

  setStretch(key: number, value: unknown, stretch: Stretch): void {
    this.#stretches ??= new Map();
    this.#set(this.#stretches, key, value, stretch);
  }

  #set<Note>(notes: Map<number, Map<unknown, Note>>, key: number, value: unknown, note: Note): void {
    const ofKey = notes.get(key);
    if (ofKey === undefined) notes.set(key, new Map([[value, note]]));
    else ofKey.set(value, note);
    this.#count++;
  }
}
