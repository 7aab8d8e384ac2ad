import { DEFAULTS } from "../support/defaults.ts";
import { choiceOf, nearest } from "../support/schema.ts";

/** The named definitions of one section, compiled; it remembers which of them something asked for. */
export class Definitions<V> extends Map<string, V> {
  /** Also those that did not compile: who names one of them has made no second mistake. */
  readonly defined: Set<string> = new Set();
  /** A file that may define more, and use any of them, could not be looked at: nothing is said of names. */
  isOpen = false;
  readonly #used = new Set<string>();
  /** Names that are not defined, each with the one that it is most like. */
  readonly #nearest = new Map<string, string | undefined>();

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
    this.#used.add(isDefined ? name : (this.#nearestTo(name) ?? name));
    return isDefined || this.isOpen;
  }

  /** What to write in place of a name that is not defined. */
  hint(name: string): string {
    const near = this.#nearestTo(name);
    return near === undefined ? choiceOf([...this.defined]) : `did you mean '${near}'?`;
  }

  unused(): readonly string[] {
    return this.isOpen ? [] : [...this.defined].filter((name) => !this.#used.has(name));
  }

  /** Each search goes through all names: only the first so many unknown ones are worth it. */
  #nearestTo(name: string): string | undefined {
    if (!this.#nearest.has(name)) {
      if (this.#nearest.size >= DEFAULTS.hintsMax) return undefined;
      this.#nearest.set(name, nearest(name, [...this.defined]));
    }
    return this.#nearest.get(name);
  }
}
