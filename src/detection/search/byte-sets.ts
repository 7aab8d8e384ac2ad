import { type CharSet, complement, rangesOf, toSet } from "../../schema/pattern/char-set.ts";

/** Sets of bytes as PCRE names them without its Unicode mode: letters and digits are those of ASCII. */

export const LAST_BYTE = 0xff;
export const ANY_BYTE: CharSet = [0, LAST_BYTE];

const ofChars = (chars: string): CharSet => toSet([...chars].map((char) => [char.charCodeAt(0), char.charCodeAt(0)]));
const not = (set: CharSet): CharSet => complement(set, LAST_BYTE);

const DIGIT: CharSet = [0x30, 0x39];
export const WORD: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const SPACE: CharSet = [0x09, 0x0d, 0x20, 0x20];
const HORIZONTAL: CharSet = ofChars("\t \xa0");
const VERTICAL: CharSet = ofChars("\n\v\f\r\x85");
export const LINE_FEED: CharSet = [0x0a, 0x0a];

/** Behind a backslash. */
export const SET_ESCAPES: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: SPACE,
  S: not(SPACE),
  h: HORIZONTAL,
  H: not(HORIZONTAL),
  v: VERTICAL,
  V: not(VERTICAL),
  N: not(LINE_FEED),
};

/** Between `[:` and `:]`. */
export const POSIX_CLASSES: Readonly<Record<string, CharSet>> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit: DIGIT,
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: SPACE,
  upper: [0x41, 0x5a],
  word: WORD,
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
};

/** A set with both cases of each letter of ASCII that it has one of. */
export function foldBytes(set: CharSet): CharSet {
  const moved = rangesOf(set).flatMap(([first, last]) => [
    ...shift(first, last, 0x41, 0x5a, 0x20),
    ...shift(first, last, 0x61, 0x7a, -0x20),
  ]);
  return moved.length === 0 ? set : toSet([...rangesOf(set), ...moved]);
}

function shift(first: number, last: number, low: number, high: number, by: number): [number, number][] {
  const [from, to] = [Math.max(first, low), Math.min(last, high)];
  return from <= to ? [[from + by, to + by]] : [];
}

export { not as otherBytes };
