/**
 * What a count was told of within its window. One that trickles on is full until its window ends: without more of it there is nothing to
 * tell, and what was told is told again only as another anomaly.
 */
export class Telling {
  #hasGrown = false;
  #figure = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  grow(): void {
    this.#hasGrown = true;
  }

  /** Whether there is more of it than at the last look. */
  takeGrowth(): boolean {
    const hasGrown = this.#hasGrown;
    this.#hasGrown = false;
    return hasGrown;
  }

  /** Whether what was told goes on, or there is twice as much as when it was. `quietMs`: after so long it has ended. */
  isNews(figure: number, nowMs: number, quietMs: number): boolean {
    return nowMs - this.#atMs < quietMs || figure >= 2 * this.#figure;
  }

  told(figure: number, nowMs: number): void {
    this.#figure = figure;
    this.#atMs = nowMs;
  }

  /** The window is over; whether it goes on is still to be seen. */
  roll(): void {
    this.#hasGrown = false;
    this.#figure = 0;
  }
}
