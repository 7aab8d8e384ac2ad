/**
 * Long bodies are judged one after the other: what is read of one takes many times its bytes while it is judged, and in
 * turns a hundred of them would be in the middle at once.
 */
export class LongBodies {
  #last: Promise<unknown> = Promise.resolve();

  /** `work` is called when all before it are done. */
  judge<Verdict>(work: () => Promise<Verdict>): Promise<Verdict> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
