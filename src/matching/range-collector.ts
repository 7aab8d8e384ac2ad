import type { Steps } from "../support/turns.ts";
import { maskOf, type Prefix } from "./prefix.ts";
import { type BitIndex, type Columns4, type Columns6, type PageIndex, RangeTable } from "./range-table.ts";

/** Entries of one block; a list grows by blocks, so that growing copies nothing. */
const BLOCK_ENTRIES = 16 * 1024;
const FEW_ENTRIES = 16;
/** Entries handled between two yields. */
const STEP_ENTRIES = 4 * 1024;
/** A column that is fuller keeps its room for what was merged. */
const FULL_SHARE = 0.9;
const WORDS_4 = 2;
const WORDS_6 = 8;

/** Takes ranges in any order, overlapping or not, and makes a table of them. */
export class RangeCollector {
  readonly #v4 = new Entries(WORDS_4);
  readonly #v6 = new Entries(WORDS_6);

  get size(): number {
    return this.#v4.size + this.#v6.size;
  }

  addRange4(first: number, last: number): void {
    const { block, at } = this.#v4.next();
    block[at] = first;
    block[at + 1] = last;
  }

  /** Four words each, most significant first. */
  addRange6(first: readonly number[], last: readonly number[]): void {
    const { block, at } = this.#v6.next();
    for (let word = 0; word < 4; word++) {
      block[at + word] = first[word] as number;
      block[at + 4 + word] = last[word] as number;
    }
  }

  addPrefix({ family, words, length }: Prefix): void {
    const last = words.map((word, index) => (word | ~maskOf(length - 32 * index)) >>> 0);
    if (family === 4) this.addRange4(words[0] ?? 0, last[0] ?? 0);
    else this.addRange6(words, last);
  }

