import { byteSet, DIGIT, except, isIn } from "../byte-set.ts";
import { type Anchor, MORE } from "../shape.ts";
import type { LeakText } from "../text.ts";

/** What may stand between digits of one number. */
const SEPARATOR = byteSet(" .-");
const SPACE = byteSet(" ");
/** A number does not begin behind these: they make it a part of an identifier, of a fraction, or of a phone number. */
const LEAD = except(byteSet("A-Za-z0-9_.+%-"));
const LEAD_BUT_SPACE = except(byteSet("A-Za-z0-9_.+% -"));
/** Digits that a run needs to be looked at. */
const DIGITS_MIN = 9;
const RUN_BYTES_MAX = 48;

/** Nine digits, with one separator between any two. */
const DIGITS: Anchor["steps"] = Array.from({ length: 2 * DIGITS_MIN - 1 }, (_, at) => ({
  set: at % 2 === 0 ? DIGIT : SEPARATOR,
  isOptional: at % 2 === 1,
}));

/** Behind a space only where no digit stands before that: so never within a run that has begun. */
export const DIGIT_RUNS: readonly Anchor[] = [
  { before: LEAD_BUT_SPACE, steps: DIGITS },
  { before: except(DIGIT), steps: [{ set: SPACE, isOptional: false }, ...DIGITS] },
];

/** Digits with what stands between them, whole. */
export interface DigitRun {
  /** Where each group of digits begins and ends. */
  readonly groups: readonly (readonly [start: number, end: number])[];
}

/** The run with digits right before `at`. */
export function digitRunAt(text: LeakText, at: number): DigitRun | typeof MORE | null {
  let start = at;
  while (start > text.start && at - start < RUN_BYTES_MAX && isPart(text, start - 1)) start--;
  while (start < at && !isIn(DIGIT, text.bytes[start])) start++;
  if (start > 0 && !isIn(LEAD, text.bytes[start - 1])) return null;
  const groups: [number, number][] = [];
  let end = start;
  for (;;) {
    const first = end;
    while (end < text.length && isIn(DIGIT, text.bytes[end])) end++;
    groups.push([first, end]);
    if (end - start > RUN_BYTES_MAX) return null;
    if (end + 1 >= text.length && !text.isWhole && !isOver(text, end)) return MORE;
    if (!isIn(SEPARATOR, text.bytes[end]) || !isIn(DIGIT, text.bytes[end + 1])) break;
    end++;
  }
  return isJoined(text, end) ? null : { groups };
}

function isPart({ bytes }: LeakText, at: number): boolean {
  return isIn(DIGIT, bytes[at]) || (isIn(SEPARATOR, bytes[at]) && isIn(DIGIT, bytes[at - 1]));
}

/** The byte behind the run is here, and more is not needed. */
function isOver({ bytes, length }: LeakText, end: number): boolean {
  return end < length && !isIn(SEPARATOR, bytes[end]);
}

const LETTER = byteSet("A-Za-z_");

/** A letter right behind makes it an identifier. */
function isJoined({ bytes, length }: LeakText, end: number): boolean {
  return end < length && isIn(LETTER, bytes[end]);
}
