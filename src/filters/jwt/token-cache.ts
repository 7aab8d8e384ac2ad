import { DEFAULTS } from "../../support/defaults.ts";

/**
 * What was established about credentials, by their text, bounded in entries and in bytes of text. Two generations:
 * entries go into the young one; when it holds half of what is allowed it becomes the old one, and what was in the
 * old one and not asked for since is forgotten. A hit costs one look-up, and no entry in use is lost to a flood of
 * others unless the flood is as large as the cache.
 */
export class TokenCache<T> {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  #young = new Map<string, T>();
  #youngBytes = 0;
  #old = new Map<string, T>();

  constructor(entriesMax: number = DEFAULTS.tokenCacheEntriesMax, bytesMax: number = DEFAULTS.tokenCacheBytesMax) {
    this.#entriesMax = entriesMax / 2;
    this.#bytesMax = bytesMax / 2;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(text: string): T | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) {
      this.#old.delete(text);
      this.set(text, old);
    }
    return old;
  }

  set(text: string, value: T): void {
    if (this.#young.size + 1 > this.#entriesMax || this.#youngBytes + text.length > this.#bytesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    // A header's text is often a slice of the whole head; a copy does not keep the head in memory.
    const copy = Buffer.from(text, "latin1").toString("latin1");
    if (!this.#young.has(copy)) this.#youngBytes += copy.length;
    this.#young.set(copy, value);
  }

  delete(text: string): void {
    if (this.#young.delete(text)) this.#youngBytes -= text.length;
    this.#old.delete(text);
  }
}
