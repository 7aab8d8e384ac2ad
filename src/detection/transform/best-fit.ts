/**
 * What services on Windows make of `%uXXXX` in the code page 20127 (US-ASCII): the character that looks most like it. Facts
 * of Microsoft's best-fit table as ModSecurity's `unicode.mapping` lists them, in runs of neighbours; U+FF01 to U+FF5E, the
 * full-width forms, follow a rule and stand nowhere.
 */
const RUNS: readonly (readonly [number, string])[] = [
  [0x00a0, " !c"],
  [0x00a4, "$Y|"],
  [0x00a9, "Ca<"],
  [0x00ad, "-R"],
  [0x00b2, "23"],
  [0x00b7, ".,1o>"],
  [0x00c0, "AAAAAAACEEEEIIIIDNOOOOO"],
  [0x00d8, "OUUUUY"],
  [0x00e0, "aaaaaaaceeeeiiii"],
  [0x00f1, "nooooo"],
  [0x00f8, "ouuuuy"],
  [0x00ff, "yAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi"],
  [0x0134, "JjKk"],
  [0x0139, "LlLlLl"],
  [0x0141, "LlNnNnNn"],
  [0x014c, "OoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZ"],
  [0x017b, "ZzZz"],
  [0x0180, "b"],
  [0x0189, "D"],
  [0x0191, "Ff"],
  [0x0197, "I"],
  [0x019a, "l"],
  [0x019f, "OOo"],
  [0x01ab, "t"],
  [0x01ae, "TUu"],
  [0x01b6, "z"],
  [0x01cd, "AaIiOoUuUuUuUuUu"],
  [0x01de, "Aa"],
  [0x01e4, "GgGgKkOoOo"],
  [0x01f0, "j"],
  [0x0261, "g"],
  [0x02b9, "'\""],
  [0x02bc, "'"],
  [0x02c4, "^"],
  [0x02c6, "^"],
  [0x02c8, "'"],
  [0x02cb, "`"],
  [0x02cd, "_"],
  [0x02dc, "~"],
  [0x0300, "`"],
  [0x0302, "^~"],
  [0x030e, '"'],
  [0x0331, "__"],
  [0x2000, "       "],
  [0x2010, "--"],
  [0x2013, "--"],
  [0x2018, "'',"],
  [0x201c, '"""'],
  [0x2022, "."],
  [0x2026, "."],
  [0x2032, "'"],
  [0x2035, "`"],
  [0x2039, "<>"],
  [0x2122, "T"],
];

const TABLE = tableOf();

function tableOf(): ReadonlyMap<number, string> {
  return new Map(RUNS.flatMap(([first, chars]) => [...chars].map((char, index) => [first + index, char] as const)));
}

/** The byte that a code unit becomes: the likest of ASCII, or else its low byte, as full-width forms moved by 20 (hex). */
export function bestFit(code: number): string {
  return TABLE.get(code) ?? lowByte(code);
}

/** The low byte of a code unit; full-width ASCII (U+FF01 to U+FF5E) as what it is the wide form of. */
export function lowByte(code: number): string {
  const low = code & 0xff;
  return String.fromCharCode((code & 0xff00) === 0xff00 && low > 0 && low < 0x5f ? low + 0x20 : low);
}
