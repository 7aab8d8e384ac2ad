/**
 * What of a value its schema has evaluated, for `unevaluatedItems` and `unevaluatedProperties` (2020-12 core section 11). To
 * mark takes the same time for a long value as for a short one: it is done anew in each turn.
 */
export class Marks {
  allMembers = false;
  allItems = false;
  /** So many items from the first on. */
  itemsTo = 0;
  #members: Set<(name: string) => boolean> | null = null;
  #items: Set<ReadonlySet<number>> | null = null;

  /** Marks all members whose names `knows` takes; the same function for the same names. */
  addMembers(knows: (name: string) => boolean): void {
    if (this.allMembers) return;
    this.#members ??= new Set();
    this.#members.add(knows);
  }

  /** Marks items by position. */
  addItems(positions: ReadonlySet<number>): void {
    if (this.allItems) return;
    this.#items ??= new Set();
    this.#items.add(positions);
  }

  hasMember(name: string): boolean {
    if (this.allMembers) return true;
    for (const knows of this.#members ?? []) if (knows(name)) return true;
    return false;
  }

  hasItem(at: number): boolean {
    if (this.allItems || at < this.itemsTo) return true;
    for (const positions of this.#items ?? []) if (positions.has(at)) return true;
    return false;
  }

  merge(other: Marks): void {
    this.allMembers ||= other.allMembers;
    this.allItems ||= other.allItems;
    this.itemsTo = Math.max(this.itemsTo, other.itemsTo);
    for (const knows of other.#members ?? []) this.addMembers(knows);
    for (const positions of other.#items ?? []) this.addItems(positions);
  }
}
