import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { KeyHash } from "../rate/key-hash.ts";
import { RateTable } from "../rate/rate-table.ts";
import { type Ban, type BanEntry, type BanRule, banId } from "./ban.ts";

/** Feeds a request's key behind the prefix; false where the request has none. */
export type FeedKey = (hash: KeyHash, prefix: KeyHash) => boolean;

export interface TableOwner {
  /** Whether the table may keep one more ban. */
  hasRoom(table: BanTable): boolean;
  /** What is to survive has changed. */
  changed(): void;
}

/**
 * The denials and bans of one ban of the policy. Bounded: denials are counted in a table of fixed size; bans that hold give
 * way to none, so that whoever has a great many addresses frees no other one. For bans beyond the room there is a second
 * table of fixed size, of which nothing is listed. Keys are hashes with a secret: nobody outside can aim at a place.
 */
export class BanTable {
  readonly name: string;
  /** What it counts by, in the words of the policy. */
  readonly by: string;
  readonly #clock: Clock;
  readonly #owner: TableOwner;
  #failures: RateTable;
  #prefix: KeyHash;
  #hash: KeyHash;
  #seed: readonly [number, number];
  #entries = new Map<number, BanEntry>();
  #overflow: RateTable | null = null;
  /** While nobody is banned, a request costs one comparison. */
  #lastEndMs = 0;
  #isUsed = false;
  begun = 0;
  /** Of those, bans for which there was no room in the list. */
  unlisted = 0;

  /** `seed`: random 32-bit words. `owner`: who has all tables. */
  constructor(name: string, by: string, seed: readonly [number, number], clock: Clock, owner: TableOwner) {
    this.name = name;
    this.by = by;
    this.#clock = clock;
    this.#owner = owner;
    this.#seed = seed;
    this.#failures = new RateTable(DEFAULTS.banFailureKeys, seed, clock);
    this.#hash = new KeyHash(seed);
    this.#prefix = this.#failures.prefix(`${name} ${by}`);
  }

  /** The secret that kept bans were made with; what was counted so far is forgotten. */
  reseed(seed: readonly [number, number]): void {
    this.#seed = seed;
    this.#hash = new KeyHash(seed);
    this.#forget();
    this.#prefix = this.#failures.prefix(`${this.name} ${this.by}`);
  }

  get isAnyBanned(): boolean {
    return this.#clock.wallMs() < this.#lastEndMs;
  }

