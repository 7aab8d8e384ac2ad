import { Chain, type Link } from "./chain.ts";
import { Ranks, type Standing } from "./ranks.ts";

export type Caller = string | number;

/** What waits for its turn. */
export interface Waiter {
  /** Whose it is: each caller gets its share. */
  readonly caller: Caller;
  /** What it takes of the caller's share, at least 1. */
  readonly cost: number;
}

/** One caller: what it holds and what of it waits. Known as long as it has either. */
export interface CallerLine<W extends Waiter> {
  readonly caller: Caller;
  /** Places that its requests have. */
  held: number;
  readonly waiting: Chain<W>;
  /** What its turns have given it and its waiters have not used (deficit round robin). */
  credit: number;
  isOnTurn: boolean;
  /** Where it stands among those with waiters, by places held and by waiters; null without one. */
  byHeld: Standing<CallerLine<W>> | null;
  byWaiting: Standing<CallerLine<W>> | null;
}

/** A place in the queue. */
export interface Turn<W extends Waiter> {
  readonly line: CallerLine<W>;
  readonly link: Link<W>;
}

/** What became of a newcomer: it waits, maybe in the place of another that does not any more; or it did not get in. */
export type Pushed<W extends Waiter> = { readonly turn: Turn<W>; readonly out: W | null } | null;

/**
 * A bounded queue in which the number of a caller's requests gains it nothing. The next is of the caller that holds the
 * fewest places, and of several such by deficit round robin (Shreedhar and Varghese, 1995): in turn, each as much as the
 * dearest waiter costs. Where the queue is full, the newest waiter of the caller with the most gives way to a caller with
 * fewer. Every step takes the same time however many wait.
 */
export class FairQueue<W extends Waiter> {
  readonly #lines = new Map<Caller, CallerLine<W>>();
  readonly #byHeld = new Ranks<CallerLine<W>>();
  readonly #byWaiting = new Ranks<CallerLine<W>>();
  #size = 0;
  /** The dearest waiter's cost since nobody waited. */
  #quantum = 1;

  get size(): number {
    return this.#size;
  }

  /** How many callers have something here. */
  get callers(): number {
    return this.#lines.size;
  }

  /** The caller has one place more. `leave` gives it back. */
  enter(caller: Caller): CallerLine<W> {
    const line = this.#lineOf(caller);
    line.held++;
    if (line.byHeld !== null) this.#byHeld.move(line.byHeld, line.held);
    return line;
  }

  leave(line: CallerLine<W>): void {
    line.held--;
    if (line.byHeld !== null) this.#byHeld.move(line.byHeld, line.held);
    this.#forget(line);
  }

  /** Lets `waiter` wait among at most `sizeMax`. */
  push(waiter: W, sizeMax: number): Pushed<W> {
    let out: W | null = null;
    if (this.#size >= sizeMax) {
      const own = this.#lines.get(waiter.caller)?.waiting.size ?? 0;
      const most = this.#byWaiting.top;
      // Those with as many do not push each other out: it would only change who is refused.
      if (most === null || most.waiting.size <= own + 1) return null;
      out = this.#removeLast(most);
    }
    const line = this.#lineOf(waiter.caller);
    const link = line.waiting.add(waiter);
    if (this.#size === 0) this.#quantum = 1;
    this.#quantum = Math.max(this.#quantum, waiter.cost);
    this.#size++;
    this.#rank(line);
    return { turn: { line, link }, out };
  }

  /** Whose turn it is; null where nobody waits. */
  peek(): W | null {
    for (;;) {
      const line = this.#byHeld.first;
      const waiter = line?.waiting.first ?? null;
      if (line === null || waiter === null) return null;
      if (!line.isOnTurn) {
        line.isOnTurn = true;
        line.credit += this.#quantum;
      }
      if (waiter.cost <= line.credit) return waiter;
      this.#pass(line);
    }
  }

  /** The waiter of this turn gets what it waits for, at the cost of its caller's share. False where it waits no more. */
  serve({ line, link }: Turn<W>): boolean {
    const { cost } = link.item;
    if (!line.waiting.remove(link)) return false;
    line.credit -= cost;
    const next = line.waiting.first;
    if (next !== null && next.cost > line.credit) this.#pass(line);
    this.#shrink(line);
    return true;
  }

  /** It waits no longer. False where it did not any more. */
  remove({ line, link }: Turn<W>): boolean {
    if (!line.waiting.remove(link)) return false;
    this.#shrink(line);
    return true;
  }

  /** The next caller's turn. */
  #pass(line: CallerLine<W>): void {
    line.isOnTurn = false;
    if (line.byHeld !== null) this.#byHeld.move(line.byHeld, line.held);
  }

  #removeLast(line: CallerLine<W>): W | null {
    const link = line.waiting.lastLink;
    if (link === null) return null;
    this.remove({ line, link });
    return link.item;
  }

  #shrink(line: CallerLine<W>): void {
    this.#size--;
    this.#rank(line);
    this.#forget(line);
  }

  /** Puts the line where it belongs now that it has one waiter more or less. */
  #rank(line: CallerLine<W>): void {
    const { size } = line.waiting;
    if (size > 0) {
      line.byHeld ??= this.#byHeld.add(line, line.held);
      if (line.byWaiting === null) line.byWaiting = this.#byWaiting.add(line, size);
      else this.#byWaiting.move(line.byWaiting, size);
      return;
    }
    if (line.byHeld !== null) this.#byHeld.remove(line.byHeld);
    if (line.byWaiting !== null) this.#byWaiting.remove(line.byWaiting);
    line.byHeld = null;
    line.byWaiting = null;
    line.credit = 0;
    line.isOnTurn = false;
  }

  #lineOf(caller: Caller): CallerLine<W> {
    const known = this.#lines.get(caller);
    if (known !== undefined) return known;
    const line: CallerLine<W> = {
      caller,
      held: 0,
      waiting: new Chain(),
      credit: 0,
      isOnTurn: false,
      byHeld: null,
      byWaiting: null,
    };
    this.#lines.set(caller, line);
    return line;
  }

  #forget(line: CallerLine<W>): void {
    if (line.held === 0 && line.waiting.size === 0) this.#lines.delete(line.caller);
  }
}
