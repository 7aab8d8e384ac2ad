import { decimalText, parseDecimal } from "../support/decimal.ts";
import { DEFAULTS } from "../support/defaults.ts";

/**
 * A number that JSON can write and a double cannot hold: 9007199254740993, 0.1000000000000000055. Where the value
 * of a spelling is that of the double's own shortest spelling, the number itself stands in its place.
 */
export class JsonNumber {
  /** As it was written. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** One text for each value. */
  get canonical(): string {
    return decimalText(parseDecimal(this.text));
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;
/** What a number that is cut off may lack of being one: `e+5`. */
const TAIL_CHARS = 4;

/** The number that a text has at a place, as it is written; of one that is too long, more than may be. Null for none. */
export function writtenNumber(text: string, at: number): string | null {
  return NUMBER.exec(text.slice(at, at + DEFAULTS.jsonNumberCharsMax + TAIL_CHARS))?.[0] ?? null;
}

/** Beyond any use, and dear to count with: digits without end, or an exponent that is itself out of range. */
export function isOversized(text: string): boolean {
  return text.length > DEFAULTS.jsonNumberCharsMax || /[eE][+-]?\d{16}/.test(text);
}

/** So many significant digits come back from a double as they went in (IEEE 754, DBL_DIG), above the least normal one. */
const SAFE_DIGITS = 15;
const NORMAL_MIN = 2.2250738585072014e-308;
/** Integers below it are written without an exponent (ECMA-262, Number::toString). */
const INTEGER_CHARS_MAX = 21;

/** A number in JSON's spelling → what holds its value. */
export function jsonNumber(text: string): number | JsonNumber {
  const value = Number(text);
  const e = text.search(/[eE]/);
  const isShort = (e < 0 ? text.length : e) <= SAFE_DIGITS;
  if (isShort && (e < 0 || (Math.abs(value) >= NORMAL_MIN && Number.isFinite(value)))) return value;
  if (!Number.isFinite(value)) return new JsonNumber(text);
  const shortest = String(value);
  if (shortest === text) return value;
  // Two integers that are written out are the same only where their digits are.
  if (text.length <= INTEGER_CHARS_MAX && /^-?\d+$/.test(text)) return new JsonNumber(text);
  return decimalText(parseDecimal(text)) === decimalText(parseDecimal(shortest)) ? value : new JsonNumber(text);
}

/**
 * Whether a double comes near the number: beyond their range most services read it as infinite or as zero, and others as
 * it is written.
 */
export function isInRange(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(text.split(/[eE]/, 1)[0] ?? ""));
}
