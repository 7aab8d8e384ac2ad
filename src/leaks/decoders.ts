import { Decoded, DecodedWriter } from "./decoded.ts";

/** What a format does to characters. */
export type LeakCoding = "none" | "json" | "markup" | "form";

/** Bytes of a text → what its reader has. What is not whole at the end is left, where more may come (`isWhole` is false). */
export function decode(source: Buffer, coding: LeakCoding, isWhole: boolean): Decoded {
  switch (coding) {
    case "json":
      return decodeEach(source, BACKSLASH, readEscape, isWhole);
    case "markup":
      return decodeEach(source, AMPERSAND, readReference, isWhole);
    case "form":
      return decodeForm(source, isWhole);
    default:
      return new Decoded(source, source.length, null);
  }
}

/** What stands for one character: which, and of how many bytes. */
interface Read {
  readonly char: number;
  readonly bytes: number;
}

/** It is not whole yet. */
const CUT = "cut";
const BACKSLASH = 0x5c;
const AMPERSAND = 0x26;
const QUOTE = 0x22;
/** A quote within a string is told from one that ends it. */
const INNER_QUOTE = 0x27;
/** In place of half a pair. */
const REPLACEMENT = 0xfffd;

type Reader = (source: Buffer, at: number) => Read | typeof CUT | null;

function decodeEach(source: Buffer, sign: number, read: Reader, isWhole: boolean): Decoded {
  let at = source.indexOf(sign);
  if (at < 0) return new Decoded(source, source.length, null);
  const writer = new DecodedWriter(source);
  let copied = 0;
  for (; at >= 0; at = source.indexOf(sign, at)) {
    const found = read(source, at);
    if (found === CUT && !isWhole) break;
    if (found === CUT || found === null) {
      at++;
      continue;
    }
    writer.copy(copied, at);
    writer.put(found.char, at, found.bytes);
    at += found.bytes;
    copied = at;
  }
  const end = at < 0 ? source.length : at;
  writer.copy(copied, end);
  return writer.done(end);
}

const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", "\\": "\\" }).map(([name, char]) => [
    name.charCodeAt(0),
    char.charCodeAt(0),
  ]),
);

/** Backslashes that JSON in a string of JSON puts before one escape: twice as many and one for each string within another. */
const BACKSLASHES_MAX = 15;

/** RFC 8259 section 7. Of JSON within strings slashes and numbers, too, in which prefixes and digits hide: `\\\/`, `\\u0031`. */
function readEscape(source: Buffer, at: number): Read | typeof CUT | null {
  let behind = at + 1;
  while (source[behind] === BACKSLASH && behind - at < BACKSLASHES_MAX) behind++;
  const sign = source[behind];
  if (sign === undefined) return CUT;
  if (sign === SLASH) return { char: SLASH, bytes: behind + 1 - at };
  const unit = sign === LETTER_U ? readUnit(source, behind + 1) : null;
  if (unit === CUT) return CUT;
  if (unit !== null) return { char: unit, bytes: behind + 5 - at };
  if (source[at + 1] === QUOTE) return { char: INNER_QUOTE, bytes: 2 };
  const char = ESCAPES.get(source[at + 1] as number);
  return char === undefined ? null : { char, bytes: 2 };
}

const SLASH = 0x2f;
const LETTER_U = 0x75;

/** Four hexadecimal digits; null where these are others. */
function readUnit(source: Buffer, at: number): number | typeof CUT | null {
  const hex = source.toString("latin1", at, at + 4);
  if (!/^[0-9a-fA-F]*$/.test(hex)) return null;
  if (hex.length < 4) return CUT;
  const unit = Number.parseInt(hex, 16);
  if (unit === QUOTE) return INNER_QUOTE;
  return unit >= 0xd800 && unit < 0xe000 ? REPLACEMENT : unit;
}

/** Of the names that HTML knows for ASCII. */
const NAMES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  commat: "@",
  period: ".",
  colon: ":",
  sol: "/",
  equals: "=",
  lowbar: "_",
  plus: "+",
  Tab: "\t",
  NewLine: "\n",
  nbsp: " ",
};
const REFERENCE_BYTES_MAX = 12;

/** A character reference of XML or HTML; one without `;` is left as it is. */
function readReference(source: Buffer, at: number): Read | typeof CUT | null {
  const text = source.toString("latin1", at, at + REFERENCE_BYTES_MAX);
  const found = /^&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{2,8}));/.exec(text);
  if (found === null) return text.length < REFERENCE_BYTES_MAX && /^&#?[0-9A-Za-z]*$/.test(text) ? CUT : null;
  const [whole, decimal, hex, name] = found;
  const named = name === undefined ? undefined : NAMES[name]?.charCodeAt(0);
  const char =
    named ?? (name === undefined ? Number.parseInt(decimal ?? hex ?? "", decimal === undefined ? 16 : 10) : -1);
  return char > 0 && char < 0xd800 && char < 0x80 ? { char, bytes: whole.length } : null;
}

const PERCENT = 0x25;
const PLUS = 0x2b;

/** `application/x-www-form-urlencoded`, and queries. */
function decodeForm(source: Buffer, isWhole: boolean): Decoded {
  if (source.indexOf(PERCENT) < 0 && source.indexOf(PLUS) < 0) return new Decoded(source, source.length, null);
  const writer = new DecodedWriter(source);
  let copied = 0;
  let at = 0;
  for (; at < source.length; at++) {
    const byte = source[at];
    if (byte !== PERCENT && byte !== PLUS) continue;
    const hex = source.toString("latin1", at + 1, at + 3);
    if (byte === PERCENT && /^[0-9a-fA-F]?$/.test(hex) && at + 3 > source.length && !isWhole) break;
    if (byte === PERCENT && !/^[0-9a-fA-F]{2}$/.test(hex)) continue;
    writer.copy(copied, at);
    const char = byte === PLUS ? 0x20 : Number.parseInt(hex, 16);
    const bytes = byte === PLUS ? 1 : 3;
    // Bytes of other characters than ASCII's are none of any shape.
    writer.put(char < 0x80 ? char : OTHER, at, bytes);
    copied = at + bytes;
    at = copied - 1;
  }
  writer.copy(copied, at);
  return writer.done(at);
}

const OTHER = 0x3f;

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const DATA = "data: ";

/**
 * The lines of an event stream as its reader has them: those of data without the word, so that those of one event stand
 * joined; others as they are. `isLineBegun`: the source begins within a line.
 */
export function joinData(source: Buffer, isLineBegun: boolean, isWhole: boolean): Decoded {
  const writer = new DecodedWriter(source);
  let at = 0;
  let isBegun = isLineBegun;
  while (at < source.length) {
    if (!isBegun) {
      const begin = source.toString("latin1", at, at + DATA.length);
      if (begin.length < DATA.length && DATA.startsWith(begin) && !isWhole) break;
      if (begin.startsWith("data:")) at += begin === DATA ? DATA.length : DATA.length - 1;
    }
    const end = endOfLine(source, at);
    writer.copy(at, end);
    at = end;
    isBegun = false;
  }
  return writer.done(at);
}

/** Behind the line's end. */
function endOfLine(source: Buffer, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== LINE_FEED && source[at] !== RETURN) at++;
  return Math.min(at + 1, source.length);
}
