import type { Clock } from "../support/clock.ts";
import type { Timers } from "../support/timers.ts";

/** The time of a policy's tests: it goes as the real one until a test begins, and from then on when a test says so. */
export class TestTime implements Clock, Timers {
  readonly #real: Clock;
  #isFrozen = false;
  #wallMs = 0;
  #monotonicMs = 0;
  readonly #due = new Set<{ readonly atMs: number; readonly run: () => void }>();

  constructor(real: Clock) {
    this.#real = real;
  }

  monotonicMs(): number {
    return this.#isFrozen ? this.#monotonicMs : this.#real.monotonicMs();
  }

  wallMs(): number {
    return this.#isFrozen ? this.#wallMs : this.#real.wallMs();
  }

  after(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.monotonicMs() + delayMs, run };
    this.#due.add(entry);
    return () => this.#due.delete(entry);
  }

  /** A test begins, at a time that may lie before that of the last one. */
  begin(wallMs: number): void {
    this.#monotonicMs = this.monotonicMs();
    this.#wallMs = wallMs;
    this.#isFrozen = true;
  }

  pass(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
    for (const entry of [...this.#due].toSorted((a, b) => a.atMs - b.atMs)) {
      if (entry.atMs <= this.#monotonicMs && this.#due.delete(entry)) entry.run();
    }
  }

  /** Goes on to what falls due next; false where nothing does. */
  passToNext(): boolean {
    if (this.#due.size === 0) return false;
    const next = Math.min(...[...this.#due].map(({ atMs }) => atMs));
    this.pass(Math.max(0, next - this.#monotonicMs));
    return true;
  }
}
