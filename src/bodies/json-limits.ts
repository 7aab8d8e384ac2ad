import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LOWER_U,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from "./json-bytes.ts";

/** What a text of JSON may have at most; Infinity for no bound of its own. */
export interface JsonLimits {
  readonly depthMax: number;
  /** Of one object. */
  readonly membersMax: number;
  /** Of one list. */
  readonly itemsMax: number;
  /** Of one text or name; an escape counts as one. */
  readonly charactersMax: number;
  /** Names that no member may have, each as JSON has it without escapes, quotes included. */
  readonly refusedNames: readonly string[];
}

export type JsonExcess = "depth" | "members" | "items" | "characters" | "name";

const STEP_BYTES = 32 * 1024;
const LEVELS = DEFAULTS.jsonDepthMax + 2;
const FOUR_DIGITS = 4;
/** Of a name whose escapes are looked into: a refused one is shorter, were all of it `\uXXXX`. */
const NAME_BYTES_MAX = 128;

/**
 * What a text has more of than it may; null for nothing. It makes no values, so that what is too much takes no memory
 * either. Of bytes that are no JSON it may say anything: their reader refuses them.
 */
export function* jsonExcess(bytes: Buffer, limits: JsonLimits): Steps<JsonExcess | null> {
  const scan = new Scan(bytes, limits);
  while (!scan.run(STEP_BYTES)) yield;
  return scan.excess;
}

class Scan {
  readonly #bytes: Buffer;
  readonly #limits: JsonLimits;
  readonly #isObject = new Uint8Array(LEVELS);
  readonly #counts = new Uint32Array(LEVELS);
  #depth = 0;
  #at = 0;
  /** A member or an item begins with whatever is next. */
  #isFirst = false;
  /** Where the text begins that is being gone through, also over several stretches; -1 for none. */
  #textAt = -1;
  #isName = false;
  #characters = 0;
  #hasEscapes = false;
  excess: JsonExcess | null = null;

  constructor(bytes: Buffer, limits: JsonLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /** Goes on for so many bytes at least; true once it is done. */
  run(count: number): boolean {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + count);
    while (this.#at < end && this.excess === null) {
      const code = bytes[this.#at] as number;
      if (this.#textAt >= 0) this.#text(end);
      else if (code <= SPACE || code === COLON) this.#at++;
      else if (code === COMMA) {
        this.#isFirst = true;
        this.#at++;
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        this.#isFirst = false;
        this.#at++;
        if (--this.#depth < 0) return true;
      } else this.#value(code, end);
    }
    return this.excess !== null || this.#at >= bytes.length;
  }

  #value(code: number, end: number): void {
    const isName = this.#isFirst && this.#isObject[this.#depth] === 1;
    if (this.#isFirst) this.#count();
    if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#open(code);
    else if (code === QUOTE) this.#begin(isName);
    else this.#word(end);
  }

  #count(): void {
    this.#isFirst = false;
    const count = (this.#counts[this.#depth] as number) + 1;
    this.#counts[this.#depth] = count;
    const isObject = this.#isObject[this.#depth] === 1;
    if (count > (isObject ? this.#limits.membersMax : this.#limits.itemsMax)) {
      this.excess ??= isObject ? "members" : "items";
    }
  }

  #open(code: number): void {
    this.#at++;
    if (++this.#depth > this.#limits.depthMax) {
      this.excess ??= "depth";
      return;
    }
    this.#isObject[this.#depth] = code === OPEN_BRACE ? 1 : 0;
    this.#counts[this.#depth] = 0;
    this.#isFirst = true;
  }

  #begin(isName: boolean): void {
    this.#textAt = this.#at++;
    this.#isName = isName;
    this.#characters = 0;
    this.#hasEscapes = false;
  }

  /** To its quote, or to the end of the stretch. */
  #text(end: number): void {
    const bytes = this.#bytes;
    let characters = this.#characters;
    let isOpen = true;
    for (; isOpen && this.#at < end; this.#at++) {
      const code = bytes[this.#at] as number;
      isOpen = code !== QUOTE;
      if (!isOpen || (code & 0xc0) === 0x80) continue;
      characters++;
      if (code !== BACKSLASH) continue;
      this.#hasEscapes = true;
      this.#at += bytes[this.#at + 1] === LOWER_U ? 1 + FOUR_DIGITS : 1;
    }
    this.#characters = characters;
    if (characters > this.#limits.charactersMax) this.excess ??= "characters";
    if (isOpen) return;
    if (this.#isName) this.#judgeName(this.#textAt);
    this.#textAt = -1;
  }

  #judgeName(start: number): void {
    const { refusedNames } = this.#limits;
    if (refusedNames.length === 0 || this.#at - start > NAME_BYTES_MAX) return;
    const quoted = this.#bytes.toString("utf8", start, this.#at);
    if (refusedNames.includes(this.#hasEscapes ? unescaped(quoted) : quoted)) this.excess ??= "name";
  }

  /** What goes on in the next stretch is taken up there as it is here. */
  #word(end: number): void {
    const bytes = this.#bytes;
    for (; this.#at < end; this.#at++) {
      const code = bytes[this.#at] as number;
      if (code <= SPACE || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) return;
    }
  }
}

function unescaped(quoted: string): string {
  try {
    return JSON.stringify(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
