import { DEFAULTS } from "../../support/defaults.ts";
import type { CountRows } from "./book-messages.ts";
import type { Calendar, Window } from "./calendar.ts";

/** What one key has used in the window. */
export interface Count {
  readonly key: number;
  used: number;
  /** What the key stands for, where that may be shown. */
  label: string | null;
  /** Nothing is left for it: it keeps its place until the window is over. */
  isSpent: boolean;
  /** It has changed since it was handed over to be kept. */
  isDirty: boolean;
  /** The file knows it. */
  isKept: boolean;
  /** Its place among those that can give way, -1 for none. */
  at: number;
}

/**
 * Counts of one quota, by key, in the window that is now: when it is over, all of them begin anew. They are bounded. Where
 * there are as many keys as may be, the least used of some gives way to a new one, so that fresh keys push out fresh ones; a
 * spent key never gives way. Where all are spent, new keys share a few counts: a flood of keys gets no more than those,
 * and shuts nobody out that it cannot hit by chance.
 *
 * A key is a keyed hash of 53 bits, at which nobody outside can aim.
 */
export class Counts {
  /** What the file knows it by. */
  readonly identity: string;
  readonly #calendar: Calendar;
  readonly #keysMax: number;
  readonly #onRoll: (counts: Counts) => void;
  #counts = new Map<number, Count>();
  /** Those that can give way, in no order. */
  #live: Count[] = [];
  #hand = 0;
  #dirty: Count[] = [];
  #gone: number[] = [];
  /** Those that are still to be handed over whether they have changed or not, and how many. */
  #again: Iterator<Count> | null = null;
  #againLeft = 0;
  /** False where nobody keeps what changes. */
  tracksChanges = true;
  window: Window = { startMs: 0, endMs: 0 };
  /** Counts that gave way, and keys that found no room, since the process began. */
  evictions = 0;
  overflows = 0;

  /** `onRoll` is told when a window begins. */
  constructor(identity: string, calendar: Calendar, keysMax: number, onRoll: (counts: Counts) => void = () => {}) {
    this.identity = identity;
    this.#calendar = calendar;
    this.#keysMax = keysMax;
    this.#onRoll = onRoll;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** How many have changed since they were handed over. */
  get changes(): number {
    return this.#dirty.length + this.#gone.length + this.#againLeft;
  }

  *[Symbol.iterator](): Generator<Count> {
    yield* this.#counts.values();
  }

  /** Goes to the window that `wallMs` is in; to be called before the others. */
  turn(wallMs: number): Window {
    const window = this.#calendar.at(wallMs, DEFAULTS.quotaClockSetBackMsMax);
    if (window.startMs !== this.window.startMs) {
      this.window = window;
      this.clear();
      this.#onRoll(this);
    }
    return window;
  }

  /** The count of a key, null where it has used nothing. */
  find(key: number): Count | null {
    return this.#counts.get(key) ?? null;
  }

  /**
   * Counts `amount` for the key, if it stays within `limit`; null, and nothing counted, where it would not. `label` is asked
   * for once a key.
   */
  take(key: number, amount: number, limit: number, label: () => string | null): Count | null {
    let count = this.#counts.get(key);
    if (count === undefined) {
      if (amount > limit) return null;
      count = this.#begin(key, label);
    }
    const used = count.used + amount;
    if (used > limit) {
      // Were it half of what it may and no more, a single costly request would hold a place.
      if (count.used * 2 >= limit) this.#spend(count);
      return null;
    }
    count.used = used;
    if (used >= limit) this.#spend(count);
    else if (count.isSpent) this.#revive(count);
    this.#changed(count);
    return count;
  }

  /** Takes `amount` back from a count of the window that began at `startMs`; of another one nothing is left to take back. */
  giveBack(count: Count, amount: number, startMs: number): void {
    if (startMs !== this.window.startMs || this.#counts.get(count.key) !== count) return;
    count.used = Math.max(0, count.used - amount);
    this.#revive(count);
    this.#changed(count);
  }

  /**
   * Adds or takes off what a request of the window that began at `startMs` cost beside what it took. No limit refuses it,
   * for it is spent already. What would be taken off a count that has given way meanwhile went with it.
   */
  correct(count: Count, amount: number, startMs: number, limit: number): void {
    if (startMs !== this.window.startMs || amount === 0) return;
    const known = this.#counts.get(count.key);
    if (amount < 0 && known !== count) return;
    const corrected = known ?? this.#begin(count.key, () => count.label);
    corrected.used = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, corrected.used + amount));
    if (corrected.used >= limit) this.#spend(corrected);
    else this.#revive(corrected);
    this.#changed(corrected);
  }

  /** The key begins anew; false where it had used nothing. */
  reset(key: number): boolean {
    const count = this.#counts.get(key);
    if (count === undefined) return false;
    this.#remove(count);
    return true;
  }

