import { bestFit, lowByte } from "./best-fit.ts";
import { hexDigit, hexNumber, NONE, standsFor, unescaping } from "./bytes.ts";

/**
 * Transformations that take an encoding off, as ModSecurity 3 documents them (Reference Manual, "Transformation functions").
 * On byte texts; what is no valid escape stays as it is. Each goes over the text once.
 */

const PERCENT = 0x25;
const PLUS = 0x2b;
const AMPERSAND = 0x26;
const BACKSLASH = 0x5c;
/** No character of a byte text. */
const NO_OTHER = -1;

export const urlDecode = unescaping(PERCENT, PLUS, readUrl);

function readUrl(text: string, at: number): number {
  if (text.charCodeAt(at) === PLUS) return standsFor(1, 0x20);
  const byte = hexNumber(text, at + 1, 2);
  return byte < 0 ? NONE : standsFor(3, byte);
}

/** Also `%uXXXX`, as services on Windows read it. */
export const urlDecodeUni = unescaping(PERCENT, PLUS, (text, at) => {
  const isWide = text.charCodeAt(at) === PERCENT && isU(text, at + 1);
  const point = isWide ? hexNumber(text, at + 2, 4) : -1;
  return point < 0 ? readUrl(text, at) : standsFor(6, bestFit(point).charCodeAt(0));
});

function isU(text: string, at: number): boolean {
  return (text.charCodeAt(at) | 0x20) === 0x75;
}

function isX(text: string, at: number): boolean {
  return (text.charCodeAt(at) | 0x20) === 0x78;
}

const ENTITIES = [
  ["quot", 0x22],
  ["amp", 0x26],
  ["lt", 0x3c],
  ["gt", 0x3e],
  ["nbsp", 0xa0],
] as const;

/** A number is one byte, its lowest; leading zeros count for nothing, else they would hide what follows. */
export const htmlEntityDecode = unescaping(AMPERSAND, NO_OTHER, (text, opens) => {
  const at = opens + 1;
  if (text.charCodeAt(at) === 0x23)
    return isX(text, at + 1) ? readNumber(text, opens, at + 2, 16) : readNumber(text, opens, at + 1, 10);
  for (const [name, byte] of ENTITIES) if (isWord(text, at, name)) return closed(text, opens, at + name.length, byte);
  return NONE;
});

/** However many digits it has: 1000 is a multiple of 8, so the byte is not told by the last three alone. */
function readNumber(text: string, opens: number, first: number, base: 10 | 16): number {
  let byte = 0;
  let at = first;
  for (; ; at++) {
    const digit = hexDigit(text, at);
    if (digit < 0 || digit >= base) break;
    byte = (byte * base + digit) & 0xff;
  }
  return at === first ? NONE : closed(text, opens, at, byte);
}

/** In small or large letters. */
function isWord(text: string, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    if ((text.charCodeAt(at + index) | 0x20) !== word.charCodeAt(index)) return false;
  }
  return true;
}

/** A semicolon closes an entity, and may be left out. */
function closed(text: string, opens: number, end: number, byte: number): number {
  return standsFor(end - opens + (text.charCodeAt(end) === 0x3b ? 1 : 0), byte);
}

/** What a letter behind a backslash stands for; any other character stands for itself. */
const CONTROLS = Uint8Array.from({ length: 256 }, (_, char) => char);
for (const [letter, control] of Object.entries({ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 })) {
  CONTROLS[letter.charCodeAt(0)] = control;
}

/** The digit of an octal number; -1 for any other character, and behind the end. */
function octalDigit(text: string, at: number): number {
  const char = text.charCodeAt(at);
  return char >= 0x30 && char <= 0x37 ? char - 0x30 : -1;
}

/** Up to so many octal digits, of which the number is one byte. */
function readOctal(text: string, at: number, digitsMax: number): number {
  let number = 0;
  let next = at;
  for (; next < at + digitsMax; next++) {
    const digit = octalDigit(text, next);
    if (digit < 0) break;
    number = number * 8 + digit;
  }
  return next === at ? NONE : standsFor(next - at + 1, number & 0xff);
}

/** The character behind a backslash, as itself or the control that it stands for; none behind the end. */
function readCharacter(text: string, at: number): number {
  return at < text.length ? standsFor(2, CONTROLS[text.charCodeAt(at)]) : NONE;
}

