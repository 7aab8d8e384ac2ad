/** Ids, each once, in the order in which they were found. Made once and used for many texts. */
export class Candidates {
  readonly ids: number[] = [];
  /** For each id the last round in which it was added. */
  #marks = new Uint32Array(0);
  #round = 0;

  /** Empty again, for ids below `size`. */
  begin(size: number): void {
    this.ids.length = 0;
    if (this.#marks.length < size || this.#round === 0xffff_ffff) {
      this.#marks = new Uint32Array(Math.max(size, this.#marks.length));
      this.#round = 0;
    }
    this.#round++;
  }

  add(id: number): void {
    if (this.#marks[id] === this.#round) return;
    this.#marks[id] = this.#round;
    this.ids.push(id);
  }

  has(id: number): boolean {
    return this.#marks[id] === this.#round;
  }
}
