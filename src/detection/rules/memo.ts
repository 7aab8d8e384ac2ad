/** What all memos of a rule set may keep, in characters of their keys: when it is full, all of them begin anew. */
export class MemoRoom {
  readonly #charactersMax: number;
  readonly #memos = new Set<{ clear(): void }>();
  #characters = 0;

  constructor(charactersMax: number) {
    this.#charactersMax = charactersMax;
  }

  take(memo: { clear(): void }, characters: number): void {
    this.#characters += characters;
    if (this.#characters > this.#charactersMax) {
      for (const one of this.#memos) one.clear();
      this.#memos.clear();
      this.#characters = characters;
    }
    this.#memos.add(memo);
  }
}

/** Remembers the values of the last keys: at least `most`, at most twice as many, as long as there is room. */
export class Memo<V> {
  readonly #most: number;
  readonly #room: MemoRoom;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(most: number, room: MemoRoom) {
    this.#most = most;
    this.#room = room;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    return old === undefined ? undefined : this.set(key, old);
  }

  set(key: string, value: V): V {
    this.#room.take(this, key.length);
    if (this.#young.size >= this.#most) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    return value;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
