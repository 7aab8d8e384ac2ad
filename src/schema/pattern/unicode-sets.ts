import { type CharSet, toSet, union } from "./char-set.ts";

/** The sets that ECMA-262 names (section 22.2.1, CharacterClassEscape; 22.2.2.9 for word characters). */
export const DIGITS: CharSet = toSet([[0x30, 0x39]]);

export const WORD: CharSet = toSet([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);

export const LINE_ENDS: CharSet = toSet([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]);

/** WhiteSpace and LineTerminator: what Unicode calls a space, and the byte order mark. */
export const SPACES: CharSet = union([
  LINE_ENDS,
  toSet([
    [0x09, 0x0d],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
    [0xfeff, 0xfeff],
  ]),
]);

const SURROGATES: readonly [number, number] = [0xd800, 0xdfff];

/** Planes that Unicode has given characters to; in the others all but the last two code points are alike. */
const SETTLED_PLANES = [0, 1, 2, 3, 14] as const;
const UNIFORM_PLANES = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16] as const;
const CHUNK = 0x2000;

const properties = new Map<string, CharSet>();

/**
 * The code points with a property, by what the engine itself knows (`General_Category=Lu`, `Script=Greek`, `Emoji` …), or
 * null where it knows no such property. Some 15 ms for each, once.
 */
export function propertySet(name: string): CharSet | null {
  const known = properties.get(name);
  if (known !== undefined) return known;
  const runs = compileProperty(name);
  if (runs === null) return null;
  const set = scan(runs);
  properties.set(name, set);
  return set;
}

export function isProperty(name: string): boolean {
  return properties.has(name) || compileProperty(name) !== null;
}

function compileProperty(name: string): RegExp | null {
  if (!/^\w+(?:=\w+)?$/.test(name)) return null;
  try {
    return new RegExp(`\\p{${name}}+`, "gu");
  } catch {
    return null;
  }
}

function scan(runs: RegExp): CharSet {
  const has = (char: number): boolean => String.fromCodePoint(char).search(runs) === 0;
  const ranges: [number, number][] = [];
  for (const plane of SETTLED_PLANES) {
    for (let first = plane * 0x10000; first < (plane + 1) * 0x10000; first += CHUNK) scanChunk(runs, first, ranges);
  }
  if (has(SURROGATES[0])) ranges.push([...SURROGATES]);
  for (const plane of UNIFORM_PLANES) {
    const [first, last] = [plane * 0x10000, plane * 0x10000 + 0xffff];
    if (has(first)) ranges.push([first, last - 2]);
    if (has(last)) ranges.push([last - 1, last]);
  }
  return toSet(ranges);
}

/** A run of characters in a text of consecutive code points is a range. */
function scanChunk(runs: RegExp, first: number, ranges: [number, number][]): void {
  const chars: number[] = [];
  for (let char = first; char < first + CHUNK; char++) {
    if (char < SURROGATES[0] || char > SURROGATES[1]) chars.push(char);
  }
  if (chars.length === 0) return;
  const text = String.fromCodePoint(...chars);
  for (const match of text.matchAll(runs)) {
    const start = text.codePointAt(match.index) ?? 0;
    const end = lastCodePoint(match[0]);
    // No chunk has a gap inside: the one that the surrogates cut short ends or begins with them.
    ranges.push([start, end]);
  }
}

function lastCodePoint(text: string): number {
  const unit = text.charCodeAt(text.length - 1);
  return unit >= 0xdc00 && unit <= 0xdfff ? (text.codePointAt(text.length - 2) ?? 0) : unit;
}
