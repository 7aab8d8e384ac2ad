import type { Charge } from "../../memory/account.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/**
 * What was established about credentials, by their text, bounded in entries, in bytes of text and by the memory that
 * caches may hold. Two generations: entries go into the young one; when it holds half of what is allowed it becomes the
 * old one, and what was in the old one and not asked for since is forgotten. A hit costs one look-up, and no entry in use
 * is lost to a flood of others unless the flood is as large as the cache.
 */
export class TokenCache<T> {
  readonly #charge: Charge;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  #young = new Map<string, T>();
  #youngBytes = 0;
  #old = new Map<string, T>();
  #oldBytes = 0;
  #closed = false;

  constructor(
    charge: Charge,
    entriesMax: number = DEFAULTS.tokenCacheEntriesMax,
    bytesMax: number = DEFAULTS.tokenCacheBytesMax,
  ) {
    this.#charge = charge;
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
    if (this.#closed) return;
    if (this.#young.size + 1 > this.#entriesMax || this.#youngBytes + text.length > this.#bytesMax) this.#age();
    if (!this.#young.has(text)) {
      while (!this.#hold(text.length)) {
        if (this.size === 0) return;
        this.#age();
      }
      this.#youngBytes += text.length;
    }
    // A header's text is often a slice of the whole head; a copy does not keep the head in memory.
    this.#young.set(Buffer.from(text, "latin1").toString("latin1"), value);
  }

  delete(text: string): void {
    if (this.#young.delete(text)) this.#youngBytes -= text.length;
    this.#old.delete(text);
  }

  /** Forgets everything, and takes nothing any more. */
  close(): void {
    this.#closed = true;
    this.#age();
    this.#age();
  }

  #age(): void {
    this.#old = this.#young;
    this.#oldBytes = this.#youngBytes;
    this.#young = new Map();
    this.#youngBytes = 0;
    this.#hold(0);
  }

  /** Of the old generation what was asked for since counts twice, until it goes. */
  #hold(moreBytes: number): boolean {
    const entries = this.size + (moreBytes > 0 ? 1 : 0);
    return this.#charge.hold(this.#youngBytes + this.#oldBytes + moreBytes + entries * DEFAULTS.memoryTokenBytes);
  }
}