  /** Adds what was counted before the process began, in the window that is now. */
  restore(key: number, used: number, label: string | null, limit: number): void {
    const count = this.#counts.get(key) ?? this.#begin(key, () => label);
    count.used += used;
    count.isKept = true;
    if (count.used >= limit) this.#spend(count);
    // What the file has is less only where something was counted meanwhile.
    if (count.used !== used) this.#changed(count);
  }

  /** At most `max` counts that have changed, for the file; null where none has. */
  drain(max: number): CountRows | null {
    if (this.changes === 0) return null;
    const gone = this.#gone.splice(-max);
    // A key may have gone and come again: it goes first.
    const changed =
      this.#gone.length > 0 ? [] : this.#again === null ? this.#dirty.splice(-max) : this.#drainAgain(max);
    const rows = changed.filter((count) => this.#counts.get(count.key) === count);
    const labels = rows.map((count) => (count.isKept ? null : count.label));
    for (const count of rows) {
      count.isDirty = false;
      count.isKept = true;
    }
    return {
      gone: Float64Array.from(gone),
      keys: Float64Array.from(rows, ({ key }) => key),
      used: Float64Array.from(rows, ({ used }) => used),
      labels,
    };
  }

  /** The file is another one, and has nothing of this. */
  redo(): void {
    this.#again = this.#counts.values();
    this.#againLeft = this.#counts.size;
  }

  #drainAgain(max: number): Count[] {
    const counts: Count[] = [];
    for (let left = Math.min(max, this.#againLeft); left > 0; left--) {
      const next = this.#again?.next();
      if (next === undefined || next.done === true) {
        this.#againLeft = 0;
        break;
      }
      next.value.isKept = false;
      counts.push(next.value);
      this.#againLeft--;
    }
    if (this.#againLeft === 0) this.#again = null;
    return counts;
  }

  #begin(key: number, label: () => string | null): Count {
    const place = this.#counts.size < this.#keysMax || this.#makeRoom() ? key : sharedKey(key);
    const shared = place === key ? undefined : this.#counts.get(place);
    if (place !== key) this.overflows++;
    if (shared !== undefined) return shared;
    const count: Count = {
      key: place,
      used: 0,
      label: place === key ? label() : SHARED_LABEL,
      isSpent: false,
      isDirty: false,
      isKept: false,
      at: -1,
    };
    this.#counts.set(place, count);
    // What many share stays: it can be filled by chance alone.
    if (place === key) this.#revive(count);
    return count;
  }

  /**
   * The least used of a few gives way; false where every one is spent. They are apart from each other: those that came one
   * after the other, as regular callers do before a flood, would only be compared among themselves.
   */
  #makeRoom(): boolean {
    const many = this.#live.length;
    const apart = Math.ceil(many / DEFAULTS.quotaCandidatesMax);
    this.#hand = (this.#hand + 1) % apart;
    let least: Count | undefined;
    for (let at = this.#hand; at < many; at += apart) {
      const count = this.#live[at];
      if (count !== undefined && (least === undefined || count.used < least.used)) least = count;
    }
    if (least === undefined) return false;
    this.#remove(least);
    this.evictions++;
    return true;
  }

  #remove(count: Count): void {
    this.#counts.delete(count.key);
    this.#withdraw(count);
    if (count.isKept) this.#gone.push(count.key);
  }

  #spend(count: Count): void {
    count.isSpent = true;
    this.#withdraw(count);
  }

  #revive(count: Count): void {
    count.isSpent = false;
    if (count.at >= 0 || count.key < 0) return;
    count.at = this.#live.length;
    this.#live.push(count);
  }

  #withdraw(count: Count): void {
    if (count.at < 0) return;
    const last = this.#live.pop();
    if (last !== undefined && last !== count) {
      this.#live[count.at] = last;
      last.at = count.at;
    }
    count.at = -1;
  }

  #changed(count: Count): void {
    if (count.isDirty || !this.tracksChanges) return;
    count.isDirty = true;
    this.#dirty.push(count);
    // Under a flood of keys most of these have given way, while the disk does not answer.
    if (this.#dirty.length < 2 * this.#counts.size + DEFAULTS.quotaBatchRows) return;
    this.#dirty = this.#dirty.filter((one) => this.#counts.get(one.key) === one);
  }

  /** Nothing was counted so far, for anybody. */
  clear(): void {
    this.#counts = new Map();
    this.#live = [];
    this.#dirty = [];
    this.#gone = [];
    this.#again = null;
    this.#againLeft = 0;
    this.#hand = 0;
  }
}

const SHARED_LABEL = "keys for which there was no room";

/** Below 0, where no key of its own is. */
function sharedKey(key: number): number {
  return -1 - (key % DEFAULTS.quotaSharedCounts);
}
