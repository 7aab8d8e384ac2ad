import { byteSet, DIGIT, except, isIn } from "../byte-set.ts";
import { type Anchor, MORE } from "../shape.ts";
import type { LeakText } from "../text.ts";

/** What may stand between digits of one number. */
const SEPARATOR = byteSet(" .-");
const SPACE = byteSet(" ");
const DOT = byteSet(".");
/** A number does not begin behind these: they make it a part of an identifier, of a fraction, or of a phone number. */
const LEAD = except(byteSet("A-Za-z0-9_.+%-"));
const LETTER = byteSet("A-Za-z_");
const NO_DIGIT = except(DIGIT);
/** Digits that a number has at least. */
const DIGITS_MIN = 9;
/** How far a number is looked for, before and behind the place that led to it. */
const BEFORE_BYTES_MAX = 32;
const BEHIND_BYTES_MAX = 48;

type Steps = Anchor["steps"];
const one = (set: typeof DIGIT, isOptional = false): Steps[number] => ({ set, isOptional });
const [D, S, P] = [one(DIGIT), one(SPACE), one(DOT)];
const parted: Steps = [one(SEPARATOR, true), D];

/** Three digits that begin a group and six more, with one separator between any two; and the groups of two of some countries. */
export const DIGIT_RUNS: readonly Anchor[] = [
  { before: NO_DIGIT, steps: [D, D, D, ...Array.from({ length: DIGITS_MIN - 3 }, () => parted).flat()] },
  { before: NO_DIGIT, steps: [D, D, P, D, D, P, D, D] },
  { before: NO_DIGIT, steps: [D, S, D, D, S, D, D, S] },
];

/** Digits with what stands between them. */
export interface DigitRun {
  /** Where each group of digits begins and ends. */
  readonly groups: readonly (readonly [start: number, end: number])[];
}

/** The run around the place before `at`; what it says of a group depends on nothing but the bytes around. */
export function digitRunAt({ bytes, length, isWhole }: LeakText, at: number): DigitRun | typeof MORE {
  const least = Math.max(0, at - BEFORE_BYTES_MAX);
  let start = at;
  while (start > least && (isIn(DIGIT, bytes[start - 1]) || isParted(bytes, start - 1))) start--;
  const groups: [number, number][] = [];
  const most = at + BEHIND_BYTES_MAX;
  for (let end = start; end < most; ) {
    while (end < length && !isIn(DIGIT, bytes[end])) end++;
    const first = end;
    while (end < length && end < most && isIn(DIGIT, bytes[end])) end++;
    if (!isWhole && (end === length || (end + 1 === length && isIn(SEPARATOR, bytes[end])))) return MORE;
    groups.push([first, end]);
    if (!isParted(bytes, end)) break;
  }
  return { groups };
}

/** A separator between two digits. */
function isParted(bytes: Uint8Array, at: number): boolean {
  return isIn(SEPARATOR, bytes[at]) && isIn(DIGIT, bytes[at - 1]) && isIn(DIGIT, bytes[at + 1]);
}

/** Whether a number may begin at `start`: behind a space whatever stands before that. */
export function canBegin({ bytes }: LeakText, start: number): boolean {
  return start === 0 || isIn(LEAD, bytes[start - 1]);
}

/** Whether one may end at `end`: before a space whatever stands behind that, and not before a letter or more of a number. */
export function canEnd({ bytes }: LeakText, end: number): boolean {
  return isIn(SPACE, bytes[end]) || !(isIn(LETTER, bytes[end]) || isIn(DIGIT, bytes[end]) || isParted(bytes, end));
}
