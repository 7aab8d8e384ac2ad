import ipaddr from "ipaddr.js";
import { type Address, isAddressless } from "../message/address.ts";

/** Ranges of IPv4, sorted and apart: one column of first addresses, one of last ones. */
export interface Columns4 {
  readonly first: Uint32Array;
  readonly last: Uint32Array;
}

/** The same of IPv6: four columns each, most significant word first. */
export interface Columns6 {
  readonly first: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  readonly last: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
}

/** Where ranges begin, by the highest bits of an address. */
export interface BitIndex {
  /** For each value of these bits, how many ranges begin before it; and once more for the end. */
  readonly begins: Uint32Array;
  readonly bits: number;
}

/**
 * The same for IPv6, whose ranges crowd together: registries give out prefixes of few first halves. For each of these, in their
 * order, so many of the bits behind it.
 */
export interface PageIndex extends BitIndex {
  /** The first 16 bits of ranges, sorted, each once. */
  readonly pages: Uint32Array;
}

/**
 * A set of address ranges, immutable: 8 bytes for each of IPv4 and 32 for each of IPv6, however they were written, and an
 * index over their highest bits. `::/0` is all of IPv6 and nothing of IPv4; the peer of a Unix socket is in no table.
 */
export class RangeTable {
  /** Number of entries that it was built from. */
  readonly size: number;
  readonly #v4: Columns4;
  readonly #v6: Columns6;
  readonly #index4: BitIndex;
  readonly #index6: PageIndex;

  constructor(size: number, v4: Columns4, v6: Columns6, index4: BitIndex, index6: PageIndex) {
    this.size = size;
    this.#v4 = v4;
    this.#v6 = v6;
    this.#index4 = index4;
    this.#index6 = index6;
  }

  has(address: Address): boolean {
    return (address.family === 4 ? this.#find4(address.w0) : this.#find6(address)) >= 0;
  }

  /** `192.0.2.0 - 192.0.2.255`, the range that holds the address, with those that overlap or join it; null where none does. */
  rangeOf(address: Address): string | null {
    if (address.family === 4) {
      const at = this.#find4(address.w0);
      return at < 0 ? null : rangeText([this.#v4.first[at] ?? 0], [this.#v4.last[at] ?? 0]);
    }
    const at = this.#find6(address);
    if (at < 0) return null;
    const words = (columns: Columns6["first"]) => columns.map((column) => column[at] ?? 0);
    return rangeText(words(this.#v6.first), words(this.#v6.last));
  }

  /** Which share of all addresses of the family it holds, from 0 to 1; of IPv6, of those that are given out (2000::/3). */
  share(family: 4 | 6): number {
    let held = 0;
    if (family === 4) {
      const { first, last } = this.#v4;
      for (let at = 0; at < first.length; at++) held += (last[at] ?? 0) - (first[at] ?? 0) + 1;
      return held / 2 ** 32;
    }
    const [high] = this.#v6.first;
    const [end] = this.#v6.last;
    for (let at = 0; at < high.length; at++) {
      const from = Math.max(high[at] ?? 0, GLOBAL_FIRST);
      const to = Math.min(end[at] ?? 0, GLOBAL_LAST);
      // What is smaller than a /32 counts for nothing here.
      if (to > from) held += to - from + 1;
    }
    return held / (GLOBAL_LAST - GLOBAL_FIRST + 1);
  }

  /** Index of the range that holds it, or -1. */
  #find4(word: number): number {
    const { first, last } = this.#v4;
    const { begins, bits } = this.#index4;
    const bucket = bits === 0 ? 0 : word >>> (32 - bits);
    let low = begins[bucket] as number;
    let high = begins[bucket + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((first[middle] as number) <= word) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    return at >= 0 && word <= (last[at] as number) ? at : -1;
  }

  #find6(address: Address): number {
    const { w0, w1, w2, w3 } = address;
    const [first] = this.#v6.first;
    if (first.length === 0 || isAddressless(address)) return -1;
    const { pages, begins, bits } = this.#index6;
    const page = lowerBound(pages, w0 >>> 16);
    const bucket = page * 2 ** bits + (pages[page] === w0 >>> 16 ? (w0 & 0xffff) >>> (16 - bits) : -1);
    let low = bucket < 0 ? 0 : (begins[bucket] as number);
    let high = bucket < 0 ? 0 : (begins[bucket + 1] as number);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const word = first[middle] as number;
      if (word < w0 || (word === w0 && order(this.#v6.first, middle, w1, w2, w3) <= 0)) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    if (at < 0) return -1;
    const end = this.#v6.last[0][at] as number;
    return w0 < end || (w0 === end && order(this.#v6.last, at, w1, w2, w3) >= 0) ? at : -1;
  }
}

const GLOBAL_FIRST = 0x20000000;
const GLOBAL_LAST = 0x3fffffff;

/** How many of the sorted values are below `value`. */
function lowerBound(values: Uint32Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Below, at or above 0 as the three lower words of an entry are below, at or above these. */
function order(columns: Columns6["first"], at: number, w1: number, w2: number, w3: number): number {
  return (columns[1][at] as number) - w1 || (columns[2][at] as number) - w2 || (columns[3][at] as number) - w3;
}

function rangeText(first: readonly number[], last: readonly number[]): string {
  const [from, to] = [wordsText(first), wordsText(last)];
  return from === to ? from : `${from} - ${to}`;
}

/** Dotted quad or RFC 5952. */
export function wordsText(words: readonly number[]): string {
  const halves = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  if (words.length > 1) return new ipaddr.IPv6(halves).toRFC5952String();
  return halves.flatMap((half) => [half >>> 8, half & 0xff]).join(".");
}
