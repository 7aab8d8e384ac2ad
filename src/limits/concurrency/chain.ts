/** A thing's place in a chain. */
export interface Link<T> {
  readonly item: T;
  chain: Chain<T> | null;
  before: Link<T> | null;
  after: Link<T> | null;
}

/**
 * Things in the order in which they came. Both ends, adding and taking out cost the same however long it is; a Set passes
 * over everything that was deleted before its first member.
 */
export class Chain<T> {
  #first: Link<T> | null = null;
  #last: Link<T> | null = null;
  size = 0;

  get first(): T | null {
    return this.#first?.item ?? null;
  }

  get last(): T | null {
    return this.#last?.item ?? null;
  }

  get lastLink(): Link<T> | null {
    return this.#last;
  }

  add(item: T): Link<T> {
    const link: Link<T> = { item, chain: this, before: this.#last, after: null };
    if (this.#last === null) this.#first = link;
    else this.#last.after = link;
    this.#last = link;
    this.size++;
    return link;
  }

  /** False, and nothing happens, where it is out already. */
  remove(link: Link<T>): boolean {
    if (link.chain !== this) return false;
    const { before, after } = link;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    link.chain = null;
    link.before = null;
    link.after = null;
    this.size--;
    return true;
  }
}
