import type { CharSet } from "./char-set.ts";

/**
 * Characters that no set of a program tells apart are one column. Columns are numbered from 0; `of` finds a character's in
 * an array below 256, by halving above.
 */
export interface Alphabet {
  readonly columns: number;
  readonly latin1: Uint16Array;
  /** For each set and column, one set after the other: 1 where the column's characters are in. */
  readonly members: Uint8Array;
  of(char: number): number;
}

export function makeAlphabet(sets: readonly CharSet[]): Alphabet {
  const starts = [...new Set([0, ...sets.flatMap((set) => set.map((edge, index) => edge + (index % 2)))])];
  starts.sort((a, b) => a - b);
  const firsts = Uint32Array.from(starts);
  const columnOf = new Uint16Array(firsts.length);
  const inside = new Uint8Array(sets.length);
  const cursors = new Uint32Array(sets.length);
  const known = new Map<string, number>();
  const members: number[][] = sets.map(() => []);
  for (const [index, first] of firsts.entries()) {
    // Each edge of a set is one of the starts, and turns it on or off.
    for (const [which, set] of sets.entries()) {
      const cursor = cursors[which] ?? 0;
      const edge = set[cursor];
      if (edge === undefined || edge + (cursor % 2) !== first) continue;
      cursors[which] = cursor + 1;
      inside[which] = 1 - (cursor % 2);
    }
    const signature = inside.join("");
    let column = known.get(signature);
    if (column === undefined) {
      column = known.size;
      known.set(signature, column);
      for (const [which, list] of members.entries()) list.push(inside[which] ?? 0);
    }
    columnOf[index] = column;
  }
  const find = (char: number): number => columnOf[indexOf(firsts, char)] ?? 0;
  const latin1 = Uint16Array.from({ length: 256 }, (_, char) => find(char));
  return {
    columns: known.size,
    latin1,
    members: Uint8Array.from(members.flat()),
    of: (char) => (char < 256 ? (latin1[char] as number) : find(char)),
  };
}

/** The last start that is not beyond `char`. */
function indexOf(firsts: Uint32Array, char: number): number {
  let low = 0;
  let high = firsts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((firsts[middle] ?? 0) <= char) low = middle;
    else high = middle - 1;
  }
  return low;
}
