import { foldCase } from "./case-fold.ts";
import { type CharSet, complement, LAST_CODE_POINT, LAST_CODE_UNIT, NOTHING } from "./char-set.ts";
import type { Source } from "./source.ts";
import { DIGITS, isProperty, propertySet, SPACES, WORD } from "./unicode-sets.ts";

const CONTROLS: Readonly<Record<string, number>> = { f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09, v: 0x0b };
const SYNTAX_CHARACTERS = "^$\\.*+?()[]{}|/";

/** Word characters: under `i` with `u` those that equal one, too (the long s and the Kelvin sign). */
export function wordSet(unicode: boolean, ignoreCase: boolean): CharSet {
  return unicode && ignoreCase ? foldCase(WORD, true) : WORD;
}

export function everything(unicode: boolean): number {
  return unicode ? LAST_CODE_POINT : LAST_CODE_UNIT;
}

/** The set of `\d \D \s \S \w \W \p{…} \P{…}` at what follows a backslash, or null where another escape stands there. */
export function readSetEscape(source: Source, ignoreCase: boolean): CharSet | null {
  const { unicode } = source;
  const letter = source.peek();
  const named = letter.toLowerCase();
  if (named === "p" && unicode) return readProperty(source);
  const set = named === "d" ? DIGITS : named === "s" ? SPACES : named === "w" ? wordSet(unicode, ignoreCase) : null;
  if (set === null) return null;
  source.at++;
  return letter === named ? set : complement(set, everything(unicode));
}

function readProperty(source: Source): CharSet {
  const at = source.at - 1;
  const negated = source.peek() === "P";
  source.at++;
  const [, name] = source.match(/\{(\w+(?:=\w+)?)\}/y) ?? [];
  const set = name === undefined ? null : source.syntaxOnly ? (isProperty(name) ? NOTHING : null) : propertySet(name);
  if (set === null) {
    source.fail("no Unicode property that this build knows; expected one as in \\p{L} or \\p{Script=Greek}", at);
  }
  return negated ? complement(set, LAST_CODE_POINT) : set;
}

/**
 * The character that an escape stands for, at what follows the backslash; references and sets are the caller's. Without `u`
 * by Annex B (B.1.2): what is no escape is the character itself. `\b` in a class is a backspace.
 */
export function readCharacterEscape(source: Source, inClass: boolean, hasNames: boolean): number {
  const at = source.at - 1;
  if (source.ended) source.fail("a backslash with nothing behind it; write \\\\ for the character", at);
  const letter = source.peek();
  const control = CONTROLS[letter];
  if (control !== undefined && Object.hasOwn(CONTROLS, letter)) {
    source.at++;
    return control;
  }
  if (inClass && source.take("b")) return 0x08;
  if (inClass && source.unicode && source.take("-")) return 0x2d;
  if (letter === "c") return readControl(source, inClass);
  if (letter >= "0" && letter <= "9") return readOctal(source, at);
  const hex = source.match(/x([0-9A-Fa-f]{2})/y)?.[1];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  const point = readUnicodeEscape(source);
  if (point !== null) return point;
  return readIdentity(source, at, hasNames);
}

/** `\u1234`, and with `u` also `\u{1F600}` and a pair `\ud83d\ude00`; null where none stands here. */
export function readUnicodeEscape(source: Source, always = source.unicode): number | null {
  if (always) {
    const braced = source.match(/u\{([0-9A-Fa-f]+)\}/y)?.[1];
    if (braced !== undefined) {
      const point = Number.parseInt(braced, 16);
      if (point > LAST_CODE_POINT) source.fail("beyond the last code point, 10FFFF", source.at - braced.length - 4);
      return point;
    }
    const pair = source.match(/u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})/y);
    if (pair !== null) {
      const [high, low] = [Number.parseInt(pair[1] ?? "", 16), Number.parseInt(pair[2] ?? "", 16)];
      return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  const unit = source.match(/u([0-9A-Fa-f]{4})/y)?.[1];
  return unit === undefined ? null : Number.parseInt(unit, 16);
}

function readControl(source: Source, inClass: boolean): number {
  const found = source.match(inClass && !source.unicode ? /c([A-Za-z0-9_])/y : /c([A-Za-z])/y)?.[1];
  if (found !== undefined) return found.charCodeAt(0) % 32;
  if (source.unicode) source.fail("expected a letter behind \\c", source.at - 1);
  // The backslash itself; the c is read next.
  return 0x5c;
}

function readOctal(source: Source, at: number): number {
  if (source.unicode) {
    if (source.match(/0(?![0-9])/y) !== null) return 0;
    source.fail("an octal escape; write \\x or \\u with the character's number", at);
  }
  const octal = source.match(/[0-3][0-7]{0,2}|[4-7][0-7]?/y)?.[0];
  // \8 and \9 are no octal numbers.
  return octal === undefined ? source.next() : Number.parseInt(octal, 8);
}

function readIdentity(source: Source, at: number, hasNames: boolean): number {
  const letter = source.peek();
  if (source.unicode && !SYNTAX_CHARACTERS.includes(letter)) {
    source.fail(`\\${letter} is no escape; write the character without its backslash`, at);
  }
  if (letter === "k" && hasNames) source.fail("expected the name of a group as in \\k<name>", at);
  return source.next();
}
