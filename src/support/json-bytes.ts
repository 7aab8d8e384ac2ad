import { fixed } from "./json-text.ts";

const QUOTE = 0x22;
const BYTES_AT_FIRST = 4 * 1024;
/** UTF-8 of a UTF-16 unit. */
const BYTES_PER_CHAR_MAX = 3;

/** 1: what JSON writes as it is, and no terminal acts on. */
const PLAIN = Uint8Array.from({ length: 128 }, (_, code) =>
  code >= 0x20 && code <= 0x7e && code !== QUOTE && code !== 0x5c ? 1 : 0,
);

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
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    this.length = start + text.length;
    return true;
  }

  integer(value: number): void {
    this.ascii(`${value}`);
  }

  /** As `fixed`. */
  decimal(units: number, digits: 1 | 3): void {
    this.ascii(fixed(units, digits));
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
    let at = this.length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
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