/** JavaScript's escapes: `\uHHHH` (its low byte), `\xHH`, `\OOO`, `\n` …; any other character is itself. */
export const jsDecode = unescaping(BACKSLASH, NO_OTHER, readJs);

function readJs(text: string, opens: number): number {
  const at = opens + 1;
  const char = text.charCodeAt(at);
  if (char === 0x75) {
    const point = hexNumber(text, at + 1, 4);
    if (point >= 0) return standsFor(6, lowByte(point).charCodeAt(0));
  } else if (char === 0x78) {
    const byte = hexNumber(text, at + 1, 2);
    if (byte >= 0) return standsFor(4, byte);
  } else if (char >= 0x30 && char <= 0x37) return readOctal(text, at, char <= 0x33 ? 3 : 2);
  return readCharacter(text, at);
}

/** CSS 2's escapes: one to six hexadecimal digits and one space behind them, a line that goes on, or the character itself. */
export const cssDecode = unescaping(BACKSLASH, NO_OTHER, readCss);

function readCss(text: string, opens: number): number {
  const at = opens + 1;
  if (at === text.length || text.charCodeAt(at) === 0x0a) return standsFor(at === text.length ? 1 : 2);
  let end = at;
  while (end < at + 6 && hexDigit(text, end) >= 0) end++;
  if (end === at) return standsFor(2, text.charCodeAt(at));
  const number = hexNumber(text, at, end - at);
  const next = text.charCodeAt(end);
  const hasSpace = next === 0x20 || (next >= 0x09 && next <= 0x0d);
  const byte = isFullWidth(text, at, end) ? lowByte(number).charCodeAt(0) : number & 0xff;
  return standsFor(end - opens + (hasSpace ? 1 : 0), byte);
}

/** Of four to six digits, those of U+FF00 to U+FFFF. */
function isFullWidth(text: string, at: number, end: number): boolean {
  let first = at;
  while (first < at + 2 && text.charCodeAt(first) === 0x30) first++;
  return end - at >= 4 && first + 2 <= end && hexNumber(text, first, 2) === 0xff;
}

/** Escapes of ANSI C. */
export const escapeSeqDecode = unescaping(BACKSLASH, NO_OTHER, readC);

function readC(text: string, opens: number): number {
  const at = opens + 1;
  const byte = isX(text, at) ? hexNumber(text, at + 1, 2) : -1;
  if (byte >= 0) return standsFor(4, byte);
  const octal = readOctal(text, at, 3);
  return octal === NONE ? readCharacter(text, at) : octal;
}

/** `0x414243` of SQL. */
export function sqlHexDecode(text: string): string {
  const out = Buffer.allocUnsafe(text.length);
  let end = 0;
  for (let at = 0; at < text.length; ) {
    const isNumber = text.charCodeAt(at) === 0x30 && isX(text, at + 1);
    let byte = isNumber ? hexNumber(text, at + 2, 2) : -1;
    if (byte < 0) {
      out[end++] = text.charCodeAt(at++);
      continue;
    }
    for (at += 2; byte >= 0; byte = hexNumber(text, at, 2)) {
      out[end++] = byte;
      at += 2;
    }
  }
  return end === text.length ? text : out.toString("latin1", 0, end);
}

/** Nothing where it is no hexadecimal number of whole bytes. */
export function hexDecode(text: string): string {
  return /^(?:[0-9A-Fa-f]{2})*$/.test(text) ? Buffer.from(text, "hex").toString("latin1") : "";
}

/** Up to the padding or the first character that is not of base64 (RFC 4648, section 4). */
export function base64Decode(text: string): string {
  const [letters] = /^[0-9A-Za-z+/\r\n]*/.exec(text) ?? [""];
  return Buffer.from(letters, "base64").toString("latin1");
}

/** Up to the padding, over whatever else stands between; the alphabet of URLs, too (section 5). */
export function base64DecodeExt(text: string): string {
  const padding = text.indexOf("=");
  const letters = (padding < 0 ? text : text.slice(0, padding)).replace(/[^0-9A-Za-z+/_-]+/g, "");
  return Buffer.from(letters, "base64").toString("latin1");
}
