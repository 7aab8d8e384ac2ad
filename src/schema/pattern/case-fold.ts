import { type CharSet, contains, rangesOf, toSet } from "./char-set.ts";

/** Characters that are one under the flag `i`, each in a list with all its equals. */
type Orbits = ReadonlyMap<number, readonly number[]>;

const known = new Map<boolean, Orbits>();

/**
 * A set with all that equals one of its characters under the flag `i` (`(?i:…)`), by Canonicalize of ECMA-262 section
 * 22.2.2.7.3: simple case folding with `u`, upper case of one code unit without. Which are equal is asked of the engine.
 */
export function foldCase(set: CharSet, unicode: boolean): CharSet {
  const orbits = orbitsOf(unicode);
  const ranges = rangesOf(set);
  const [first = 0, last] = set;
  const chars = set.length === 2 && first === last ? [first] : orbits.keys();
  for (const char of chars) {
    if (contains(set, char)) for (const equal of orbits.get(char) ?? []) ranges.push([equal, equal]);
  }
  return toSet(ranges);
}

function orbitsOf(unicode: boolean): Orbits {
  const made = known.get(unicode);
  if (made !== undefined) return made;
  const orbits = findOrbits(unicode);
  known.set(unicode, orbits);
  return orbits;
}

/** Whatever is changed by a case mapping is grouped by it; then the engine confirms each group, pair by pair. */
function findOrbits(unicode: boolean): Orbits {
  const groups = new Map<number, Set<number>>();
  const join = (a: number, b: number): void => {
    const merged = new Set([...(groups.get(a) ?? [a]), ...(groups.get(b) ?? [b])]);
    for (const char of merged) groups.set(char, merged);
  };
  const cased = /[\p{Changes_When_Lowercased}\p{Changes_When_Uppercased}\p{Changes_When_Casefolded}]/u;
  for (let char = 0x41; char < (unicode ? 0x1f000 : 0x10000); char++) {
    if (char === 0x3400) char = 0xa000;
    if (char === 0xac00) char = 0xf900;
    const text = String.fromCodePoint(char);
    if (!cased.test(text)) continue;
    for (const other of [text.toLowerCase(), text.toUpperCase(), text.normalize("NFKC")]) {
      const point = other.codePointAt(0) ?? char;
      if (point !== char && other.length === String.fromCodePoint(point).length) join(char, point);
    }
  }
  // ß and the two ligatures of s and t have no upper case of one character.
  join(0xdf, 0x1e9e);
  join(0xfb05, 0xfb06);
  const orbits = [...new Set(groups.values())].flatMap((group) => split([...group], unicode));
  return new Map(orbits.flatMap((orbit) => orbit.map((char) => [char, orbit] as const)));
}

function split(group: readonly number[], unicode: boolean): number[][] {
  const [first, ...rest] = group;
  if (first === undefined) return [];
  const equals = new RegExp(`^${spell(first, unicode)}$`, unicode ? "iu" : "i");
  const same = rest.filter((char) => equals.test(String.fromCodePoint(char)));
  const others = split(
    rest.filter((char) => !same.includes(char)),
    unicode,
  );
  return same.length === 0 ? others : [[first, ...same], ...others];
}

function spell(char: number, unicode: boolean): string {
  return unicode ? `\\u{${char.toString(16)}}` : `\\u${char.toString(16).padStart(4, "0")}`;
}