  /** How many are kept, those that are over and remembered among them. */
  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    const tables = this.#failures.bytes + (this.#overflow?.bytes ?? 0);
    return tables + this.#entries.size * DEFAULTS.memoryBanBytes;
  }

  /** The ban that meets this key now; null for none, and where there is no key. */
  find(feed: FeedKey, label: () => string): Ban | null {
    const key = this.#keyOf(feed);
    return key === null ? null : this.#find(key, label);
  }

  /** One more denial, or a score of `weight`; the ban that it led to, null where there is none yet or one already. */
  failed(rule: BanRule, feed: FeedKey, label: () => string, weight = 1): Ban | null {
    const key = this.#keyOf(feed);
    if (key === null || this.#find(key, label) !== null) return null;
    this.#isUsed = true;
    feedKey(this.#failures, this.#prefix, key);
    // The denial that uses the burst up is the last one that is free.
    if (this.#failures.take((weight * rule.windowMs) / rule.times, rule.windowMs) >= 0) return null;
    return this.#begin(rule, key, label);
  }

  /** Bans that hold now and are listed. */
  *list(): Generator<Ban> {
    const nowMs = this.#clock.wallMs();
    for (const entry of this.#entries.values()) if (nowMs < entry.untilMs) yield this.#shown(entry);
  }

  /** Lifts a ban, and forgets the denials and bans before it; false where there is none. */
  lift(id: string): boolean {
    const key = Number.parseInt(id, 16);
    if (!this.#entries.delete(key)) return false;
    feedKey(this.#failures, this.#prefix, key);
    const { hash } = this.#failures;
    hash.finish();
    this.#failures.giveBack(hash.high, hash.low, DEFAULTS.banMsMax, Number.POSITIVE_INFINITY);
    this.#owner.changed();
    return true;
  }

  /** Lifts all, also those that are not listed; how many were. */
  liftAll(): number {
    const many = [...this.list()].length;
    this.#forget();
    this.#owner.changed();
    return many;
  }

  /** Forgets the bans that are over. */
  sweep(): void {
    const nowMs = this.#clock.wallMs();
    for (const { key, untilMs } of this.#entries.values()) if (untilMs <= nowMs) this.#entries.delete(key);
  }

  /** What is to survive: bans that hold, and those by which the next one of the key grows. */
  *kept(): Generator<BanEntry> {
    const nowMs = this.#clock.wallMs();
    for (const entry of this.#entries.values()) {
      if (nowMs < entry.untilMs + DEFAULTS.banRememberedMs) yield entry;
    }
  }

  /** A ban from before. A clock that was set back makes none longer than any can be. */
  restore(entry: BanEntry): void {
    if (!this.#owner.hasRoom(this)) return;
    const nowMs = this.#clock.wallMs();
    const untilMs = Math.min(entry.untilMs, nowMs + DEFAULTS.banMsMax);
    this.#put({ ...entry, untilMs });
  }

  /** No denial was counted so far, and nobody is banned. */
  clear(): void {
    if (!this.#isUsed) return;
    this.#isUsed = false;
    this.#failures.clear();
    this.#entries.clear();
    this.#overflow = null;
    this.#lastEndMs = 0;
  }

  #forget(): void {
    this.#failures = new RateTable(DEFAULTS.banFailureKeys, this.#seed, this.#clock);
    this.#entries = new Map();
    this.#overflow = null;
    this.#lastEndMs = 0;
  }

  #keyOf(feed: FeedKey): number | null {
    const hash = this.#hash;
    if (!feed(hash, this.#prefix)) return null;
    hash.finish();
    return (hash.high & 0x1f_ffff) * 2 ** 32 + (hash.low >>> 0);
  }

  #find(key: number, label: () => string): Ban | null {
    const nowMs = this.#clock.wallMs();
    const entry = this.#entries.get(key);
    if (entry !== undefined) return nowMs < entry.untilMs ? this.#shown(entry) : null;
    if (this.#overflow === null) return null;
    feedKey(this.#overflow, this.#prefix, key);
    const leftMs = this.#overflow.peek(DEFAULTS.banMsMax, DEFAULTS.banMsMax);
    if (leftMs <= 0) return null;
    return this.#shown({ key, label: label(), sinceMs: nowMs, untilMs: nowMs + leftMs, count: 1 });
  }

  #begin(rule: BanRule, key: number, label: () => string): Ban {
    const nowMs = this.#clock.wallMs();
    const last = this.#entries.get(key);
    const isAgain = last !== undefined && nowMs - last.untilMs < DEFAULTS.banRememberedMs;
    const count = isAgain ? last.count + 1 : 1;
    const factor = rule.growing ? 2 ** Math.min(count - 1, 20) : 1;
    const lengthMs = Math.min(rule.forMs * factor, DEFAULTS.banMsMax);
    const text = label().slice(0, DEFAULTS.banLabelCharsMax);
    const entry = { key, label: text, sinceMs: nowMs, untilMs: nowMs + lengthMs, count };
    this.begun++;
    if (last !== undefined || this.#owner.hasRoom(this)) this.#put(entry);
    else this.#overflowWith(entry, lengthMs);
    return this.#shown(entry);
  }

  #put(entry: BanEntry): void {
    this.#entries.set(entry.key, entry);
    this.#lastEndMs = Math.max(this.#lastEndMs, entry.untilMs);
    this.#owner.changed();
  }

  #overflowWith({ key, untilMs }: BanEntry, lengthMs: number): void {
    this.#overflow ??= new RateTable(DEFAULTS.banOverflowKeys, this.#seed, this.#clock);
    feedKey(this.#overflow, this.#prefix, key);
    this.#overflow.take(lengthMs, DEFAULTS.banMsMax);
    this.unlisted++;
    this.#lastEndMs = Math.max(this.#lastEndMs, untilMs);
  }

  #shown({ key, label, sinceMs, untilMs, count }: BanEntry): Ban {
    return { ban: this.name, key: label, id: banId(key), sinceMs, untilMs, count };
  }
}

/** Into the table's hash, for its next `take` or `peek`. */
function feedKey({ hash }: RateTable, prefix: KeyHash, key: number): void {
  hash.copy(prefix);
  hash.word(Math.floor(key / 2 ** 32));
  hash.word(key | 0);
}
