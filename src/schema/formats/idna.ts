import { fitsBidi } from "./bidi.ts";
import { decodePunycode, encodePunycode } from "./punycode.ts";

const LABEL_OCTETS_MAX = 63;
export const NAME_OCTETS_MAX = 253;
const LDH_LABEL = /^[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$/;

/**
 * RFC 5892 section 2 and 3: letters and digits that case folding and normalisation leave as they are. The exceptions of
 * section 2.6 stand first, blocks and properties that are never allowed behind them.
 */
const EXCEPTION = /[ßς\u06fd\u06fe\u0f0b\u3007]/u;
const DISALLOWED =
  /[\u0640\u07fa\u3031-\u3035\u303b\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]|[\u302e\u302f]|[\u20d0-\u20ff]|[\u{1d100}-\u{1d24f}]|\p{Changes_When_NFKC_Casefolded}|\p{Default_Ignorable_Code_Point}|\p{White_Space}|\p{Noncharacter_Code_Point}/u;
const LETTER_DIGIT = /[-\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]/u;

/** Canonical_Combining_Class 9: signs that kill a vowel, behind which joiners have a meaning. */
const VIRAMA =
  /[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a\u1714\u1715\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua82c\ua8c4\ua953\ua9c0\uaaf6\uabed\u{10a3f}\u{11046}\u{11070}\u{1107f}\u{110b9}\u{11133}\u{11134}\u{111c0}\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\u{1172b}\u{11839}\u{1193d}\u{1193e}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}\u{11f41}\u{11f42}]$/u;

/** Joining_Type of Arabic and Syriac, where the joiner is in use: letters that join none or only what stands before them. */
const JOINS_NONE = /[\u0621\u0674\u06dd\u08ad]/u;
const JOINS_BEFORE =
  /[\u0622-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef\u0710\u0715-\u0719\u071e\u0728\u072a\u072c\u072f\u074d\u0759-\u075b\u076b\u076c\u0771\u0773\u0774\u0778\u0779\u08aa-\u08ac\u08ae\u08b1\u08b2\u08b9]/u;
const JOINING_LETTER = /\p{Lo}/u;
const JOINING_SCRIPT = /[\p{Script=Arabic}\p{Script=Syriac}]/u;

/**
 * The code points of a label as people read it, or null where IDNA 2008 has no such label: an ASCII label of letters, digits
 * and hyphens, an A-label that stands for exactly one U-label (RFC 5891 section 5.4), or where `unicode` a U-label itself.
 */
export function readLabel(label: string, unicode: boolean): string | null {
  if (LDH_LABEL.test(label)) return /^xn--/i.test(label) ? readALabel(label.slice(4)) : label;
  if (!unicode || !isULabel(label)) return null;
  const points = [...label].map((char) => char.codePointAt(0) ?? 0);
  if (points.length > LABEL_OCTETS_MAX) return null;
  return encodePunycode(points).length + 4 <= LABEL_OCTETS_MAX ? label : null;
}

function readALabel(encoded: string): string | null {
  const points = decodePunycode(encoded);
  if (points === null || points.some((point) => point >= 0xd800 && point <= 0xdfff)) return null;
  if (encodePunycode(points) !== encoded.toLowerCase()) return null;
  const label = String.fromCodePoint(...points);
  return isULabel(label) ? label : null;
}

/** RFC 5891 section 4.2. */
function isULabel(label: string): boolean {
  if (label.length > 2 * LABEL_OCTETS_MAX || !/[^\0-\x7f]/.test(label)) return false;
  if (!label.isWellFormed() || label.normalize("NFC") !== label) return false;
  if (label.startsWith("-") || label.endsWith("-") || label.slice(2, 4) === "--" || /^\p{M}/u.test(label)) return false;
  const chars = [...label];
  return chars.every((char, index) => isAllowed(char, chars, index));
}

function isAllowed(char: string, chars: readonly string[], index: number): boolean {
  if (EXCEPTION.test(char)) return true;
  const byContext = judgeByContext(char, chars, index);
  return byContext ?? (LETTER_DIGIT.test(char) && !DISALLOWED.test(char));
}

/** RFC 5892 appendix A: characters that are allowed beside certain others only; null for all that need none. */
function judgeByContext(char: string, chars: readonly string[], index: number): boolean | null {
  const before = chars[index - 1] ?? "";
  const after = chars[index + 1] ?? "";
  switch (char) {
    case "\u200c":
      return VIRAMA.test(before) || joinsBothSides(chars, index);
    case "\u200d":
      return VIRAMA.test(before);
    case "\u00b7":
      return before === "l" && after === "l";
    case "\u0375":
      return /^\p{Script=Greek}/u.test(after);
    case "\u05f3":
    case "\u05f4":
      return /^\p{Script=Hebrew}/u.test(before);
    case "\u30fb":
      return chars.some((other) => /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(other));
    default:
      if (/[\u0660-\u0669]/.test(char)) return !chars.some((other) => /[\u06f0-\u06f9]/.test(other));
      if (/[\u06f0-\u06f9]/.test(char)) return !chars.some((other) => /[\u0660-\u0669]/.test(other));
      return null;
  }
}

/** RFC 5892 appendix A.1: letters that would join across the non-joiner; marks between do not count. */
function joinsBothSides(chars: readonly string[], index: number): boolean {
  const isMark = (char: string): boolean => /^\p{Mn}/u.test(char);
  const before = chars.slice(0, index).findLast((char) => !isMark(char)) ?? "";
  const after = chars.slice(index + 1).find((char) => !isMark(char)) ?? "";
  const joins = (char: string): boolean =>
    JOINING_SCRIPT.test(char) && JOINING_LETTER.test(char) && !JOINS_NONE.test(char);
  return joins(before) && !JOINS_BEFORE.test(before) && joins(after);
}

/**
 * A name of such labels, of at most 253 octets as it goes over the wire, whose directions do not mix (RFC 5893). `separator`
 * parts its labels.
 */
export function isName(text: string, separator: RegExp, unicode: boolean): boolean {
  if (text.length > 2 * NAME_OCTETS_MAX) return false;
  const labels = text.split(separator);
  const read = labels.map((label) => readLabel(label, unicode));
  const known = read.filter((label) => label !== null);
  if (known.length < read.length || octetsOf(labels) > NAME_OCTETS_MAX) return false;
  return fitsBidi(known);
}

function octetsOf(labels: readonly string[]): number {
  const octets = labels.map((label) => {
    const points = [...label].map((char) => char.codePointAt(0) ?? 0);
    return points.some((point) => point > 0x7f) ? encodePunycode(points).length + 4 : label.length;
  });
  return octets.reduce((sum, count) => sum + count + 1, -1);
}
