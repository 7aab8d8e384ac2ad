import { decimalText, parseDecimal } from "../support/decimal.ts";

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

/** So many significant digits come back from a double as they went in (IEEE 754, DBL_DIG). */
const SAFE_DIGITS = 15;

/** A number in JSON's spelling → what holds its value. */
export function jsonNumber(text: string): number | JsonNumber {
  const value = Number(text);
  if (text.length <= SAFE_DIGITS && !/[eE]/.test(text)) return value;
  if (!Number.isFinite(value)) return new JsonNumber(text);
  if (decimalText(parseDecimal(text)) === decimalText(parseDecimal(String(value)))) return value;
  return new JsonNumber(text);
}

/**
 * Whether a double comes near the number: beyond their range most services read it as infinite or as zero, and others as
 * it is written.
 */
export function isInRange(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(text.split(/[eE]/, 1)[0] ?? ""));
}
