import type { CharSet } from "../../schema/pattern/char-set.ts";
import { codeAt } from "../../support/text-code.ts";

/**
 * What kinds of characters a text has, one bit each. Most values have few, and most transformations change nothing without
 * one of theirs, so one look at each character spares most of the work.
 */
export const TRIGGER = {
  lower: 1 << 0,
  upper: 1 << 1,
  digit: 1 << 2,
  space: 1 << 3,
  /** Tab, line feed, vertical tab, form feed, carriage return. */
  control: 1 << 4,
  null: 1 << 5,
  percent: 1 << 6,
  plus: 1 << 7,
  ampersand: 1 << 8,
  backslash: 1 << 9,
  /** " ' ^ */
  quote: 1 << 10,
  /** , ; */
  separator: 1 << 11,
  slash: 1 << 12,
  parenthesis: 1 << 13,
  dot: 1 << 14,
  star: 1 << 15,
  hash: 1 << 16,
  dash: 1 << 17,
  /** The bytes of UTF-8's no-break space. */
  noBreak: 1 << 18,
  /** Any other byte beyond ASCII. */
  high: 1 << 19,
  other: 1 << 20,
  /** Two that stand beside each other: spaces of any kind, slashes, dashes. */
  spaceTwice: 1 << 21,
  slashTwice: 1 << 22,
  dashTwice: 1 << 23,
} as const;

const CHARACTERS: readonly (readonly [number, string])[] = [
  [TRIGGER.lower, "abcdefghijklmnopqrstuvwxyz"],
  [TRIGGER.upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"],
  [TRIGGER.digit, "0123456789"],
  [TRIGGER.space, " "],
  [TRIGGER.control, "\t\n\v\f\r"],
  [TRIGGER.null, "\0"],
  [TRIGGER.percent, "%"],
  [TRIGGER.plus, "+"],
  [TRIGGER.ampersand, "&"],
  [TRIGGER.backslash, "\\"],
  [TRIGGER.quote, "\"'^"],
  [TRIGGER.separator, ",;"],
  [TRIGGER.slash, "/"],
  [TRIGGER.parenthesis, "("],
  [TRIGGER.dot, "."],
  [TRIGGER.star, "*"],
  [TRIGGER.hash, "#"],
  [TRIGGER.dash, "-"],
  [TRIGGER.noBreak, "\xa0\xc2"],
];

const KINDS = kindsOf();

function kindsOf(): Int32Array {
  const kinds = new Int32Array(256).fill(TRIGGER.other, 0, 128).fill(TRIGGER.high, 128);
  for (const [kind, chars] of CHARACTERS) for (const char of chars) kinds[char.charCodeAt(0)] = kind;
  return kinds;
}

const SPACES = TRIGGER.space | TRIGGER.control;

/** The kinds of characters that a byte text has. */
export function triggersOf(text: string): number {
  let found = 0;
  let twice = 0;
  let last = 0;
  const { length } = text;
  for (let at = 0; at < length; at++) {
    const kind = KINDS[codeAt(text, at)] ?? 0;
    found |= kind;
    // A space and a tab are beside each other, too.
    const wide = (kind & SPACES) === 0 ? kind : SPACES;
    twice |= wide & last;
    last = wide;
  }
  if ((twice & SPACES) !== 0) found |= TRIGGER.spaceTwice;
  if ((twice & TRIGGER.slash) !== 0) found |= TRIGGER.slashTwice;
  if ((twice & TRIGGER.dash) !== 0) found |= TRIGGER.dashTwice;
  return found;
}

/** The kinds that texts of these characters (code points) can have: what the transformations may do to any of them. */
export function triggersOfAlphabet(alphabet: CharSet): number {
  let found = 0;
  for (let index = 0; index < alphabet.length; index += 2) {
    const last = Math.min(alphabet[index + 1] ?? 0, 0x7f);
    for (let char = alphabet[index] ?? 0; char <= last; char++) found |= KINDS[char] ?? 0;
  }
  // In UTF-8, whatever it is, any of these bytes may be in it.
  if ((alphabet.at(-1) ?? 0) > 0x7f) found |= TRIGGER.high | TRIGGER.noBreak;
  if ((found & SPACES) !== 0) found |= TRIGGER.spaceTwice;
  if ((found & TRIGGER.slash) !== 0) found |= TRIGGER.slashTwice;
  return (found & TRIGGER.dash) === 0 ? found : found | TRIGGER.dashTwice;
}