  *build(): Steps<RangeTable> {
    const v4 = yield* merged4(this.#v4);
    const v6 = yield* merged6(this.#v6);
    return new RangeTable(this.size, v4, v6, yield* indexOf(v4.first), yield* pageIndexOf(v6.first[0]));
  }
}

/** Entries of so many words, in blocks. */
class Entries {
  readonly words: number;
  readonly blocks: Uint32Array[] = [];
  size = 0;
  readonly #slot: { block: Uint32Array; at: number } = { block: new Uint32Array(0), at: 0 };

  constructor(words: number) {
    this.words = words;
  }

  /** Room for one more. A short list has a short block. */
  next(): { readonly block: Uint32Array; readonly at: number } {
    const slot = this.#slot;
    slot.at = (this.size % BLOCK_ENTRIES) * this.words;
    if (slot.at === 0) this.#begin(this.size === 0 ? FEW_ENTRIES : BLOCK_ENTRIES);
    else if (slot.at === slot.block.length) this.#lengthen();
    this.size++;
    return slot;
  }

  #begin(entries: number): void {
    this.#slot.block = new Uint32Array(entries * this.words);
    this.blocks.push(this.#slot.block);
  }

  #lengthen(): void {
    const { block } = this.#slot;
    this.blocks.pop();
    this.#begin((2 * block.length) / this.words);
    this.#slot.block.set(block);
  }

  word(entry: number, word: number): number {
    const block = this.blocks[(entry / BLOCK_ENTRIES) | 0] as Uint32Array;
    return block[(entry % BLOCK_ENTRIES) * this.words + word] as number;
  }
}

/** The order of entries by their first address, least significant half words first; null where they stand in it. */
function* orderOf(entries: Entries): Steps<Uint32Array | null> {
  if (yield* isSorted(entries)) return null;
  let order = new Uint32Array(entries.size);
  for (let at = 0; at < order.length; at++) {
    order[at] = at;
    if (at % STEP_ENTRIES === 0) yield;
  }
  let other = new Uint32Array(entries.size);
  for (let half = entries.words - 1; half >= 0; half--) {
    const word = half >>> 1;
    const shift = half % 2 === 0 ? 16 : 0;
    const places = yield* placesOf(entries, word, shift);
    if (places === null) continue;
    for (let at = 0; at < order.length; at++) {
      const entry = order[at] as number;
      const digit = (entries.word(entry, word) >>> shift) & 0xffff;
      const place = places[digit] as number;
      places[digit] = place + 1;
      other[place] = entry;
      if (at % STEP_ENTRIES === 0) yield;
    }
    [order, other] = [other, order];
  }
  return order;
}

function* isSorted(entries: Entries): Steps<boolean> {
  const words = entries.words / 2;
  for (let at = 1; at < entries.size; at++) {
    let word = 0;
    while (word < words - 1 && entries.word(at - 1, word) === entries.word(at, word)) word++;
    if (entries.word(at - 1, word) > entries.word(at, word)) return false;
    if (at % STEP_ENTRIES === 0) yield;
  }
  return true;
}

/** Where entries of each digit begin; null where all have the same, and this pass changes nothing. */
function* placesOf(entries: Entries, word: number, shift: number): Steps<Uint32Array | null> {
  const places = new Uint32Array(65_537);
  for (let at = 0; at < entries.size; at++) {
    const digit = (entries.word(at, word) >>> shift) & 0xffff;
    places[digit + 1] = (places[digit + 1] as number) + 1;
    if (at % STEP_ENTRIES === 0) yield;
  }
  for (let digit = 0; digit < 65_536; digit++) {
    if (places[digit + 1] === entries.size) return null;
    places[digit + 1] = (places[digit + 1] as number) + (places[digit] as number);
  }
  return places;
}

/** Ranges that overlap or join each other become one. */
function* merged4(entries: Entries): Steps<Columns4> {
  const order = yield* orderOf(entries);
  const first = new Uint32Array(entries.size);
  const last = new Uint32Array(entries.size);
  let count = 0;
  let end = -2;
  for (let at = 0; at < entries.size; at++) {
    const entry = order === null ? at : (order[at] as number);
    const [from, to] = [entries.word(entry, 0), entries.word(entry, 1)];
    if (from > end + 1) {
      first[count] = from;
      count++;
      end = to;
    } else if (to > end) end = to;
    last[count - 1] = end;
    if (at % STEP_ENTRIES === 0) yield;
  }
  return { first: yield* cut(first, count), last: yield* cut(last, count) };
}

/** The first `count` of a column; one that is nearly full is not copied. */
function* cut(column: Uint32Array, count: number): Steps<Uint32Array> {
  yield;
  return count > column.length * FULL_SHARE ? column.subarray(0, count) : column.slice(0, count);
}

/** Ranges that overlap become one. */
function* merged6(entries: Entries): Steps<Columns6> {
  const order = yield* orderOf(entries);
  const columns = Array.from({ length: WORDS_6 }, () => new Uint32Array(entries.size));
  let count = 0;
  for (let at = 0; at < entries.size; at++) {
    const entry = order === null ? at : (order[at] as number);
    const isApart = count === 0 || compareWith(entries, entry, 0, columns, count - 1) > 0;
    const isLonger = isApart || compareWith(entries, entry, 4, columns, count - 1) > 0;
    if (isApart) count++;
    for (let word = isApart ? 0 : 4; word < WORDS_6 && isLonger; word++) {
      (columns[word] as Uint32Array)[count - 1] = entries.word(entry, word);
    }
    if (at % STEP_ENTRIES === 0) yield;
  }
  const columnOf = (word: number) => cut(columns[word] as Uint32Array, count);
  const first = [yield* columnOf(0), yield* columnOf(1), yield* columnOf(2), yield* columnOf(3)] as const;
  const last = [yield* columnOf(4), yield* columnOf(5), yield* columnOf(6), yield* columnOf(7)] as const;
  return { first, last };
}

/** The four words from `word` on of an entry against the last address of range `at`. */
function compareWith(
  entries: Entries,
  entry: number,
  word: number,
  columns: readonly Uint32Array[],
  at: number,
): number {
  for (let step = 0; step < 4; step++) {
    const difference = entries.word(entry, word + step) - ((columns[4 + step] as Uint32Array)[at] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

const INDEX_BITS_MAX = 20;

/** Over so many of the highest bits that a bucket has few ranges: two on average, were they spread evenly. */
function* indexOf(first: Uint32Array): Steps<BitIndex> {
  const bits = bitsFor(first.length, INDEX_BITS_MAX);
  const begins = new Uint32Array(2 ** bits + 1);
  let entry = 0;
  for (let bucket = 0; bucket < begins.length; bucket++) {
    const begin = bucket * 2 ** (32 - bits);
    while (entry < first.length && (first[entry] as number) < begin) entry++;
    begins[bucket] = entry;
    if (bucket % STEP_ENTRIES === 0) yield;
  }
  return { begins, bits };
}

function* pageIndexOf(first: Uint32Array): Steps<PageIndex> {
  const found = new Set<number>();
  for (let at = 0; at < first.length; at++) {
    found.add((first[at] as number) >>> 16);
    if (at % STEP_ENTRIES === 0) yield;
  }
  const pages = Uint32Array.from(found);
  const bits = bitsFor(first.length / Math.max(1, pages.length), 16);
  const begins = new Uint32Array(pages.length * 2 ** bits + 1);
  let entry = 0;
  for (let bucket = 0; bucket < begins.length - 1; bucket++) {
    const begin = (pages[bucket >>> bits] as number) * 65_536 + (bucket % 2 ** bits) * 2 ** (16 - bits);
    while (entry < first.length && (first[entry] as number) < begin) entry++;
    begins[bucket] = entry;
    if (bucket % STEP_ENTRIES === 0) yield;
  }
  begins[begins.length - 1] = first.length;
  return { pages, begins, bits };
}

function bitsFor(ranges: number, most: number): number {
  return Math.min(most, Math.max(0, Math.floor(Math.log2(ranges + 1)) - 1));
}
