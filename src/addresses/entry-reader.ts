import { maskOf } from "../matching/prefix.ts";

const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LOWER_A = 0x61;
const LOWER_F = 0x66;
const LOWER_BIT = 0x20;
const GROUPS = 8;
const MAPPED = 0xffff;

/**
 * Reads addresses and prefixes off bytes, one after the other into the same fields: most lists of millions hold nothing else in
 * other than the usual spellings, and a text for each takes ten times as long. What it does not know somebody else may.
 */
export class EntryReader {
  family: 4 | 6 = 4;
  /** Of IPv4 the first word alone counts. */
  readonly first: [number, number, number, number] = [0, 0, 0, 0];
  readonly last: [number, number, number, number] = [0, 0, 0, 0];
  /** Bits behind the length were set, and were cut off. */
  isCut = false;
  readonly #groups = new Uint16Array(GROUPS);
  #at = 0;

  /** False for whatever is not a dotted quad or an address of IPv6 in hexadecimal groups, alone or with a length. */
  read(bytes: Buffer, from: number, to: number): boolean {
    this.#at = from;
    if (this.#readQuad(bytes, to)) return this.#readLength(bytes, to, 1);
    this.#at = from;
    if (!this.#readGroups(bytes, to)) return false;
    const groups = this.#groups;
    for (let word = 0; word < 4; word++) {
      this.first[word] = (((groups[2 * word] as number) << 16) | (groups[2 * word + 1] as number)) >>> 0;
    }
    // IPv4 mapped into IPv6 is IPv4.
    const isMapped = this.first[0] === 0 && this.first[1] === 0 && this.first[2] === MAPPED;
    return !isMapped && this.#readLength(bytes, to, 4);
  }

  #readQuad(bytes: Buffer, to: number): boolean {
    let word = 0;
    for (let part = 0; part < 4; part++) {
      if (part > 0 && bytes[this.#at++] !== DOT) return false;
      const value = this.#decimal(bytes, to, 255);
      if (value < 0) return false;
      word = word * 256 + value;
    }
    this.first[0] = word;
    return true;
  }

  #readLength(bytes: Buffer, to: number, words: 1 | 4): boolean {
    const bits = 32 * words;
    let length = bits;
    if (this.#at < to) {
      if (bytes[this.#at++] !== SLASH) return false;
      length = this.#decimal(bytes, to, bits);
      if (length < 0 || this.#at !== to) return false;
    }
    this.family = words === 1 ? 4 : 6;
    this.isCut = false;
    for (let word = 0; word < words; word++) {
      const mask = maskOf(length - 32 * word);
      const all = this.first[word] as number;
      this.first[word] = (all & mask) >>> 0;
      this.last[word] = (all | ~mask) >>> 0;
      if (this.first[word] !== all) this.isCut = true;
    }
    return true;
  }

  /** Up to three digits without a zero before others; -1 for anything else and what is beyond `most`. */
  #decimal(bytes: Buffer, to: number, most: number): number {
    const begin = this.#at;
    let value = 0;
    while (this.#at < to && this.#at < begin + 3) {
      const digit = bytes[this.#at] as number;
      if (digit < ZERO || digit > NINE) break;
      value = value * 10 + digit - ZERO;
      this.#at++;
    }
    const digits = this.#at - begin;
    if (digits === 0 || value > most || (digits > 1 && bytes[begin] === ZERO)) return -1;
    return value;
  }

  /** Eight groups, or fewer with `::` once in place of the others (RFC 4291 section 2.2). */
  #readGroups(bytes: Buffer, to: number): boolean {
    const groups = this.#groups;
    groups.fill(0);
    let count = 0;
    /** How many stand before `::`; -1 where it has not come. */
    let gap = -1;
    if (bytes[this.#at] === COLON) {
      if (bytes[this.#at + 1] !== COLON) return false;
      gap = 0;
      this.#at += 2;
    }
    while (this.#at < to && bytes[this.#at] !== SLASH) {
      if (count === GROUPS || !this.#group(bytes, to, count++)) return false;
      if (this.#at === to || bytes[this.#at] === SLASH) break;
      if (bytes[this.#at++] !== COLON) return false;
      if (this.#at < to && bytes[this.#at] === COLON) {
        if (gap >= 0) return false;
        gap = count;
        this.#at++;
      } else if (this.#at === to || bytes[this.#at] === SLASH) return false;
    }
    if (gap < 0) return count === GROUPS;
    if (count === GROUPS) return false;
    groups.copyWithin(GROUPS - (count - gap), gap, count);
    groups.fill(0, gap, GROUPS - (count - gap));
    return true;
  }

  /** One to four hexadecimal digits. */
  #group(bytes: Buffer, to: number, index: number): boolean {
    const begin = this.#at;
    let value = 0;
    while (this.#at < to && this.#at < begin + 4) {
      const code = bytes[this.#at] as number;
      const letter = code | LOWER_BIT;
      if (code >= ZERO && code <= NINE) value = value * 16 + code - ZERO;
      else if (letter >= LOWER_A && letter <= LOWER_F) value = value * 16 + letter - LOWER_A + 10;
      else break;
      this.#at++;
    }
    this.#groups[index] = value;
    return this.#at > begin;
  }
}
