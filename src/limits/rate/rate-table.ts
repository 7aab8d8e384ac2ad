import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { TopCallers } from "../top-callers.ts";
import { KeyHash } from "./key-hash.ts";

/**
 * Times are whole multiples of this (about a nanosecond), a binary fraction, so that sums of intervals are exact and
 * a burst of n is n requests, not n - 1. Exact for 99 days after the table was made, then to two ticks, and so on.
 */
export const TICK_MS: number = 2 ** -20;

const WAYS = DEFAULTS.rateProbesMax;
/**
 * When the table was made, a double; then words: how many share it, a spare one, and the low and high words of what it
 * counts of itself.
 */
const HEADER_BYTES = 48;
const HOLDERS = 2;
const EVICTIONS = 4;
const REFUSED = 6;
const NEAR = 8;
/** Per slot: two words of hash and a double, side by side. Per bucket: one word of lock, behind all slots. */
const SLOT_BYTES = 16;
/** Slots of a cache line of 64 bytes. */
const LINE = 4;
/** A TAT further beyond a whole burst than this is not that of a thread whose clock is ahead, but of a slower limit. */
const SKEW_MS = DEFAULTS.rateClockSkewMsMax;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * GCRA counters of one limit in a SharedArrayBuffer, exact across worker threads and of fixed size. A slot holds the
 * 64-bit keyed hash of a key and its TAT (theoretical arrival time, in milliseconds since the table was made). Slots
 * whose TAT has passed are free. Buckets of `rateProbesMax` slots have a lock each. Where a bucket is full of live
 * keys, the one that has the most left gives way: with one rate for all of them that is the smallest TAT, so fresh keys
 * push out fresh ones and an exhausted key stays. A key is looked for from a cache line of its bucket on that its hash
 * names, and takes the first free slot from there: among a million keys what a look-up costs is memory that is far away.
 */
export class RateTable {
  readonly buffer: SharedArrayBuffer;
  /** For callers to feed; what was fed last is finished and looked up by `take`. */
  readonly hash: KeyHash;
  readonly #seed: readonly [number, number];
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #originMs: number;
  readonly #bucketMask: number;
  readonly #words: Int32Array;
  readonly #locks: Int32Array;
  readonly #hashes: Int32Array;
  readonly #tats: Float64Array;
  /** This instance among all that share the buffer, in the upper bits of its lock words. */
  readonly #holder: number;
  #acquisitions = 0;
  /** Of the key that `take` counted last, in the table's time: what `giveBack` wants to know. */
  takenTat = 0;
  /** When `take` was asked last, in milliseconds since the table was made. */
  takenAtMs = 0;
  /** Who uses most; of this thread alone. */
  readonly top: TopCallers = new TopCallers();

