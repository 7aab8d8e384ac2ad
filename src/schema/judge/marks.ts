/** What of a value its schema has evaluated, for `unevaluatedItems` and `unevaluatedProperties` (2020-12 core section 11). */
export class Marks {
  allMembers = false;
  allItems = false;
  /** So many items from the first on. */
  itemsTo = 0;
  #members: Set<string> | null = null;
  #items: Set<number> | null = null;

  addMember(name: string): void {
    if (this.allMembers) return;
    this.#members ??= new Set();
    this.#members.add(name);
  }

  addItem(at: number): void {
    if (this.allItems) return;
    this.#items ??= new Set();
    this.#items.add(at);
  }

  hasMember(name: string): boolean {
    return this.allMembers || this.#members?.has(name) === true;
  }

  hasItem(at: number): boolean {
    return this.allItems || at < this.itemsTo || this.#items?.has(at) === true;
  }

  merge(other: Marks): void {
    this.allMembers ||= other.allMembers;
    this.allItems ||= other.allItems;
    this.itemsTo = Math.max(this.itemsTo, other.itemsTo);
    for (const name of other.#members ?? []) this.addMember(name);
    for (const at of other.#items ?? []) this.addItem(at);
  }
}
