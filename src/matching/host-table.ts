/**
 * Host patterns → values. `example.org` is that name, `*.example.org` every name below it, `*` any name. A host gets
 * the values of all patterns that match it, most specific first: the exact name, wildcards from long to short, any.
 */
export class HostTable<T> {
  readonly #exact = new Map<string, readonly T[]>();
  readonly #wildcards = new Map<string, readonly T[]>();
  readonly #any: readonly T[];
  /** Length and number of labels of the longest wildcard suffix: a host's labels beyond that need no look. */
  readonly #suffixLengthMax: number;

  constructor(patterns: ReadonlyMap<string, T>) {
    const any = patterns.get(ANY_HOST);
    this.#any = any === undefined ? [] : [any];
    const wildcards = [...patterns.keys()].filter((pattern) => pattern.startsWith("*.")).map((text) => text.slice(1));
    wildcards.sort((a, b) => a.length - b.length);
    for (const suffix of wildcards)
      this.#wildcards.set(suffix, this.#chain(patterns.get(`*${suffix}`), suffix.slice(1)));
    this.#suffixLengthMax = wildcards.at(-1)?.length ?? 0;
    for (const [pattern, value] of patterns) {
      if (pattern !== ANY_HOST && !pattern.startsWith("*.")) this.#exact.set(pattern, this.#chain(value, pattern));
    }
  }

  /** `host` in lower case without port; a final dot, which DNS allows, makes no other name of it. */
  get(host: string): readonly T[] {
    if (this.#exact.size === 0 && this.#wildcards.size === 0) return this.#any;
    const name = host.endsWith(".") ? host.slice(0, -1) : host;
    return this.#exact.get(name) ?? this.#below(name);
  }

  #chain(value: T | undefined, name: string): readonly T[] {
    return value === undefined ? this.#below(name) : [value, ...this.#below(name)];
  }

  /** Values for `name` without those of its exact pattern. Looks at no more of a long name than the patterns have. */
  #below(name: string): readonly T[] {
    let found = this.#any;
    // The first label must not be empty: a suffix begins at index 1 or later.
    for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
      if (name.length - dot > this.#suffixLengthMax) break;
      found = this.#wildcards.get(name.slice(dot)) ?? found;
    }
    return found;
  }
}

export const ANY_HOST = "*";
