import { sortedCopy } from "../support/sort.ts";
import type { Steps } from "../support/turns.ts";

/** What a set says of a part: nothing here, everything below it is in, or else the set for the next part. */
export const NO_SET = 0;
export const WHOLE = 1;

/** A prefix as a sequence of parts of equally many bits, 16 or 32. */
export interface PartedPrefix {
  readonly parts: readonly number[];
  /** Bits of all parts together that count. */
  readonly length: number;
}

// A set of parts lies in an array and is named by the index of its first word:
//   number of entries
//   where these are many: lowest part, shift, number of buckets; then for each bucket, and once more, how many entries
//   begin before the bucket's first part
//   for each entry, sorted: its first part; its size in bits where it is in whole, or the index of the set below it
// A bucket is the parts that are equal without their lowest `shift` bits, counted from the lowest part. Prefixes lie
// inside each other or apart, so without those inside others the last that begins at or before a part is the only one
// that can hold it. Buckets are few enough to stay in the processor's cache, entries of one bucket few enough to lie
// in one or two of its lines; a set of few entries is one line, right behind the set above it.
const LOWEST = 1;
const SHIFT = 2;
const BUCKETS = 3;
const HEAD = 4;
const FEW = 8;
const ENTRIES_PER_BUCKET = 2;
/** Entries handled between two yields. */
const STEP_ENTRIES = 512;
/** Sets lie behind this, so that none is mistaken for WHOLE, NO_SET or a size in bits. */
const FIRST_SET = 33;

interface Entry {
  readonly from: number;
  readonly sizeBits: number;
  /** Null: the whole block is in; else what begins with this one part and goes on. */
  readonly below: readonly PartedPrefix[] | null;
}

/** Appends the set of what `prefixes` hold at part `level`, and the sets below it; gives its index, or NO_SET. */
export function* addSet(
  prefixes: readonly PartedPrefix[],
  partBits: 16 | 32,
  level: number,
  words: number[],
): Steps<number> {
  if (prefixes.length === 0) return NO_SET;
  while (words.length < FIRST_SET) words.push(0);
  const entries = yield* toEntries(prefixes, partBits, level);
  const set = words.push(entries.length) - 1;
  if (entries.length > FEW) yield* pushBuckets(entries, words);
  const entriesAt = words.length;
  for (const [index, { from, sizeBits }] of entries.entries()) {
    words.push(from, sizeBits);
    if (index % STEP_ENTRIES === 0) yield;
  }
  for (const [index, { below }] of entries.entries()) {
    if (index % STEP_ENTRIES === 0) yield;
    if (below !== null) words[entriesAt + 2 * index + 1] = yield* addSet(below, partBits, level + 1, words);
  }
  return set;
}

function* pushBuckets(entries: readonly Entry[], words: number[]): Steps<void> {
  const lowest = entries[0]?.from ?? 0;
  const span = (entries.at(-1)?.from ?? 0) - lowest;
  let shift = 0;
  while (Math.floor(span / 2 ** shift) * ENTRIES_PER_BUCKET >= entries.length) shift++;
  const buckets = Math.floor(span / 2 ** shift) + 1;
  words.push(lowest, shift, buckets);
  for (let bucket = 0, entry = 0; bucket <= buckets; bucket++) {
    while ((entries[entry]?.from ?? Number.POSITIVE_INFINITY) < lowest + bucket * 2 ** shift) entry++;
    words.push(entry);
    if (bucket % STEP_ENTRIES === 0) yield;
  }
}

/** Looks `part` up in the set at `set`. */
export function lookUp(words: Uint32Array, set: number, part: number): number {
  const count = words[set] as number;
  // The entry behind the last one that begins at or before the part.
  let entry = set + 1;
  if (count <= FEW) {
    const end = entry + 2 * count;
    while (entry < end && (words[entry] as number) <= part) entry += 2;
    if (entry === set + 1) return NO_SET;
  } else {
    const index = search(words, set, part);
    if (index === 0) return NO_SET;
    entry = set + HEAD + (words[set + BUCKETS] as number) + 1 + 2 * index;
  }
  const from = words[entry - 2] as number;
  const inside = words[entry - 1] as number;
  if (inside >= FIRST_SET) return from === part ? inside : NO_SET;
  return inside === 32 || (part ^ from) >>> inside === 0 ? WHOLE : NO_SET;
}

/** How many entries of a set with buckets begin at or before `part`. */
function search(words: Uint32Array, set: number, part: number): number {
  const lowest = words[set + LOWEST] as number;
  if (part < lowest) return 0;
  const buckets = words[set + BUCKETS] as number;
  const bucket = Math.min((part - lowest) >>> (words[set + SHIFT] as number), buckets - 1);
  const entries = set + HEAD + buckets + 1;
  let low = words[set + HEAD + bucket] as number;
  let high = words[set + HEAD + bucket + 1] as number;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((words[entries + 2 * middle] as number) <= part) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sorted and disjoint: blocks of parts that are in whole, and single parts with something below them. */
function* toEntries(prefixes: readonly PartedPrefix[], partBits: number, level: number): Steps<readonly Entry[]> {
  const entries: Entry[] = [];
  const below = new Map<number, PartedPrefix[]>();
  for (const [index, prefix] of prefixes.entries()) {
    const from = prefix.parts[level] ?? 0;
    const sizeBits = partBits * (level + 1) - prefix.length;
    if (sizeBits >= 0) entries.push({ from, sizeBits, below: null });
    else grouped(below, from).push(prefix);
    if (index % STEP_ENTRIES === STEP_ENTRIES - 1) yield;
  }
  for (const [from, group] of below) {
    entries.push({ from, sizeBits: 0, below: group });
    if (entries.length % STEP_ENTRIES === 0) yield;
  }
  // Of what begins together the largest comes first, and a whole part before what is below it.
  const order = (a: Entry, b: Entry): number =>
    a.from - b.from || b.sizeBits - a.sizeBits || (a.below === null ? -1 : 1);
  let end = -1;
  const apart: Entry[] = [];
  for (const [index, entry] of (yield* sortedCopy(entries, order)).entries()) {
    if (index % STEP_ENTRIES === 0) yield;
    if (entry.from <= end) continue;
    if (entry.below === null) end = entry.from + 2 ** entry.sizeBits - 1;
    apart.push(entry);
  }
  return apart;
}

function grouped(groups: Map<number, PartedPrefix[]>, key: number): PartedPrefix[] {
  const group = groups.get(key) ?? [];
  groups.set(key, group);
  return group;
}
