import { KeyHash } from "../rate/key-hash.ts";
import { LimitUsage } from "../usage.ts";
import type { CountRows } from "./book-messages.ts";
import { Calendar, type CalendarSettings } from "./calendar.ts";
import { Counts } from "./counts.ts";
import { Reservations } from "./reservations.ts";

/** What makes one quota another; its amount does not, so that it can be raised within a window. */
export interface QuotaIdentity extends CalendarSettings {
  /** Of the limit in the policy. */
  readonly name: string;
  /** What it counts by, in the words of the policy. */
  readonly by: string;
  readonly keysMax: number;
}

/** Where processes count a quota together. */
export interface StoredCounts {
  /** Of the store in the policy. */
  readonly store: string;
  /** Of all processes together, in the unit of the counts. */
  readonly limit: number;
  /** The key's text, of what people call it; null where that does not say it. */
  textOf(label: string): string | null;
  /** What the key has used, null where the store does not say; with `isReset` nothing from then on. */
  look(text: string, isReset: boolean): Promise<number | null>;
}

/** The counts of one quota for all policies that have it, and whether what is kept of them has been read. */
export class SharedCounts {
  readonly name: string;
  readonly identity: QuotaIdentity;
  readonly counts: Counts;
  readonly usage: LimitUsage = new LimitUsage();
  /** Of a budget: what is taken and not known yet. */
  readonly reservations: Reservations;
  /** What was asked for last, in the unit of the counts: a policy that is refused changes nothing. */
  limit: number;
  /** How many units of the counts are 1 of what the policy speaks of. */
  readonly scale: number;
  /** The file's counts are among these, or there are none. */
  isLoaded = false;
  /** Requests wait for this before they are counted; null where they need not. It does not fail. */
  waiting: Promise<void> | null = null;
  /** Null where this process counts by itself. */
  stored: StoredCounts | null = null;
  #prefix: KeyHash;
  #hash: KeyHash;

  /** `seed`: random 32-bit words, the same as long as the counts are kept. */
  constructor(
    identity: QuotaIdentity,
    limit: number,
    seed: readonly [number, number],
    onRoll: (shared: SharedCounts) => void,
    scale: number = 1,
  ) {
    this.name = identity.name;
    this.identity = identity;
    this.limit = limit;
    this.scale = scale;
    this.counts = new Counts(identityText(identity), new Calendar(identity), identity.keysMax, () => onRoll(this));
    this.reservations = new Reservations(this.counts);
    this.#hash = new KeyHash(seed);
    this.#prefix = this.#prefixWith(seed);
  }

  /** Before anything is counted: the secret that earlier counts were made with. */
  reseed(seed: readonly [number, number]): void {
    this.#hash = new KeyHash(seed);
    this.#prefix = this.#prefixWith(seed);
  }

  /** A key's text → what its count is found and kept by. */
  keyOf(text: string): number {
    const hash = this.#hash;
    hash.copy(this.#prefix);
    hash.text(text);
    hash.finish();
    return (hash.high & 0x1f_ffff) * 2 ** 32 + (hash.low >>> 0);
  }

  #prefixWith(seed: readonly [number, number]): KeyHash {
    const prefix = new KeyHash(seed);
    prefix.text(this.counts.identity);
    return prefix;
  }

  /** Adds what the file had of the window that began at `startMs`. */
  restore({ keys, used, labels }: CountRows, startMs: number): void {
    if (this.counts.window.startMs !== startMs) return;
    for (let at = 0; at < keys.length; at++) {
      this.counts.restore(keys[at] ?? 0, used[at] ?? 0, labels[at] ?? null, this.limit);
    }
  }
}

export function identityText({ name, by, period, timeZone, resetDay }: QuotaIdentity): string {
  return JSON.stringify([name, by, period, timeZone, resetDay]);
}

/** How a count is named where its label may not be shown, and as `postern quota` takes it. */
export function keyId(key: number): string {
  return key < 0 ? `shared-${-key}` : key.toString(16).padStart(14, "0");
}
