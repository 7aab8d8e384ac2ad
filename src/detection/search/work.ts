/** What a request may still spend on searching, in instructions of some 10 ns. */
export class Work {
  left: number;

  constructor(steps: number) {
    this.left = steps;
  }

  /** Whether a search has ended because of it: what it said then is no answer. */
  get isSpent(): boolean {
    return this.left <= 0;
  }
}
