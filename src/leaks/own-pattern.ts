import type { Finder } from "../schema/pattern/find.ts";
import { byteSet, isIn } from "./byte-set.ts";
import type { Found, LeakKind } from "./kind.ts";
import type { WindowText } from "./text.ts";

/** A pattern of the policy's own, looked for in each line of each string. */
export interface OwnPattern {
  readonly kind: LeakKind;
  readonly finder: Finder;
}

/** The kind of a pattern. With words, one of them has to stand near. */
export function ownKind(name: string, match: string, words: readonly string[]): LeakKind {
  const scores = { shape: words.length === 0 ? 60 : 30, checksum: 0, word: words.length === 0 ? 0 : 30 };
  return {
    name,
    group: "patterns",
    about: name,
    shape: match,
    checksum: "",
    words,
    scores,
    threshold: 60,
    source: "policy",
  };
}

const LIMIT = byteSet('\\n\\r"');
/** Of a code point. */
const BYTES_MAX = 4;

/** Finds that nobody has judged yet, and up to where they are all that there will be. */
export interface OwnFinds {
  readonly found: readonly Found[];
  readonly upTo: number;
}

export function findOwn({ kind, finder }: OwnPattern, text: WindowText): OwnFinds {
  const { bytes, length, start, isWhole } = text;
  const found: Found[] = [];
  let from = start;
  const wanted = finder.literal.length < LITERAL_MIN ? null : Buffer.from(finder.literal, "utf8");
  if (wanted === null || bytes.indexOf(wanted, start) >= 0) {
    while (from < length) {
      const end = endOfUnit(bytes, from, length);
      for (const [first, last] of matchesIn(finder, bytes, from, end))
        found.push({ kind, from: first, start: first, end: last, tail: null });
      from = end + 1;
    }
  }
  if (isWhole) return { found, upTo: length };
  const least = Math.max(start, length - BYTES_MAX * finder.lengthMax);
  let upTo = length;
  while (upTo > least && !isIn(LIMIT, bytes[upTo - 1])) upTo--;
  return { found, upTo };
}

/** A shorter one is everywhere. */
const LITERAL_MIN = 3;

function endOfUnit(bytes: Buffer, from: number, length: number): number {
  let end = from;
  while (end < length && !isIn(LIMIT, bytes[end])) end++;
  return end;
}

/** What stands before a unit's first byte is looked at, where it belongs to the unit. */
function* matchesIn(finder: Finder, bytes: Buffer, from: number, end: number): Generator<[number, number]> {
  let first = from;
  while (first > 0 && from - first < BYTES_MAX && !isIn(LIMIT, bytes[first - 1])) first--;
  const text = bytes.toString("utf8", first, end);
  const isAscii = text.length === end - first;
  const byteOf = (at: number): number => first + (isAscii ? at : Buffer.byteLength(text.slice(0, at)));
  let at = isAscii ? from - first : bytes.toString("utf8", first, from).length;
  for (let match = finder.find(text, at); match !== null; match = finder.find(text, at)) {
    yield [byteOf(match.start), byteOf(match.end)];
    at = match.end;
  }
}
