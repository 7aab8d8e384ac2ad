import { codeAt } from "../../support/text-code.ts";

const SCRATCH_BYTES = 16 * 1024;
/** Of a longer text the calls that write all of it are cheaper than a step for each character. */
const LOOP_CHARS_MAX = 32;
const NANOS_PER_MS = 1_000_000;
const WORD = 2 ** 32;
const UPPER_UNIT = 2 ** 26;
const UPPER_PER_WORD = WORD / UPPER_UNIT;

/**
 * Writes messages of protobuf from their end to their beginning, so that the length of what is nested is known when it is
 * written (https://protobuf.dev/programming-guides/encoding/). Fields of a message are given last one first.
 */
export class WireWriter {
  /** Made with the first field: few processes write any. */
  #bytes = Buffer.alloc(0);
  /** Where what is written begins. */
  #at = 0;

  /** Bytes that are written so far. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** A copy of all that is written; the writer is empty again. */
  take(): Buffer {
    const written = Buffer.from(this.#bytes.subarray(this.#at));
    this.#at = this.#bytes.length;
    return written;
  }

  text(field: number, text: string): void {
    if (text.length <= LOOP_CHARS_MAX && this.#writeAscii(text)) {
      this.#head(field, text.length);
      return;
    }
    const bytes = Buffer.byteLength(text);
    this.#room(bytes);
    this.#at -= bytes;
    this.#bytes.write(text, this.#at, "utf8");
    this.#head(field, bytes);
  }

  /** False, with nothing written, where it is not in ASCII. */
  #writeAscii(text: string): boolean {
    const { length } = text;
    this.#room(length);
    const bytes = this.#bytes;
    const start = this.#at - length;
    for (let at = 0; at < length; at++) {
      const code = codeAt(text, at);
      if (code > 0x7f) return false;
      bytes[start + at] = code;
    }
    this.#at = start;
    return true;
  }

  /** Bytes as hexadecimal digits. */
  hex(field: number, digits: string): void {
    const bytes = digits.length / 2;
    this.#room(bytes);
    this.#at -= bytes;
    this.#bytes.write(digits, this.#at, "hex");
    this.#head(field, bytes);
  }

  bytes(field: number, bytes: Buffer): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    bytes.copy(this.#bytes, this.#at);
    this.#head(field, bytes.length);
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field * 8);
  }

  fixed32(field: number, value: number): void {
    this.#room(4);
    this.#at -= 4;
    this.#bytes.writeUInt32LE(value, this.#at);
    this.#varint(field * 8 + 5);
  }

  /** A time in Unix milliseconds, with fractions, as nanoseconds in 64 bits. */
  unixNano(field: number, ms: number): void {
    this.#room(8);
    this.#at -= 8;
    const whole = Math.floor(ms);
    const nanos = Math.floor((ms - whole) * NANOS_PER_MS);
    // A double has 53 bits, the product up to 61: it is made in two parts, the upper one of units of 2^26.
    const upper = Math.floor(whole / UPPER_UNIT) * NANOS_PER_MS;
    const lower = (whole % UPPER_UNIT) * NANOS_PER_MS + nanos + (upper % UPPER_PER_WORD) * UPPER_UNIT;
    this.#bytes.writeUInt32LE(lower % WORD, this.#at);
    this.#bytes.writeUInt32LE(Math.floor(upper / UPPER_PER_WORD) + Math.floor(lower / WORD), this.#at + 4);
    this.#varint(field * 8 + 1);
  }

  /** Makes what was written since `length` was `before` the message of a field. */
  message(field: number, before: number): void {
    this.#head(field, this.length - before);
  }

  #head(field: number, bytes: number): void {
    this.#varint(bytes);
    this.#varint(field * 8 + 2);
  }

  #varint(value: number): void {
    if (value < 0x80) {
      this.#room(1);
      this.#bytes[--this.#at] = value;
      return;
    }
    let bytes = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
    this.#room(bytes);
    this.#at -= bytes;
    let rest = value;
    for (let at = this.#at; bytes > 0; at++, bytes--) {
      this.#bytes[at] = (rest % 0x80) | (bytes > 1 ? 0x80 : 0);
      rest = Math.floor(rest / 0x80);
    }
  }

  #room(bytes: number): void {
    if (bytes <= this.#at) return;
    const larger = Buffer.allocUnsafe(Math.max(SCRATCH_BYTES, (this.#bytes.length + bytes) * 2));
    const written = this.length;
    this.#bytes.copy(larger, larger.length - written, this.#at);
    this.#bytes = larger;
    this.#at = larger.length - written;
  }
}

/** Of a number below 2^53. */
export function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  bytes.push(left);
  return Buffer.from(bytes);
}
