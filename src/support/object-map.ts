/** A table is moved whole when it grows: beyond so many objects that takes V8 30 ms and more, up to here a fifth of one. */
const PART_ENTRIES_MAX = 16_384;

/** Values by object, for very many of them: it grows without holding the thread. */
export class ObjectMap<V extends NonNullable<unknown>> {
  readonly #parts: Map<object, V>[] = [];

  get(object: object): V | undefined {
    for (let at = this.#parts.length - 1; at >= 0; at--) {
      const value = this.#parts[at]?.get(object);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** `object` has none yet. */
  add(object: object, value: V): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && last.size < PART_ENTRIES_MAX) last.set(object, value);
    else this.#parts.push(new Map([[object, value]]));
  }
}
