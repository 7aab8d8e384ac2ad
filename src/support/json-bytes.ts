import { fixed } from "./json-text.ts";
import { codeAt } from "./text-code.ts";

const QUOTE = 0x22;
const POINT = 0x2e;
const ZERO = 0x30;
const BYTES_AT_FIRST = 4 * 1024;
/** Of an integer, or a decimal number that `writeDigits` writes. */
const NUMBER_CHARS_MAX = 16;
/** UTF-8 of a UTF-16 unit. */
const BYTES_PER_CHAR_MAX = 3;

/** 1: what JSON writes as it is, and no terminal acts on. */
const PLAIN = Uint8Array.from({ length: 128 }, (_, code) =>
  code >= 0x20 && code <= 0x7e && code !== QUOTE && code !== 0x5c ? 1 : 0,
);

/** Numbers below are divided as integers of 32 bits. */
const SHORT_NUMBER_MAX = 1_000_000_000;
/** What is left of a longer number, as of a time in milliseconds, beyond its last digits. */
const LAST_DIGITS = 6;
const LAST_DIGITS_UNIT = 10 ** LAST_DIGITS;

/** Of a longer text the call that writes all of it is cheaper than a step for each character. */
const LOOP_CHARS_MAX = 16;

/**
 * JSON that is written piece by piece as bytes, into memory that is used again. A text put together of as many pieces would have to
 * be copied to one before it can be written, which takes longer than all else.
 */
export class JsonBytes {
  /** What was written is the first `length` of them; others once it has grown. */
  bytes: Buffer = Buffer.allocUnsafeSlow(BYTES_AT_FIRST);
  length = 0;

  toString(): string {
    return this.bytes.toString("utf8", 0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** JSON that was written before. */
  piece(piece: Uint8Array): void {
    this.#makeRoom(piece.length);
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  /** JSON in ASCII, as a number is. */
  ascii(text: string): void {
    this.#makeRoom(text.length);
    if (text.length <= LOOP_CHARS_MAX && this.#writeAscii(text)) return;
    this.length += this.bytes.write(text, this.length, "latin1");
  }

  /** Any JSON. */
  json(text: string): void {
    const { length } = text;
    this.#makeRoom(length * BYTES_PER_CHAR_MAX);
    if (length <= LOOP_CHARS_MAX && this.#writeAscii(text)) return;
    this.length += this.bytes.write(text, this.length);
  }

  /** False, with nothing written, where it is not in ASCII. */
  #writeAscii(text: string): boolean {
    const { bytes, length: start } = this;
    const { length } = text;
    for (let index = 0; index < length; index++) {
      const code = codeAt(text, index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    this.length = start + length;
    return true;
  }

  integer(value: number): void {
    const isShort = value < SHORT_NUMBER_MAX;
    const front = isShort ? value : Math.floor(value / LAST_DIGITS_UNIT);
    if (!(value >= 0 && front < SHORT_NUMBER_MAX && Number.isInteger(value))) {
      this.ascii(`${value}`);
      return;
    }
    this.#makeRoom(NUMBER_CHARS_MAX);
    this.#writeDigits(front, digitsOf(front));
    if (!isShort) this.#writeDigits(value - front * LAST_DIGITS_UNIT, LAST_DIGITS);
  }

  /** As `fixed`. */
  decimal(units: number, digits: 1 | 3): void {
    const whole = Math.round(units);
    if (!(whole >= 0 && whole < SHORT_NUMBER_MAX)) {
      this.ascii(fixed(units, digits));
      return;
    }
    const unit = digits === 1 ? 10 : 1000;
    const front = Math.floor(whole / unit);
    const behind = whole - front * unit;
    this.#makeRoom(NUMBER_CHARS_MAX);
    this.#writeDigits(front, digitsOf(front));
    if (behind === 0) return;
    this.bytes[this.length++] = POINT;
    this.#writeDigits(behind, digits);
  }

  /** So many of them, with zeros before. */
  #writeDigits(value: number, digits: number): void {
    const { bytes, length: start } = this;
    let left = value | 0;
    for (let at = start + digits - 1; at >= start; at--) {
      const tenth = (left / 10) | 0;
      bytes[at] = ZERO + left - tenth * 10;
      left = tenth;
    }
    this.length = start + digits;
  }

  /** A text, in its quotes. `other` writes one that is not plain or longer than that, as JSON. */
  quoted(text: string, charsMax: number = text.length, other: (text: string) => string = JSON.stringify): void {
    const start = this.length;
    this.#makeRoom(text.length + 2);
    this.bytes[this.length++] = QUOTE;
    if (text.length <= charsMax && this.#writePlain(text)) {
      this.bytes[this.length++] = QUOTE;
      return;
    }
    this.length = start;
    this.json(other(text));
  }

  /** False at the first character that is not plain. */
  #writePlain(text: string): boolean {
    const { bytes } = this;
    const { length } = text;
    let at = this.length;
    for (let index = 0; index < length; index++) {
      const code = codeAt(text, index);
      if (code > 0x7f || PLAIN[code] === 0) return false;
      bytes[at++] = code;
    }
    this.length = at;
    return true;
  }

  #makeRoom(needed: number): void {
    if (this.bytes.length - this.length >= needed) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.length + needed));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

/** How many digits an integer below `SHORT_NUMBER_MAX` has. */
function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  return value < 100_000_000 ? 8 : 9;
}
