/**
 * Values by method for many places at once, in one array: an answer is one read away. HEAD is GET where a place does not
 * name it (RFC 9110 section 9.3.2).
 */
export class MethodTable<T> {
  /** Every method that any place names. A few, so walking them is faster than hashing the one asked for. */
  readonly #methods: readonly string[];
  /** A row for each place, a column for each method, and a last column for all others. */
  readonly #values: readonly (T | null)[];
  readonly #allow: readonly string[];

  constructor(places: readonly (readonly MethodClaim<T>[])[]) {
    const named = places.flatMap((claims) => claims.flatMap((claim) => claim.methods));
    this.#methods = [...new Set([...named, "HEAD"])];
    const columns = [...this.#methods, null];
    this.#values = places.flatMap((claims) => columns.map((method) => valueFor(claims, method)));
    this.#allow = places.map(allowOf);
  }

  get(place: number, method: string): T | null {
    const methods = this.#methods;
    let column = 0;
    while (column < methods.length && methods[column] !== method) column++;
    return this.#values[place * (methods.length + 1) + column] as T | null;
  }

  /** Value of the Allow header: what is named at this place, sorted, HEAD wherever GET is. */
  allow(place: number): string {
    return this.#allow[place] ?? "";
  }
}

/** Who claims which methods of a place; none means any. Of two that claim the same, the first has it. */
export interface MethodClaim<T> {
  readonly methods: readonly string[];
  readonly value: T;
}

function valueFor<T>(claims: readonly MethodClaim<T>[], method: string | null): T | null {
  const naming = (name: string | null) => claims.find((claim) => name !== null && claim.methods.includes(name));
  const claim = naming(method) ?? naming(method === "HEAD" ? "GET" : null);
  return (claim ?? claims.find((each) => each.methods.length === 0))?.value ?? null;
}

function allowOf(claims: readonly MethodClaim<unknown>[]): string {
  const methods = new Set(claims.flatMap((claim) => claim.methods));
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort().join(", ");
}
