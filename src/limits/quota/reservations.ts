import type { Count, Counts } from "./counts.ts";

/** Adds an amount to what was counted, or takes it off, in the window in which it was. */
export type Correct = (amount: number, limit: number) => void;

/** What one request took before it was known what it costs. It ends once: settled, given back, or expired and then settled. */
export class Reservation {
  readonly #of: Reservations;
  readonly #correct: Correct;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
  readonly estimate: number;
  /** What of it stands in the count now. */
  #held: number;
  #isOver = false;

  constructor(of: Reservations, correct: Correct, estimate: number, untilMs: number) {
    this.#of = of;
    this.#correct = correct;
    this.estimate = estimate;
    this.untilMs = untilMs;
    this.#held = estimate;
  }

  /** It cost `amount`. That counts in the window in which the request came; of one that is over nothing counts any more. */
  settle(amount: number, limit: number): void {
    if (!this.#end()) return;
    this.#correct(amount - this.#held, limit);
  }

  /** It cost nothing. */
  giveBack(limit: number): void {
    this.settle(0, limit);
  }

  /** Nobody has settled it in time: others may have what it holds. What it costs in the end counts nevertheless. */
  expire(limit: number): void {
    this.#correct(-this.#held, limit);
    this.#held = 0;
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#of.open.delete(this);
    return true;
  }
}

/** What is reserved of one budget and not settled yet, the oldest first. As many as there are requests under way. */
export class Reservations {
  readonly counts: Counts;
  readonly open: Set<Reservation> = new Set();
  /** Since the process began. */
  expired = 0;

  constructor(counts: Counts) {
    this.counts = counts;
  }

  /** Keeps `estimate`, which the count has taken just now, for so long. */
  add(count: Count, estimate: number, untilMs: number): Reservation {
    const { startMs } = this.counts.window;
    return this.hold((amount, limit) => this.counts.correct(count, amount, startMs, limit), estimate, untilMs);
  }

  /** The same of what somebody else has counted. */
  hold(correct: Correct, estimate: number, untilMs: number): Reservation {
    const reservation = new Reservation(this, correct, estimate, untilMs);
    this.open.add(reservation);
    return reservation;
  }

  /** Lets go of what is too old. */
  sweep(monotonicMs: number, limit: number): void {
    for (const reservation of this.open) {
      if (reservation.untilMs > monotonicMs) return;
      this.open.delete(reservation);
      reservation.expire(limit);
      this.expired++;
    }
  }
}
