import { DEFAULTS } from "../../support/defaults.ts";
import { KeyHash } from "../rate/key-hash.ts";
import { LimitUsage } from "../usage.ts";
import { Members } from "./members.ts";

/** A window slides in so many steps: a member counts for the window, and up to one step more. */
const STEPS = DEFAULTS.distinctSteps;
/** Steps in which a member counts, that in which it was seen among them. */
const LIFE = STEPS + 1;
/** The times of members come round after 2^20 steps; long before, old ones are let go. */
const PURGE_STEPS = 512 * STEPS;
const TOLD_BYTES = 16 * 1024;

/** What one guard is, whatever policy has it. */
export interface DistinctSettings {
  readonly windowMs: number;
  /** What its keys and their members may take up. */
  readonly bytesMax: number;
}

interface Entry {
  readonly key: number;
  readonly members: Members;
  /** How many members count, or more: some may be too old. */
  live: number;
  /** Until this step none of so many can become too old; 0 where that is not known. */
  fullUntil: number;
  seen: number;
  purged: number;
  isFull: boolean;
  /** Its place among all. */
  at: number;
  bytes: number;
}

/** A member that was added for a request which may still be refused: what it added is given back then. */
export interface Addition {
  readonly key: number;
  readonly high: number;
  readonly low: number;
  /** Another request asked for the member meanwhile and was let through by it. */
  isShared: boolean;
}

export type Seen = "known" | "added";

/**
 * For each key the different members that it has asked for within a window that slides, exact up to the limit. A member
 * that counts already may be asked for again and again; one that would be too many is not taken up.
 *
 * Memory is bounded. Where it is spent, of some keys the one with the fewest members gives way, so that a flood of fresh keys
 * pushes out fresh ones; of those that are full, the one that was seen longest ago, and only where all of them are.
 */
export class DistinctSets {
  /** For callers to feed: the key, and the member. */
  readonly keyHash: KeyHash;
  readonly memberHash: KeyHash;
  readonly #settings: DistinctSettings;
  readonly #seed: readonly [number, number];
  readonly #onBytes: (bytes: number) => void;
  #toldBytes = 0;
  readonly #entries = new Map<number, Entry>();
  readonly #all: Entry[] = [];
  #hand = 0;
  /** By key and then by member; of requests that are under way. */
  readonly #additions = new Map<number, Map<number, Addition>>();
  bytes = 0;
  /** How many members the key has that `take` saw last, or more: some may be too old. */
  taken = 0;
  readonly usage: LimitUsage = new LimitUsage();
  /** Keys that gave way while members of theirs counted. */
  evictions = 0;

  /**
   * `seed`: random 32-bit words, so that nobody can choose two members that are taken for one. `onBytes` is told what all of
   * it takes up, now and then.
   */
  constructor(
    settings: DistinctSettings,
    seed: readonly [number, number],
    onBytes: (bytes: number) => void = () => {},
  ) {
    this.#settings = settings;
    this.#onBytes = onBytes;
    this.#seed = seed;
    this.keyHash = new KeyHash(seed);
    this.memberHash = new KeyHash(seed);
  }

