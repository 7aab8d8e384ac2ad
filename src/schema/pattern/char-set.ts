/** Code points (or code units) as ranges: first, last, first, last …, sorted, apart from each other. */
export type CharSet = readonly number[];

export const LAST_CODE_POINT = 0x10ffff;
export const LAST_CODE_UNIT = 0xffff;

export const NOTHING: CharSet = [];

export function single(char: number): CharSet {
  return [char, char];
}

/** Ranges in any order, which may overlap → a set. */
export function toSet(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const set: number[] = [];
  for (const [first, last] of sorted) {
    const end = set.length - 1;
    const reached = set[end];
    if (reached !== undefined && first <= reached + 1) set[end] = Math.max(reached, last);
    else set.push(first, last);
  }
  return set;
}

export function rangesOf(set: CharSet): [number, number][] {
  const ranges: [number, number][] = [];
  for (let index = 0; index < set.length; index += 2) ranges.push([set[index] ?? 0, set[index + 1] ?? 0]);
  return ranges;
}

export function union(sets: readonly CharSet[]): CharSet {
  const [only] = sets;
  return sets.length === 1 && only !== undefined ? only : toSet(sets.flatMap(rangesOf));
}

export function complement(set: CharSet, last: number): CharSet {
  const rest: number[] = [];
  let from = 0;
  for (const [first, end] of rangesOf(set)) {
    if (from < first) rest.push(from, first - 1);
    from = end + 1;
  }
  if (from <= last) rest.push(from, last);
  return rest;
}

export function contains(set: CharSet, char: number): boolean {
  let low = 0;
  let high = set.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((set[2 * middle + 1] ?? 0) < char) low = middle + 1;
    else high = middle;
  }
  return 2 * low < set.length && (set[2 * low] ?? 0) <= char;
}
