/** 256 cells, 1 where the byte is in. */
export type ByteSet = Uint8Array;

/** Shapes have the same few again and again; nobody writes into one. */
const known = new Map<string, ByteSet>();

/** `A-Za-z0-9_.-` as in a class of a regular expression; a `-` at either end is itself, `\\` lets any character be itself. */
export function byteSet(ranges: string): ByteSet {
  const set = known.get(ranges) ?? setOf(ranges);
  known.set(ranges, set);
  return set;
}

function setOf(ranges: string): ByteSet {
  const set = new Uint8Array(256);
  const chars: { code: number; isRange: boolean }[] = [];
  for (let at = 0; at < ranges.length; at++) {
    const isEscaped = ranges[at] === "\\";
    if (isEscaped) at++;
    chars.push({ code: codeOf(ranges[at] ?? "", isEscaped), isRange: !isEscaped && ranges[at] === "-" });
  }
  for (let at = 0; at < chars.length; at++) {
    const first = chars[at]?.code ?? 0;
    const last = chars[at + 1]?.isRange === true ? chars[at + 2]?.code : undefined;
    set.fill(1, first, (last ?? first) + 1);
    if (last !== undefined) at += 2;
  }
  return set;
}

const NAMED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function codeOf(char: string, isEscaped: boolean): number {
  return ((isEscaped ? NAMED[char] : undefined) ?? char).charCodeAt(0) & 0xff;
}

export function except(set: ByteSet): ByteSet {
  return set.map((cell) => 1 - cell);
}

export function isIn(set: ByteSet, byte: number | undefined): boolean {
  return byte !== undefined && set[byte] === 1;
}

/** With the other case of each letter. */
export function anyCase(set: ByteSet): ByteSet {
  const folded = Uint8Array.from(set);
  for (let lower = 0x61; lower <= 0x7a; lower++) {
    const either = (set[lower] as number) | (set[lower - 32] as number);
    folded[lower] = either;
    folded[lower - 32] = either;
  }
  return folded;
}

export const DIGIT: ByteSet = byteSet("0-9");
/** Of words; one of these beside a token makes it a part of something longer. */
export const WORD: ByteSet = byteSet("A-Za-z0-9_");
export const NO_WORD: ByteSet = except(WORD);
export const BLANK: ByteSet = byteSet(" \\t");
