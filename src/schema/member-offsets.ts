import { ObjectMap } from "../support/object-map.ts";

/** Where the members and items of a text begin, by their containers. */
export class MemberOffsets {
  readonly #ofContainers = new ObjectMap<Map<string | number, number>>();
  /** The container of the last that was added: most of the time it is that of the next. */
  #last: object | null = null;
  #ofLast: Map<string | number, number> | null = null;

  add(container: object, key: string | number, offset: number): void {
    if (container !== this.#last) {
      this.#last = container;
      this.#ofLast = this.#ofContainers.get(container) ?? null;
    }
    this.#ofLast ??= this.#begin(container);
    this.#ofLast.set(key, offset);
  }

  #begin(container: object): Map<string | number, number> {
    const offsets = new Map<string | number, number>();
    this.#ofContainers.add(container, offsets);
    return offsets;
  }

  get(container: object, key: string | number): number | undefined {
    return this.#ofContainers.get(container)?.get(key);
  }
}
