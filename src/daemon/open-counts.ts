/** How many connections each client has open. Holds as many entries as there are connections at most. */
export class OpenCounts {
  readonly #counts = new Map<number | string, number>();

  /** Counts one more, or gives false where that would be more than `most`. */
  take(client: number | string, most: number): boolean {
    const count = this.#counts.get(client) ?? 0;
    if (count >= most) return false;
    this.#counts.set(client, count + 1);
    return true;
  }

  release(client: number | string): void {
    const count = this.#counts.get(client) ?? 0;
    if (count > 1) this.#counts.set(client, count - 1);
    else this.#counts.delete(client);
  }
}
