/** The named definitions of one section, compiled; it remembers which of them something asked for. */
export class Definitions<V> extends Map<string, V> {
  /** Also those that did not compile: who names one of them has made no second mistake. */
  readonly defined: Set<string> = new Set();
  readonly #used = new Set<string>();

  override get(name: string): V | undefined {
    this.#used.add(name);
    return super.get(name);
  }

  override has(name: string): boolean {
    this.#used.add(name);
    return super.has(name);
  }

  isDefined(name: string): boolean {
    this.#used.add(name);
    return this.defined.has(name);
  }

  unused(): readonly string[] {
    return [...this.defined].filter((name) => !this.#used.has(name));
  }
}