  /**
   * `storage`: the buffer of another thread's table, or the number of keys (rounded up to a power of two) for a new
   * one. All threads pass the same random 32-bit words as `seed`, and a clock that reads the same in all of them.
   */
  constructor(storage: SharedArrayBuffer | number, seed: readonly [number, number], clock: Pick<Clock, "monotonicMs">) {
    this.buffer = typeof storage === "number" ? new SharedArrayBuffer(bytesFor(storage)) : storage;
    const buckets = (this.buffer.byteLength - HEADER_BYTES) / (WAYS * SLOT_BYTES + 4);
    if (!Number.isInteger(buckets) || buckets < 1 || (buckets & (buckets - 1)) !== 0) {
      throw new RangeError("the buffer is not that of a rate table");
    }
    const slots = buckets * WAYS;
    this.#tats = new Float64Array(this.buffer, HEADER_BYTES, slots * 2);
    this.#hashes = new Int32Array(this.buffer, HEADER_BYTES, slots * 4);
    this.#locks = new Int32Array(this.buffer, HEADER_BYTES + slots * SLOT_BYTES, buckets);
    this.#bucketMask = buckets - 1;
    this.#seed = seed;
    this.hash = new KeyHash(seed);
    this.#clock = clock;
    const origin = new Float64Array(this.buffer, 0, 1);
    if (typeof storage === "number") origin[0] = clock.monotonicMs() - 1;
    this.#originMs = origin[0] ?? 0;
    this.#words = new Int32Array(this.buffer, 0, HEADER_BYTES / 4);
    this.#holder = (Atomics.add(this.#words, HOLDERS, 1) % 1023) + 1;
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
    this.hash.finish();
    const { high, low } = this.hash;
    const bucket = low & this.#bucketMask;
    const now = this.#now();
    const word = this.#lock(bucket);
    const slot = this.#slotOf(bucket, high, low, now, toleranceMs);
    const tat = this.#tats[slot] ?? 0;
    // A reload may have made the limit wider: what the old one left behind counts as a full burst, not as more.
    const used = Math.min(Math.max(tat - now, 0), toleranceMs) + intervalMs;
    if (used <= toleranceMs) this.#tats[slot] = now + used;
    else if (tat > now + toleranceMs + SKEW_MS) this.#tats[slot] = now + toleranceMs;
    this.takenTat = this.#tats[slot] ?? 0;
    // A TAT that has passed is an idle key's: what costs more than a whole burst waits all the same, and is not let in.
    const waitMs = Math.max(this.takenTat - now, 0) + intervalMs - toleranceMs;
    this.#unlock(bucket, word);
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
    const bucket = low & this.#bucketMask;
    const now = this.#now();
    const word = this.#lock(bucket);
    const slot = this.#slotOf(bucket, high, low, now, toleranceMs);
    const tat = Math.max(this.#tats[slot] ?? 0, now) + spentMs;
    this.#tats[slot] = tat;
    this.#unlock(bucket, word);
    this.takenTat = tat;
    this.takenAtMs = now;
    return Math.max(0, tat - now - toleranceMs);
  }

  /**
   * Milliseconds until a request of the key in `hash` would conform, 0 where one does now; nothing is counted. The same
   * arguments as `take`.
   */
  peek(intervalMs: number, toleranceMs: number): number {
    this.hash.finish();
    const { high, low } = this.hash;
    const bucket = low & this.#bucketMask;
    const now = this.#now();
    const word = this.#lock(bucket);
    const slot = this.#find(bucket, high, low, now);
    const tat = slot < 0 ? 0 : (this.#tats[slot] ?? 0);
    this.#unlock(bucket, word);
    return Math.max(0, Math.min(Math.max(tat - now, 0), toleranceMs) + intervalMs - toleranceMs);
  }

  /**
   * Undoes a `take` of `intervalMs` that left its key at `takenTat`. What time has given back by itself since then is not
   * given back twice: a request that is held open for long earns its client nothing. Where others of the key came after
   * it, that may be less than it took, never more.
   */
  giveBack(high: number, low: number, intervalMs: number, takenTat: number): void {
    const bucket = low & this.#bucketMask;
    const now = this.#now();
    const word = this.#lock(bucket);
    const slot = this.#find(bucket, high, low, now);
    const leftMs = Math.min(intervalMs, takenTat - now);
    if (slot >= 0 && leftMs > 0) this.#tats[slot] = (this.#tats[slot] ?? 0) - leftMs;
    this.#unlock(bucket, word);
  }

  /** Keys whose TAT has not passed; walks the table, so for tests and metrics only. */
  liveKeys(): number {
    const now = this.#now();
    let live = 0;
    for (let slot = 1; slot < this.#tats.length; slot += 2) if ((this.#tats[slot] ?? 0) > now) live++;
    return live;
  }

  /** Milliseconds since the table was made. */
  get nowMs(): number {
    return this.#now();
  }

  #now(): number {
    return Math.floor((this.#clock.monotonicMs() - this.#originMs) / TICK_MS) * TICK_MS;
  }

  /** The key's slot, as an index of its TAT; one that it gets now has used nothing. */
  #slotOf(bucket: number, high: number, low: number, now: number, toleranceMs: number): number {
    const found = this.#find(bucket, high, low, now);
    if (found >= 0) return found;
    const slot = ~found;
    if ((this.#tats[slot] ?? 0) > now) this.#evict(bucket, now + toleranceMs);
    this.#hashes[slot * 2 - 2] = high;
    this.#hashes[slot * 2 - 1] = low;
    this.#tats[slot] = now;
    return slot;
  }

  /**
   * The key's own slot; where it has none, `~` of the one that it can have: the first that is free, else the one with the
   * smallest TAT, which is the least limited.
   */
  #find(bucket: number, high: number, low: number, now: number): number {
    const hashes = this.#hashes;
    const tats = this.#tats;
    const first = bucket * WAYS;
    const home = high & (WAYS - LINE);
    let smallest = 0;
    let smallestTat = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < WAYS; turn++) {
      const at = first + ((home + turn) & (WAYS - 1));
      const slot = at * 2 + 1;
      if (hashes[at * 4 + 1] === low && hashes[at * 4] === high) return slot;
      const tat = tats[slot] ?? 0;
      if (tat < smallestTat && smallestTat > now) {
        smallest = slot;
        smallestTat = tat;
      }
    }
    return ~smallest;
  }

  /** A live key gives way. What a slower limit left behind in the bucket holds its slots no longer than this one says. */
  #evict(bucket: number, exhaustedTat: number): void {
    const tats = this.#tats;
    for (let turn = 0; turn < WAYS; turn++) {
      const slot = (bucket * WAYS + turn) * 2 + 1;
      if ((tats[slot] ?? 0) > exhaustedTat + SKEW_MS) tats[slot] = exhaustedTat;
    }
    this.#add(EVICTIONS);
  }

  #sum(at: number): number {
    return (this.#words[at + 1] ?? 0) * 2 ** 32 + ((this.#words[at] ?? 0) >>> 0);
  }

  #add(at: number): void {
    if (Atomics.add(this.#words, at, 1) === -1) Atomics.add(this.#words, at + 1, 1);
  }

  /** The word that holds the lock; no two acquisitions of late have the same. */
  #lock(bucket: number): number {
    this.#acquisitions = (this.#acquisitions + 1) & 0x1fffff;
    const word = (this.#holder << 21) | this.#acquisitions;
    if (Atomics.compareExchange(this.#locks, bucket, 0, word) !== 0) this.#wait(bucket, word);
    return word;
  }

  /**
   * The lock is held for some 50 ns, so a short spin nearly always gets it; then the holder has lost its core, and a
   * wait gives it one. A word that has not changed for `rateLockWaitsMax` waits belongs to a thread that died inside:
   * its lock is taken over, and at worst that one request was not counted.
   */
  #wait(bucket: number, word: number): void {
    const locks = this.#locks;
    for (let spin = 0; spin < 256; spin++) {
      if (Atomics.load(locks, bucket) === 0 && Atomics.compareExchange(locks, bucket, 0, word) === 0) return;
    }
    let held = Atomics.load(locks, bucket);
    for (let waits = 0; ; ) {
      const seen = Atomics.compareExchange(locks, bucket, 0, word);
      if (seen === 0) return;
      waits = seen === held ? waits + 1 : 0;
      held = seen;
      if (waits > DEFAULTS.rateLockWaitsMax && Atomics.compareExchange(locks, bucket, held, word) === held) return;
      Atomics.wait(NEVER, 0, 0, 1);
    }
  }

  /** Only what is still held is released: the lock may have been taken over while this thread was stopped. */
  #unlock(bucket: number, word: number): void {
    Atomics.compareExchange(this.#locks, bucket, word, 0);
  }
}

function bytesFor(keys: number): number {
  const buckets = 2 ** Math.ceil(Math.log2(Math.max(1, keys / WAYS)));
  return HEADER_BYTES + buckets * (WAYS * SLOT_BYTES + 4);
}
