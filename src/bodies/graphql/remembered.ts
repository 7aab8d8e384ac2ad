import { DEFAULTS } from "../../support/defaults.ts";

/** Texts of documents by their hash, the last used of them: automatic persisted queries. */
export class RememberedDocuments {
  readonly #texts = new Map<string, string>();
  #chars = 0;

  textOf(hash: string): string | null {
    const text = this.#texts.get(hash);
    if (text === undefined) return null;
    this.#texts.delete(hash);
    this.#texts.set(hash, text);
    return text;
  }

  remember(hash: string, text: string): void {
    if (this.textOf(hash) !== null) return;
    this.#texts.set(hash, text);
    this.#chars += text.length;
    for (const [oldest, old] of this.#texts) {
      if (this.#texts.size <= DEFAULTS.graphqlPersistedMax && this.#chars <= DEFAULTS.graphqlPersistedCharsMax) return;
      this.#texts.delete(oldest);
      this.#chars -= old.length;
    }
  }
}
