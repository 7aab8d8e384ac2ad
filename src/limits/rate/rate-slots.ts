import { DEFAULTS } from "../../support/defaults.ts";

/** A cache line of 64 bytes, in words: one of lock or none, a fingerprint for each of its slots, and a double for each. */
const LINE_WORDS = 16;
/** Slots of a line. */
const LINE = 5;
/** In words, from a slot's fingerprint in the first half of a line to its TAT, as an index of doubles. */
const TAT_OFFSET = 2;
const WAYS = DEFAULTS.rateProbesMax;
const LINES = WAYS / LINE;
const BUCKET_WORDS = LINES * LINE_WORDS;
/** What the table counts of itself has the first line. */
const HEADER_WORDS = LINE_WORDS;
/** How many instances share the buffer. */
const HOLDERS = 2;
/** A TAT further beyond a whole burst than this is not that of a thread whose clock is ahead, but of a slower limit. */
const SKEW_MS = DEFAULTS.rateClockSkewMsMax;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * The memory of a rate table: slots with a fingerprint of 32 bits and a TAT each, five to a cache line, four lines to a bucket.
 * The other half of a key's hash names the bucket, so that 2^-49 is the chance of two keys to be one in a large table. A key is
 * looked for from a line of its bucket on that its hash names, and takes the first free slot from there: among a million keys
 * what a look-up costs is memory that is far away, and nearly all of them lie in the first line that is read. Where a bucket
 * is full of live keys, the one that has the most left gives way: with one rate for all of them that is the smallest TAT, so
 * fresh keys push out fresh ones and an exhausted key stays.
 *
 * Buckets have a lock each, which is taken only once another thread may have the buffer.
 */
export class RateSlots {
  /** The first line, in words: when the table was made, as a double, how many share it, and what the table has for itself. */
  readonly words: Int32Array;
  readonly tats: Float64Array;
  readonly #buffer: SharedArrayBuffer;
  /** Bucket of a hash of 32 bits: its share of them. */
  readonly #perHash: number;
  /** This instance among all that share the buffer, in the upper bits of its lock words. */
  readonly #holder: number;
  #isShared: boolean;
  #acquisitions = 0;

  /** `storage`: the buffer of another thread's, or the number of keys for a new one. */
  constructor(storage: SharedArrayBuffer | number) {
    const isNew = typeof storage === "number";
    this.#buffer = isNew ? new SharedArrayBuffer(bytesFor(storage)) : storage;
    this.words = new Int32Array(this.#buffer);
    this.tats = new Float64Array(this.#buffer);
    const buckets = (this.words.length - HEADER_WORDS) / BUCKET_WORDS;
    if (!Number.isInteger(buckets) || buckets < 1) throw new RangeError("the buffer is not that of a rate table");
    this.#perHash = buckets / 2 ** 32;
    this.#isShared = !isNew;
    this.#holder = (Atomics.add(this.words, HOLDERS, 1) % 1023) + 1;
  }

  /** No key has used anything; not while another thread counts. */
  clear(): void {
    this.words.fill(0, HEADER_WORDS);
  }

  get bytes(): number {
    return this.#buffer.byteLength;
  }

  /** For another thread; from now on this one takes locks, too. */
  share(): SharedArrayBuffer {
    this.#isShared = true;
    return this.#buffer;
  }

  /** Where the bucket of a key begins, in words. */
  bucketOf(high: number): number {
    return HEADER_WORDS + (((high >>> 0) * this.#perHash) | 0) * BUCKET_WORDS;
  }

  /** The key's own slot, as an index of its TAT; -1 where it has none. */
  find(bucket: number, low: number): number {
    const words = this.words;
    for (let turn = 0; turn < LINES; turn++) {
      const line = lineOf(bucket, low, turn);
      for (let at = line + 1; at <= line + LINE; at++)
        if (words[at] === low) return (line >> 1) + TAT_OFFSET + at - line;
    }
    return -1;
  }

  /** A slot for a key that has none: the first that is free, else the one with the smallest TAT, which is the least limited. */
  roomFor(bucket: number, low: number, now: number): number {
    const tats = this.tats;
    let smallest = 0;
    let smallestTat = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < LINES && smallestTat > now; turn++) {
      const first = (lineOf(bucket, low, turn) >> 1) + TAT_OFFSET + 1;
      for (let slot = first; slot < first + LINE && smallestTat > now; slot++) {
        const tat = tats[slot] ?? 0;
        if (tat >= smallestTat) continue;
        smallest = slot;
        smallestTat = tat;
      }
    }
    return smallest;
  }

  /** The slot is the key's, which has used nothing. */
  give(slot: number, low: number, now: number): void {
    const line = (slot >> 3) << 3;
    this.words[line * 2 + slot - line - TAT_OFFSET] = low;
    this.tats[slot] = now;
  }

  /** A live key gives way. What a slower limit left behind in the bucket holds its slots no longer than this one says. */
  cap(bucket: number, exhaustedTat: number): void {
    const tats = this.tats;
    for (let at = 0; at < WAYS; at++) {
      const slot = slotAt(bucket, at);
      if ((tats[slot] ?? 0) > exhaustedTat + SKEW_MS) tats[slot] = exhaustedTat;
    }
  }

  /** Keys whose TAT has not passed; walks all of them. */
  liveKeys(now: number): number {
    let live = 0;
    for (let bucket = HEADER_WORDS; bucket < this.words.length; bucket += BUCKET_WORDS) {
      for (let at = 0; at < WAYS; at++) if ((this.tats[slotAt(bucket, at)] ?? 0) > now) live++;
    }
    return live;
  }

  /** The word that holds the lock, 0 where none is needed; no two acquisitions of late have the same. */
  lock(bucket: number): number {
    if (!this.#isShared) return 0;
    this.#acquisitions = (this.#acquisitions + 1) & 0x1fffff;
    const word = (this.#holder << 21) | this.#acquisitions;
    if (Atomics.compareExchange(this.words, bucket, 0, word) !== 0) this.#wait(bucket, word);
    return word;
  }

  /**
   * The lock is held for some 50 ns, so a short spin nearly always gets it; then the holder has lost its core, and a
   * wait gives it one. A word that has not changed for `rateLockWaitsMax` waits belongs to a thread that died inside:
   * its lock is taken over, and at worst that one request was not counted.
   */
  #wait(bucket: number, word: number): void {
    const locks = this.words;
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
  unlock(bucket: number, word: number): void {
    if (word !== 0) Atomics.compareExchange(this.words, bucket, word, 0);
  }
}

function lineOf(bucket: number, low: number, turn: number): number {
  return bucket + ((low + turn) & (LINES - 1)) * LINE_WORDS;
}

/** The `at`th slot of a bucket, as an index of its TAT. */
function slotAt(bucket: number, at: number): number {
  return (bucket >> 1) + Math.floor(at / LINE) * (LINE_WORDS / 2) + TAT_OFFSET + 1 + (at % LINE);
}

function bytesFor(keys: number): number {
  return (HEADER_WORDS + Math.max(1, Math.ceil(keys / WAYS)) * BUCKET_WORDS) * 4;
}