  /** A hash that begins with `word`, to be copied into one of those that are fed. */
  prefix(word: string): KeyHash {
    const hash = new KeyHash(this.#seed);
    hash.text(word);
    return hash;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Nobody has asked for anything so far. */
  clear(): void {
    this.#entries.clear();
    this.#all.length = 0;
    this.#hand = 0;
    this.#additions.clear();
    this.bytes = 0;
  }

  /** Sees the member for the key, as both were fed; minus the milliseconds until it may be where it would be too many. */
  take(limit: number, monotonicMs: number): Seen | number {
    const { high, low } = finished(this.memberHash);
    const now = this.#stepAt(monotonicMs);
    const entry = this.#entryOf(keyOf(this.keyHash), now);
    this.taken = entry.live;
    if (entry.members.see(high, low, now, LIFE)) {
      const addition = this.#additions.get(entry.key)?.get(keyNumber(high, low));
      if (addition !== undefined) addition.isShared = true;
      return "known";
    }
    if (entry.live >= limit && this.#isFull(entry, limit, now)) return -this.#waitMs(entry, now, monotonicMs);
    entry.members.add(high, low, now, LIFE);
    entry.live++;
    this.taken = entry.live;
    entry.isFull = entry.live >= limit;
    this.#resize(entry);
    return "added";
  }

  /** What the last `take` added, until `settle` or `giveBack`. */
  addition(): Addition {
    const { high, low } = this.memberHash;
    const key = keyNumber(this.keyHash.high, this.keyHash.low);
    const addition = { key, high, low, isShared: false };
    const others = this.#additions.get(key);
    if (others === undefined) this.#additions.set(key, new Map([[keyNumber(high, low), addition]]));
    else others.set(keyNumber(high, low), addition);
    return addition;
  }

  /** The request was not refused, or is over. */
  settle(addition: Addition): void {
    const { key, high, low } = addition;
    const others = this.#additions.get(key);
    const member = keyNumber(high, low);
    if (others?.get(member) !== addition) return;
    others.delete(member);
    if (others.size === 0) this.#additions.delete(key);
  }

  /**
   * The request was refused: as if it had not asked. Where another asked for the member while this one waited, it counts, or
   * requests that wait and are refused would have others let through for nothing.
   */
  giveBack(addition: Addition, monotonicMs: number): void {
    this.settle(addition);
    const { key, high, low, isShared } = addition;
    const entry = this.#entries.get(key);
    if (entry === undefined || isShared) return;
    entry.members.forget(high, low, this.#stepAt(monotonicMs), LIFE);
    entry.live = Math.max(0, entry.live - 1);
    entry.isFull = false;
    entry.fullUntil = 0;
  }

  /** How many members count for a key. */
  count(key: number, monotonicMs: number): number {
    return this.#entries.get(key)?.members.count(this.#stepAt(monotonicMs), LIFE) ?? 0;
  }

  #stepAt(monotonicMs: number): number {
    return LIFE + Math.floor((monotonicMs * STEPS) / this.#settings.windowMs);
  }

  #isFull(entry: Entry, limit: number, now: number): boolean {
    if (now < entry.fullUntil) return true;
    entry.live = entry.members.count(now, LIFE);
    entry.isFull = entry.live >= limit;
    entry.fullUntil = entry.isFull ? entry.members.oldest(now, LIFE) + LIFE : 0;
    return entry.isFull;
  }

  #waitMs(entry: Entry, now: number, monotonicMs: number): number {
    const freeStep = Math.max(entry.fullUntil, now + 1);
    const freeMs = ((freeStep - LIFE) * this.#settings.windowMs) / STEPS;
    return Math.max(1, freeMs - monotonicMs);
  }

  #entryOf(key: number, now: number): Entry {
    const known = this.#entries.get(key);
    if (known === undefined) return this.#begin(key, now);
    if (now - known.seen >= LIFE || now - known.purged >= PURGE_STEPS) {
      known.members.purge(now, LIFE);
      known.live = known.members.count(now, LIFE);
      known.isFull = false;
      known.fullUntil = 0;
      known.purged = now;
      this.#resize(known);
    }
    known.seen = now;
    return known;
  }

  #begin(key: number, now: number): Entry {
    const members = new Members();
    const at = this.#all.length;
    const entry = { key, members, live: 0, fullUntil: 0, seen: now, purged: now, isFull: false, at, bytes: 0 };
    this.#resize(entry, now);
    entry.at = this.#all.length;
    this.#entries.set(key, entry);
    this.#all.push(entry);
    return entry;
  }

  /** Counts what the entry takes up; others give way to it. */
  #resize(entry: Entry, now: number = entry.seen): void {
    const bytes = DEFAULTS.memoryDistinctKeyBytes + entry.members.bytes;
    this.bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    while (this.bytes > this.#settings.bytesMax && this.#makeRoom(entry, now)) {
      // Each of them gives back some.
    }
    if (Math.abs(this.bytes - this.#toldBytes) < TOLD_BYTES) return;
    this.#toldBytes = this.bytes;
    this.#onBytes(this.bytes);
  }

  /** False where there is nobody but the entry itself. */
  #makeRoom(newcomer: Entry, now: number): boolean {
    const many = this.#all.length;
    const apart = Math.max(1, Math.ceil(many / DEFAULTS.distinctCandidatesMax));
    this.#hand = (this.#hand + 1) % apart;
    let least: Entry | null = null;
    for (let at = this.#hand; at < many; at += apart) {
      const entry = this.#all[at];
      if (entry === undefined || entry === newcomer) continue;
      if (least === null || weightOf(entry, now) < weightOf(least, now)) least = entry;
    }
    least ??= this.#all.find((entry) => entry !== newcomer) ?? null;
    if (least === null) return false;
    if (now - least.seen < LIFE) this.evictions++;
    this.#remove(least);
    return true;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.bytes -= entry.bytes;
    const last = this.#all.pop();
    if (last === undefined || last === entry) return;
    this.#all[entry.at] = last;
    last.at = entry.at;
  }
}

/** What goes first has least: what nobody has asked of for a window, then few members, then full ones by their age. */
function weightOf({ live, isFull, seen }: Entry, now: number): number {
  const age = now - seen;
  if (age >= LIFE) return -1;
  return isFull ? DEFAULTS.distinctLimitMax + 1 - age / LIFE : live;
}

function finished(hash: KeyHash): { readonly high: number; readonly low: number } {
  hash.finish();
  return hash;
}

/** 53 bits of the key's hash. */
function keyOf(hash: KeyHash): number {
  hash.finish();
  return keyNumber(hash.high, hash.low);
}

function keyNumber(high: number, low: number): number {
  return (high & 0x1f_ffff) * 2 ** 32 + (low >>> 0);
}
