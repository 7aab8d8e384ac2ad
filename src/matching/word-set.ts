import type { Prefix } from "./prefix.ts";

/** What a set says of a word: nothing here, everything below it is in, or else the set for the next word. */
export const NO_SET = 0;
export const WHOLE = 1;

// A set of 32-bit words lies in an array and is named by the index of its first word:
//   number of entries, lowest word, shift, number of buckets
//   for each bucket, and once more: how many entries begin before the bucket's first word
//   for each entry, sorted: its first word; its size in bits where it is in whole, or behind those the set below it
// A bucket is the words that are equal without their lowest `shift` bits, counted from the lowest word. Prefixes lie
// inside each other or apart, so without those inside others the last that begins at or before a word is the only one
// that can hold it. Buckets are few enough to stay in the processor's cache, entries of one bucket few enough to lie
// in one or two of its lines.
const LOWEST = 1;
const SHIFT = 2;
const BUCKETS = 3;
const HEAD = 4;
const ENTRIES_PER_BUCKET = 4;
/** Sets lie behind this, so that none is mistaken for WHOLE, NO_SET or a size in bits. */
const FIRST_SET = 33;

interface Entry {
  readonly from: number;
  readonly sizeBits: number;
  /** Null: the whole block is in; else what begins with this one word and goes on. */
  readonly below: readonly Prefix[] | null;
}

/** Appends the set of what `prefixes` hold at word `level`, and the sets below it; gives its index, or NO_SET. */
export function addWordSet(prefixes: readonly Prefix[], level: number, words: number[]): number {
  if (prefixes.length === 0) return NO_SET;
  while (words.length < FIRST_SET) words.push(0);
  const entries = toEntries(prefixes, level);
  const set = words.length;
  const lowest = entries[0]?.from ?? 0;
  const span = (entries.at(-1)?.from ?? 0) - lowest;
  let shift = 0;
  while (shift < 31 && Math.floor(span / 2 ** shift) * ENTRIES_PER_BUCKET >= entries.length) shift++;
  const buckets = Math.floor(span / 2 ** shift) + 1;
  words.push(entries.length, lowest, shift, buckets);
  for (let bucket = 0, entry = 0; bucket <= buckets; bucket++) {
    while ((entries[entry]?.from ?? Number.POSITIVE_INFINITY) < lowest + bucket * 2 ** shift) entry++;
    words.push(entry);
  }
  const entriesAt = words.length;
  for (const { from, sizeBits } of entries) words.push(from, sizeBits);
  for (const [index, { below }] of entries.entries()) {
    if (below !== null) words[entriesAt + 2 * index + 1] = addWordSet(below, level + 1, words);
  }
  return set;
}

/** Looks `word` up in the set at `set`. */
export function wordSetGet(words: Uint32Array, set: number, word: number): number {
  const lowest = words[set + LOWEST] as number;
  if (word < lowest) return NO_SET;
  const buckets = words[set + BUCKETS] as number;
  const bucket = Math.min((word - lowest) >>> (words[set + SHIFT] as number), buckets - 1);
  const entries = set + HEAD + buckets + 1;
  // The number of entries that begin at or before the word.
  let low = words[set + HEAD + bucket] as number;
  let high = words[set + HEAD + bucket + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((words[entries + 2 * middle] as number) <= word) low = middle + 1;
    else high = middle;
  }
  const entry = entries + 2 * (low - 1);
  const from = words[entry] as number;
  const inside = words[entry + 1] as number;
  if (inside >= FIRST_SET) return from === word ? inside : NO_SET;
  return inside === 32 || (word ^ from) >>> inside === 0 ? WHOLE : NO_SET;
}

/** Sorted and disjoint: blocks of words that are in whole, and single words with something below them. */
function toEntries(prefixes: readonly Prefix[], level: number): readonly Entry[] {
  const entries: Entry[] = [];
  const below = new Map<number, Prefix[]>();
  for (const prefix of prefixes) {
    const from = prefix.words[level] ?? 0;
    const sizeBits = 32 * (level + 1) - prefix.length;
    if (sizeBits >= 0) entries.push({ from, sizeBits, below: null });
    else grouped(below, from).push(prefix);
  }
  for (const [from, group] of below) entries.push({ from, sizeBits: 0, below: group });
  // Of what begins together the largest comes first, and a whole word before what is below it.
  entries.sort((a, b) => a.from - b.from || b.sizeBits - a.sizeBits || (a.below === null ? -1 : 1));
  let end = -1;
  return entries.filter((entry) => {
    const isOutside = entry.from > end;
    if (isOutside && entry.below === null) end = entry.from + 2 ** entry.sizeBits - 1;
    return isOutside;
  });
}

function grouped(groups: Map<number, Prefix[]>, key: number): Prefix[] {
  const group = groups.get(key) ?? [];
  groups.set(key, group);
  return group;
}
