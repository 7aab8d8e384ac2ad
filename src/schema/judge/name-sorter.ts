/** Sorted at a stretch. */
const RUN_LENGTH = 1_024;

interface Merge {
  readonly a: readonly string[];
  readonly b: readonly string[];
  atA: number;
  atB: number;
  readonly out: string[];
}

/** Sorts names as the platform does, but in steps after any of which it may be broken off and gone on with. */
export class NameSorter {
  readonly #names: readonly string[];
  readonly #runs: (readonly string[])[] = [];
  #at = 0;
  #merge: Merge | null = null;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** `step` hears of each bit of work, and may throw. */
  run(step: () => void): readonly string[] {
    while (this.#at < this.#names.length) {
      this.#runs.push(this.#names.slice(this.#at, this.#at + RUN_LENGTH).sort());
      this.#at += RUN_LENGTH;
      step();
    }
    while (this.#runs.length > 1 || this.#merge !== null) {
      this.#merge ??= { a: this.#runs.shift() ?? [], b: this.#runs.shift() ?? [], atA: 0, atB: 0, out: [] };
      const { a, b, out } = this.#merge;
      for (let left = a[this.#merge.atA]; left !== undefined; left = a[this.#merge.atA]) {
        const right = b[this.#merge.atB];
        if (right === undefined) break;
        out.push(left <= right ? left : right);
        if (left <= right) this.#merge.atA++;
        else this.#merge.atB++;
        step();
      }
      this.#runs.push(out.concat(a.slice(this.#merge.atA), b.slice(this.#merge.atB)));
      this.#merge = null;
    }
    return this.#runs[0] ?? [];
  }
}
