/** The routes of one place by method. HEAD is GET where no route names it (RFC 9110 section 9.3.2). */
export class MethodTable<T> {
  // Parallel, for a place has a few methods: walking them is faster than hashing the one asked for.
  readonly #methods: string[] = [];
  readonly #values: T[] = [];
  readonly #any: T | null;
  /** Value of the Allow header, sorted; of no use where any method is taken. */
  readonly allow: string;

  /** What claims which methods; none means any. Of two that claim the same, the first has it. */
  constructor(claims: readonly { readonly methods: readonly string[]; readonly value: T }[]) {
    this.#any = claims.find((claim) => claim.methods.length === 0)?.value ?? null;
    for (const { methods, value } of claims) for (const method of methods) this.#add(method, value);
    const get = this.get("GET");
    if (get !== null && this.#methods.includes("GET")) this.#add("HEAD", get);
    this.allow = [...this.#methods].sort().join(", ");
  }

  get(method: string): T | null {
    const methods = this.#methods;
    for (let at = 0; at < methods.length; at++) if (methods[at] === method) return this.#values[at] as T;
    return this.#any;
  }

  #add(method: string, value: T): void {
    if (this.#methods.includes(method)) return;
    this.#methods.push(method);
    this.#values.push(value);
  }
}
