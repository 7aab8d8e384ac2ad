/** Who claims which methods of a place; none means any. Of two that claim the same, the first has it. */
export interface MethodClaim<T> {
  readonly methods: readonly string[];
  readonly value: T;
}

// A row is one word a method, its value's number and the method's; then one for any other method, of value 0 where it is
// refused; then the number of the place's Allow header.
const METHOD_BITS = 10;
const ANY = (1 << METHOD_BITS) - 1;
const VALUES_MAX = 1 << (31 - METHOD_BITS);

/** Values by place and method; a place is a row of integers, so that it can lie beside what leads to it. */
export class MethodTable<T> {
  /** Every method that any place names, its number by position. A few, so walking them beats hashing the one asked for. */
  readonly #methods: string[] = [];
  readonly #values: (T | null)[] = [null];
  readonly #numbers = new Map<T, number>();
  readonly #allows: string[] = [];

  /** HEAD is GET where no claim names it (RFC 9110 section 9.3.2). */
  addRow(claims: readonly MethodClaim<T>[]): readonly number[] {
    const byMethod = new Map<string, T>();
    for (const { methods, value } of claims) {
      for (const method of methods) if (!byMethod.has(method)) byMethod.set(method, value);
    }
    const get = byMethod.get("GET");
    if (get !== undefined && !byMethod.has("HEAD")) byMethod.set("HEAD", get);
    const any = claims.find((claim) => claim.methods.length === 0);
    const words = [...byMethod].map(([method, value]) => (this.#numberOf(value) << METHOD_BITS) | this.#column(method));
    words.push(((any === undefined ? 0 : this.#numberOf(any.value)) << METHOD_BITS) | ANY);
    return [...words, indexIn(this.#allows, [...byMethod.keys()].sort().join(", "))];
  }

  /** The value for `method` in the row that begins at `words[row]`, or null. */
  get(words: Int32Array, row: number, method: string): T | null {
    const methods = this.#methods;
    let column = 0;
    while (column < methods.length && methods[column] !== method) column++;
    let at = row;
    for (;;) {
      const word = words[at] as number;
      if ((word & ANY) === column || (word & ANY) === ANY) return this.#values[word >>> METHOD_BITS] as T | null;
      at++;
    }
  }

  /** Value of the Allow header: the methods that the row names, sorted, HEAD wherever GET is. */
  allow(words: Int32Array, row: number): string {
    let at = row;
    while (((words[at] as number) & ANY) !== ANY) at++;
    return this.#allows[words[at + 1] as number] ?? "";
  }

  #column(method: string): number {
    const column = indexIn(this.#methods, method);
    if (column >= ANY) throw new RangeError("too many different methods for one table");
    return column;
  }

  #numberOf(value: T): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.#values.push(value) - 1;
    if (number >= VALUES_MAX) throw new RangeError("too many routes for one table");
    this.#numbers.set(value, number);
    return number;
  }
}

/** Position of `text` in `list`, added where it is not there yet. */
function indexIn(list: string[], text: string): number {
  const at = list.indexOf(text);
  return at < 0 ? list.push(text) - 1 : at;
}
