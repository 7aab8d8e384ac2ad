import { codeAt } from "../../support/text-code.ts";
import type { Steps } from "../../support/turns.ts";

/**
 * Byte texts whose characters change one by one. By hand, for a hostile text is nothing but escapes, and a call for each of
 * them held the thread 25 ms for 64 KiB.
 */

/**
 * Looks at what stands at `at`, where `text` has a character that opens an escape. Gives `standsFor(length, byte)`, or `NONE`
 * where it is none.
 */
export type ReadEscape = (text: string, at: number) => number;

export const NONE = 0;
const NOTHING = 256;
const LENGTH = 512;

/** So many characters of the text stand for `byte`; for nothing where it is absent. */
export function standsFor(length: number, byte: number = NOTHING): number {
  return length * LENGTH + byte;
}

/** A text on its way through a transformation, from left to right. */
export interface Making {
  /** How far it was read. */
  readonly at: number;
  /** Reads on as far as `to`, or a bit further where something does not end there. */
  advance(to: number): void;
  /** What became of a text that was read to its end; the very same string where nothing changes. */
  take(): string;
}

export type Begin = (text: string) => Making;

/** Characters read before others may have their turn: some 50 µs. */
const PIECE = 8_192;

export function madeAtOnce(begin: Begin, text: string): string {
  const making = begin(text);
  making.advance(text.length);
  return making.take();
}

export function* madeInSteps(begin: Begin, text: string): Steps<string> {
  const making = begin(text);
  while (making.at < text.length) {
    making.advance(Math.min(text.length, making.at + PIECE));
    yield;
  }
  return making.take();
}

/** With each escape as the byte that it stands for. `opens` and `other`: characters that begin one. */
export function unescaping(opens: number, other: number, read: ReadEscape): Begin {
  return (text) => new Unescaping(text, opens, other, read);
}

class Unescaping implements Making {
  at = 0;
  readonly #text: string;
  readonly #opens: number;
  readonly #other: number;
  readonly #read: ReadEscape;
  /** Null as long as nothing has changed. */
  #out: Buffer | null = null;
  #end = 0;

  constructor(text: string, opens: number, other: number, read: ReadEscape) {
    this.#text = text;
    this.#opens = opens;
    this.#other = other;
    this.#read = read;
  }

  advance(to: number): void {
    const text = this.#text;
    const opens = this.#opens;
    const other = this.#other;
    const read = this.#read;
    let { at } = this;
    let out = this.#out;
    let end = this.#end;
    while (at < to) {
      const char = codeAt(text, at);
      const found = char === opens || char === other ? read(text, at) : NONE;
      if (found === NONE) {
        if (out !== null) out[end++] = char;
        at++;
        continue;
      }
      if (out === null) {
        out = Buffer.allocUnsafe(text.length);
        end = out.write(text.slice(0, at), "latin1");
      }
      const byte = found % LENGTH;
      if (byte !== NOTHING) out[end++] = byte;
      at += (found - byte) / LENGTH;
    }
    this.at = at;
    this.#out = out;
    this.#end = end;
  }

  take(): string {
    return this.#out === null ? this.#text : this.#out.toString("latin1", 0, this.#end);
  }
}

/** With each byte as `table` has it. */
export function mapping(table: Uint8Array): Begin {
  return (text) => new Mapping(text, table);
}

class Mapping implements Making {
  at = 0;
  readonly #text: string;
  readonly #table: Uint8Array;
  /** Null as long as nothing has changed. */
  #out: Buffer | null = null;

  constructor(text: string, table: Uint8Array) {
    this.#text = text;
    this.#table = table;
  }

  advance(to: number): void {
    const text = this.#text;
    const table = this.#table;
    let { at } = this;
    if (this.#out === null) {
      while (at < to && isSame(table, codeAt(text, at))) at++;
      if (at < to) this.#out = Buffer.from(text, "latin1");
    }
    const out = this.#out;
    if (out !== null) for (; at < to; at++) out[at] = table[out[at] ?? 0] ?? 0;
    this.at = at;
  }

  take(): string {
    return this.#out === null ? this.#text : this.#out.toString("latin1");
  }
}

function isSame(table: Uint8Array, char: number): boolean {
  return table[char] === char;
}

/** The value of a hexadecimal digit; -1 for any other character, and behind the end. */
export function hexDigit(text: string, at: number): number {
  const char = text.charCodeAt(at);
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const letter = char | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** The number of so many hexadecimal digits; -1 where there are fewer. */
export function hexNumber(text: string, at: number, digits: number): number {
  let number = 0;
  for (let next = at; next < at + digits; next++) {
    const digit = hexDigit(text, next);
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  return number;
}
