/** What a row says of a method that its place does not take. */
export const NO_VALUE = 0;

/** What claims which methods of a place; none means any. Of two that claim the same, the first has it. */
export interface MethodClaim {
  readonly methods: readonly string[];
  /** The caller's own number, 1 or more. */
  readonly value: number;
}

// A row is one word a method, its value and the method's number; then one for any other method, with NO_VALUE where it is
// refused; then the number of the place's Allow header.
const METHOD_BITS = 10;
const ANY = (1 << METHOD_BITS) - 1;
const VALUES_MAX = 1 << (31 - METHOD_BITS);

/** Values by place and method; a place is a row of integers, so that it can lie beside what leads to it. */
export class MethodTable {
  /** Every method that any place names, its number by position. A few, so walking them beats hashing the one asked for. */
  readonly #methods: string[] = [];
  readonly #allows: string[] = [];

  /** HEAD is GET where no claim names it (RFC 9110 section 9.3.2). */
  addRow(claims: readonly MethodClaim[]): readonly number[] {
    const byMethod = new Map<string, number>();
    for (const { methods, value } of claims) {
      for (const method of methods) if (!byMethod.has(method)) byMethod.set(method, value);
    }
    const get = byMethod.get("GET");
    if (get !== undefined && !byMethod.has("HEAD")) byMethod.set("HEAD", get);
    const any = claims.find((claim) => claim.methods.length === 0)?.value ?? NO_VALUE;
    const words = [...byMethod].map(([method, value]) => word(value, this.#column(method)));
    return [...words, word(any, ANY), indexIn(this.#allows, [...byMethod.keys()].sort().join(", "))];
  }

  /** The value for `method` in the row that begins at `words[row]`, or NO_VALUE. */
  get(words: Int32Array, row: number, method: string): number {
    const methods = this.#methods;
    let column = 0;
    while (column < methods.length && methods[column] !== method) column++;
    for (let at = row; ; at++) {
      const word = words[at] as number;
      if ((word & ANY) === column || (word & ANY) === ANY) return word >>> METHOD_BITS;
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
}

function word(value: number, column: number): number {
  if (value >= VALUES_MAX) throw new RangeError("too many routes for one table");
  return (value << METHOD_BITS) | column;
}

/** Position of `text` in `list`, added where it is not there yet. */
function indexIn(list: string[], text: string): number {
  const at = list.indexOf(text);
  return at < 0 ? list.push(text) - 1 : at;
}
