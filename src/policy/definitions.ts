import { nearest } from "../support/schema.ts";

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

  /** A name that is not counts as a use of the one that is most like it: that is what its author will mend it to. */
  isDefined(name: string): boolean {
    const isDefined = this.defined.has(name);
    this.#used.add(isDefined ? name : (nearest(name, [...this.defined]) ?? name));
    return isDefined;
  }

  unused(): readonly string[] {
    return [...this.defined].filter((name) => !this.#used.has(name));
  }
}
