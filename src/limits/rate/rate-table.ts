import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { TopCallers } from "../top-callers.ts";
import { KeyHash } from "./key-hash.ts";
import { RateSlots } from "./rate-slots.ts";

/**
 * Times are whole multiples of this (about a nanosecond), a binary fraction, so that sums of intervals are exact and
 * a burst of n is n requests, not n - 1. Exact for 99 days after the table was made, then to two ticks, and so on.
 */
export const TICK_MS: number = 2 ** -20;

/** In the first line of the memory, words: the low and high words of what the table counts of itself. */
const EVICTIONS = 4;
const REFUSED = 6;
const NEAR = 8;
/** A TAT further beyond a whole burst than this is not that of a thread whose clock is ahead, but of a slower limit. */
const SKEW_MS = DEFAULTS.rateClockSkewMsMax;

/**
 * GCRA counters of one limit, exact across worker threads and of fixed size: `RateSlots` has for each key, known by its keyed
 * hash, a TAT (theoretical arrival time, in milliseconds since the table was made). One whose TAT has passed has used nothing,
 * and its slot is free.
 */
export class RateTable {
  /** For callers to feed; what was fed last is finished and looked up by `take`. */
  readonly hash: KeyHash;
  readonly #seed: readonly [number, number];
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #originMs: number;
  readonly #slots: RateSlots;
  /** Of the key that `take` counted last, in the table's time: what `giveBack` wants to know. */
  takenTat = 0;
  /** When `take` was asked last, in milliseconds since the table was made. */
  takenAtMs = 0;
  /** Who uses most; of this thread alone. */
  readonly top: TopCallers = new TopCallers();

  /**
   * `storage`: the buffer of another thread's table, or the number of keys for a new one. All threads pass the same random
   * 32-bit words as `seed`, and a clock that reads the same in all of them.
   */
  constructor(storage: SharedArrayBuffer | number, seed: readonly [number, number], clock: Pick<Clock, "monotonicMs">) {
    this.#slots = new RateSlots(storage);
    this.#seed = seed;
    this.hash = new KeyHash(seed);
    this.#clock = clock;
    const { tats } = this.#slots;
    if (typeof storage === "number") tats[0] = clock.monotonicMs() - 1;
    this.#originMs = tats[0] ?? 0;
  }

  get bytes(): number {
    return this.#slots.bytes;
  }

  /** No key has used anything; not while another thread counts. */
  clear(): void {
    this.#slots.clear();
  }

  /** For another thread's table. */
  share(): SharedArrayBuffer {
    return this.#slots.share();
  }

  /** Live keys that gave way to others since the table was made: each was counted and is not any more. */
  get evictions(): number {
    return this.#sum(EVICTIONS);
  }

  /** Requests that did not conform. */
  get refused(): number {
    return this.#sum(REFUSED);
  }

  /** Requests of which `noteNear` was told. */
  get near(): number {
    return this.#sum(NEAR);
  }

  /** Somebody is near the limit. */
  noteNear(): void {
    this.#add(NEAR);
  }

  /** The key in `hash` was counted, or refused, by somebody else. */
  noteElsewhere(isRefused: boolean): void {
    this.hash.finish();
    this.takenAtMs = this.#now();
    if (isRefused) this.#add(REFUSED);
  }

  /** Somebody was refused for what `spend` says. */
  noteRefused(): void {
    this.#add(REFUSED);
  }

