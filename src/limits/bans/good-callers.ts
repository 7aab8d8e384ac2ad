import { type Address, clientKey } from "../../message/address.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { KeyHash } from "../rate/key-hash.ts";

/** Slots of one bucket. */
const WAYS = 16;
const ROW_BYTES = 16;

/**
 * Which callers were good at which address within the last day: a ban takes nothing from them. A table of fixed size whose keys
 * are hashes with a secret; where a bucket is full, the one that ends first gives way.
 */
export class GoodCallers {
  readonly #hashes = new Int32Array(DEFAULTS.banGoodKeys * 2);
  readonly #untilMs = new Float64Array(DEFAULTS.banGoodKeys);
  #isUsed = false;
  #hash: KeyHash;
  #prefix: KeyHash;
  readonly #changed: () => void;

  /** `changed` is told when what is to survive has. */
  constructor(seed: readonly [number, number], changed: () => void) {
    this.#changed = changed;
    this.#hash = new KeyHash(seed);
    this.#prefix = prefixWith(seed);
  }

  /** The secret that kept callers were noted with; what was noted so far is forgotten. */
  reseed(seed: readonly [number, number]): void {
    this.#hash = new KeyHash(seed);
    this.#prefix = prefixWith(seed);
    this.#untilMs.fill(0);
  }

  /** Nobody was good so far. */
  clear(): void {
    if (this.#isUsed) this.#untilMs.fill(0);
    this.#isUsed = false;
  }

  get bytes(): number {
    return this.#hashes.byteLength + this.#untilMs.byteLength;
  }

  /** `principal` was good when it came from `address`, of IPv6 its /64. */
  add(address: Address, principal: string, nowMs: number): void {
    const slot = this.#find(address, principal);
    if (this.#isOwn(slot) && (this.#untilMs[slot] ?? 0) > nowMs) return;
    this.#put(slot, this.#hash.high, this.#hash.low, nowMs + DEFAULTS.banGoodMs);
    this.#changed();
  }

  has(address: Address, principal: string, nowMs: number): boolean {
    const slot = this.#find(address, principal);
    return this.#isOwn(slot) && (this.#untilMs[slot] ?? 0) > nowMs;
  }

  /** Those that still count, for `load`. */
  dump(nowMs: number): Buffer {
    const slots = [...this.#untilMs.keys()].filter((slot) => (this.#untilMs[slot] ?? 0) > nowMs);
    const rows = Buffer.alloc(slots.length * ROW_BYTES);
    for (const [at, slot] of slots.entries()) {
      rows.writeInt32LE(this.#hashes[slot * 2] ?? 0, at * ROW_BYTES);
      rows.writeInt32LE(this.#hashes[slot * 2 + 1] ?? 0, at * ROW_BYTES + 4);
      rows.writeDoubleLE(this.#untilMs[slot] ?? 0, at * ROW_BYTES + 8);
    }
    return rows;
  }

  /** What `dump` gave; it was made with the same secret. */
  load(rows: Buffer, nowMs: number): void {
    for (let at = 0; at + ROW_BYTES <= rows.length; at += ROW_BYTES) {
      const [high, low] = [rows.readInt32LE(at), rows.readInt32LE(at + 4)];
      const untilMs = Math.min(rows.readDoubleLE(at + 8), nowMs + DEFAULTS.banGoodMs);
      if (untilMs > nowMs) this.#put(this.#slotOf(high, low), high, low, untilMs);
    }
  }

  #find(address: Address, principal: string): number {
    const hash = this.#hash;
    hash.copy(this.#prefix);
    hash.text(String(clientKey(address)));
    hash.text(principal);
    hash.finish();
    return this.#slotOf(hash.high, hash.low);
  }

  /** Its own, else the one that ends first. */
  #slotOf(high: number, low: number): number {
    const first = (low & (DEFAULTS.banGoodKeys / WAYS - 1)) * WAYS;
    let earliest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#hashes[slot * 2] === high && this.#hashes[slot * 2 + 1] === low) return slot;
      if ((this.#untilMs[slot] ?? 0) < (this.#untilMs[earliest] ?? 0)) earliest = slot;
    }
    return earliest;
  }

  #isOwn(slot: number): boolean {
    return this.#hashes[slot * 2] === this.#hash.high && this.#hashes[slot * 2 + 1] === this.#hash.low;
  }

  #put(slot: number, high: number, low: number, untilMs: number): void {
    this.#hashes[slot * 2] = high;
    this.#hashes[slot * 2 + 1] = low;
    this.#untilMs[slot] = untilMs;
    this.#isUsed = true;
  }
}

function prefixWith(seed: readonly [number, number]): KeyHash {
  const prefix = new KeyHash(seed);
  prefix.text("good");
  return prefix;
}