  /** A hash that begins with `name`, to be copied into `hash` for each look-up. */
  prefix(name: string): KeyHash {
    const hash = new KeyHash(this.#seed);
    hash.text(name);
    return hash;
  }

  /**
   * Counts one request against the key in `hash`. `intervalMs` is the emission interval times what the request costs, a
   * multiple of TICK_MS; `toleranceMs` is burst × interval. Result: where the request conforms, how much of the tolerance is used now
   * (above 0, at most `toleranceMs`); where it does not, minus the milliseconds until it would.
   */
  take(intervalMs: number, toleranceMs: number): number {
    const now = this.#now();
    this.hash.finish();
    const { high, low } = this.hash;
    const slots = this.#slots;
    const { tats } = slots;
    const bucket = slots.bucketOf(high);
    const word = slots.lock(bucket);
    const slot = this.#slotOf(bucket, low, now, toleranceMs);
    const tat = tats[slot] ?? 0;
    // A reload may have made the limit wider: what the old one left behind counts as a full burst, not as more.
    const used = Math.min(Math.max(tat - now, 0), toleranceMs) + intervalMs;
    if (used <= toleranceMs) tats[slot] = now + used;
    else if (tat > now + toleranceMs + SKEW_MS) tats[slot] = now + toleranceMs;
    this.takenTat = tats[slot] ?? 0;
    // A TAT that has passed is an idle key's: what costs more than a whole burst waits all the same, and is not let in.
    const waitMs = Math.max(this.takenTat - now, 0) + intervalMs - toleranceMs;
    slots.unlock(bucket, word);
    this.takenAtMs = now;
    if (used <= toleranceMs) return used;
    this.#add(REFUSED);
    return -waitMs;
  }

  /**
   * Uses up `spentMs` of a key (`hash.high`, `hash.low`), whether or not it has so much: what was spent cannot be refused
   * any more. Milliseconds until the key has paid back what it owes beyond `toleranceMs`; 0 where it owes nothing.
   */
  spend(high: number, low: number, spentMs: number, toleranceMs: number): number {
    const slots = this.#slots;
    const { tats } = slots;
    const bucket = slots.bucketOf(high);
    const now = this.#now();
    const word = slots.lock(bucket);
    const slot = this.#slotOf(bucket, low, now, toleranceMs);
    const tat = Math.max(tats[slot] ?? 0, now) + spentMs;
    tats[slot] = tat;
    slots.unlock(bucket, word);
    this.takenTat = tat;
    this.takenAtMs = now;
    return Math.max(0, tat - now - toleranceMs);
  }

  /**
   * Milliseconds until a request of the key in `hash` would conform, 0 where one does now; nothing is counted. The same
   * arguments as `take`.
   */
  peek(intervalMs: number, toleranceMs: number): number {
    const now = this.#now();
    this.hash.finish();
    const { high, low } = this.hash;
    const slots = this.#slots;
    const { tats } = slots;
    const bucket = slots.bucketOf(high);
    const word = slots.lock(bucket);
    const slot = slots.find(bucket, low);
    const tat = slot < 0 ? 0 : (tats[slot] ?? 0);
    slots.unlock(bucket, word);
    return Math.max(0, Math.min(Math.max(tat - now, 0), toleranceMs) + intervalMs - toleranceMs);
  }

  /**
   * Undoes a `take` of `intervalMs` that left its key at `takenTat`. What time has given back by itself since then is not
   * given back twice: a request that is held open for long earns its client nothing. Where others of the key came after
   * it, that may be less than it took, never more.
   */
  giveBack(high: number, low: number, intervalMs: number, takenTat: number): void {
    const slots = this.#slots;
    const { tats } = slots;
    const bucket = slots.bucketOf(high);
    const now = this.#now();
    const word = slots.lock(bucket);
    const slot = slots.find(bucket, low);
    const leftMs = Math.min(intervalMs, takenTat - now);
    if (slot >= 0 && leftMs > 0) tats[slot] = (tats[slot] ?? 0) - leftMs;
    slots.unlock(bucket, word);
  }

  /** Keys whose TAT has not passed; walks the table, so for tests and metrics only. */
  liveKeys(): number {
    return this.#slots.liveKeys(this.#now());
  }

  /** Milliseconds since the table was made. */
  get nowMs(): number {
    return this.#now();
  }

  #now(): number {
    return Math.floor((this.#clock.monotonicMs() - this.#originMs) / TICK_MS) * TICK_MS;
  }

  /** The key's slot, as an index of its TAT; one that it gets now has used nothing. */
  #slotOf(bucket: number, low: number, now: number, toleranceMs: number): number {
    const slots = this.#slots;
    const found = slots.find(bucket, low);
    if (found >= 0) return found;
    const slot = slots.roomFor(bucket, low, now);
    if ((slots.tats[slot] ?? 0) > now) {
      slots.cap(bucket, now + toleranceMs);
      this.#add(EVICTIONS);
    }
    slots.give(slot, low, now);
    return slot;
  }

  #sum(at: number): number {
    return (this.#slots.words[at + 1] ?? 0) * 2 ** 32 + ((this.#slots.words[at] ?? 0) >>> 0);
  }

  #add(at: number): void {
    if (Atomics.add(this.#slots.words, at, 1) === -1) Atomics.add(this.#slots.words, at + 1, 1);
  }
}
