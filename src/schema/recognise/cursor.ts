import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  LINE_FEED,
  LOWER_E,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  POINT,
  QUOTE,
  SPACE,
  TAB,
  UPPER_E,
  ZERO,
} from "../../bodies/json-bytes.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { Run } from "../judge/run.ts";
import type { Pattern } from "../pattern/index.ts";
import type { Numeric } from "../subschema.ts";

/** Of a byte in a string: nothing special, or what its reader has to look at. */
const PLAIN = 0;
const SPECIAL = 1;
const LEAD = 2;
const CONTINUATION = 3;

const IN_STRING = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code < SPACE || code === QUOTE || code === BACKSLASH) return SPECIAL;
  if (code < 0x80) return PLAIN;
  return code < 0xc0 ? CONTINUATION : LEAD;
});

/** So many significant digits are exact in a double, and so is their quotient by as high a power of ten. */
const EXACT_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** No body comes to so many bytes, and a number up to this takes no memory. */
const NO_STOP = 2 ** 31 - 1;

/** What is not read into here takes as long as so many times its bytes that are. */
const OPAQUE_WEIGHT = 8;

/** Strings of one body that are decoded each by itself. */
const DECODED_MAX = 4;

/**
 * What is read now lies here, a short body or a stretch of a long one. A place that is always the same is known to the
 * compiler, which else finds out for each token where a body lies; and four bytes can be looked at together.
 */
const WINDOW = Buffer.alloc(2 * DEFAULTS.bodyAtOnceBytesMax);
const WORDS = new DataView(WINDOW.buffer, WINDOW.byteOffset, WINDOW.length);
const WORD_BYTES = 4;
/** Three words are read where a literal may begin, at the last byte, too. */
export const WINDOW_BYTES = WINDOW.length - 4 * WORD_BYTES;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;
const SPACES = 0x20202020;
const HIGH_BITS = 0x80808080;

/**
 * The high bits of those of four bytes that are control characters, quotes, backslashes or beyond ASCII. The lowest is one for
 * certain, for borrows go upwards.
 */
function specials(word: number): number {
  return (word | (word - SPACES) | ((word ^ QUOTES) - ONES) | ((word ^ BACKSLASHES) - ONES)) & HIGH_BITS;
}

/**
 * Bytes that are expected, in words of which some bits count. Three words, as most names have with what stands around them,
 * are compared without asking how many there are; and in no typed array, whose length alone takes longer to find.
 */
export class Literal {
  readonly length: number;
  readonly mask0: number;
  readonly word0: number;
  readonly mask1: number;
  readonly word1: number;
  readonly mask2: number;
  readonly word2: number;
  /** Behind those: mask and word by turns. */
  readonly more: readonly number[];

  constructor(text: string) {
    const bytes = Buffer.from(text);
    const masked = Array.from({ length: Math.max(3, Math.ceil(bytes.length / WORD_BYTES)) }, (_, at) => {
      const part = bytes.subarray(at * WORD_BYTES, (at + 1) * WORD_BYTES);
      const mask = Buffer.alloc(WORD_BYTES).fill(0xff, 0, part.length);
      return [mask.readInt32LE(), Buffer.concat([part], WORD_BYTES).readInt32LE()];
    }).flat();
    const [mask0 = 0, word0 = 0, mask1 = 0, word1 = 0, mask2 = 0, word2 = 0, ...more] = masked;
    this.length = bytes.length;
    this.mask0 = mask0;
    this.word0 = word0;
    this.mask1 = mask1;
    this.word1 = word1;
    this.mask2 = mask2;
    this.word2 = word2;
    this.more = more;
  }
}

const never = (): boolean => false;

/** An object or a list that was left in the middle. */
export interface Open {
  /** The bracket that it begins with. */
  readonly opening: number;
  /** Members or items that have been taken. */
  readonly count: number;
  /** Of an object, which of its declared members these are, by their bits or, where there are too many, their positions. */
  readonly seen: number;
  readonly alsoSeen: Set<number> | null;
  readonly required: number;
  readonly next: number;
  /** The member in whose value it was left; -1 for none. */
  readonly within: number;
}

/**
 * Bytes that may be JSON, and how far they have been read. Every method takes only what all readers of JSON take alike; what
 * it does not take may still be JSON.
 */
export class Cursor {
  /** The next byte's place in the window, and the end of what it holds. */
  at = 0;
  end = 0;
  /** From here on containers are left between two of their parts, for a stretch is over. */
  stop = NO_STOP;
  /** Whether that is why something was not taken. */
  isPaused = false;
  /** Whether what was taken is more than ASCII, and may be no UTF-8. */
  isWide = false;
  /** Those that were left, the outermost last; each is gone on with by whoever takes it again. */
  readonly #left: Open[] = [];
  /** Containers that are open. */
  depth = 0;
  /** For checks of the schema: nobody asks why not. */
  readonly run: Run = new Run(null, null, never);
  /** Code points of the string that was read last. */
  codePoints = 0;
  #textStart = 0;
  #textEnd = 0;
  #isAscii = true;
  /** Of a string with escapes, what it means. */
  #unescaped: string | null = null;
  #latin1: string | null = null;
  #decoded = 0;

  /** Another body, which fits into the window. */
  begin(bytes: Uint8Array): void {
    this.stop = NO_STOP;
    this.depth = 0;
    this.isWide = false;
    this.#show(bytes);
  }

  /** A stretch of these bytes begins, of which so many may be taken before containers are left. */
  beginStretch(bytes: Uint8Array, stop: number): void {
    this.stop = stop;
    this.#show(bytes);
  }

  #show(bytes: Uint8Array): void {
    WINDOW.set(bytes);
    this.at = 0;
    this.end = bytes.length;
    this.isPaused = false;
    this.#unescaped = null;
    this.#latin1 = null;
    this.#decoded = 0;
  }

  /** A container is left, from the innermost on. */
  leave(container: Open): false {
    this.isPaused = true;
    this.#left.push(container);
    return false;
  }

  /** The container that is gone on with here; null where one begins. */
  goOn(): Open | null {
    return this.#left.length === 0 ? null : (this.#left.pop() ?? null);
  }

  /** The next byte; 0 at the end. */
  get byte(): number {
    return this.at < this.end ? (WINDOW[this.at] as number) : 0;
  }

  /** The byte that the next value begins with, or the one that is gone on with began. */
  get opening(): number {
    const left = this.#left;
    return left.length === 0 ? this.byte : (left[left.length - 1]?.opening ?? 0);
  }

  /** The next byte that is no blank; 0 at the end. */
  skipBlanks(): number {
    const { end } = this;
    while (this.at < end) {
      const code = WINDOW[this.at] as number;
      if (code > SPACE || (code !== SPACE && code !== LINE_FEED && code !== CARRIAGE_RETURN && code !== TAB))
        return code;
      this.at++;
    }
    return 0;
  }

  /** Takes an opening bracket; false where it is one too many. */
  open(): boolean {
    this.at++;
    return ++this.depth <= DEFAULTS.jsonDepthMax;
  }

  close(): void {
    this.at++;
    this.depth--;
  }

  /** Takes these bytes or nothing. */
  takes(literal: Literal): boolean {
    const { at } = this;
    const after = at + literal.length;
    if (
      after > this.end ||
      (WORDS.getInt32(at, true) & literal.mask0) !== literal.word0 ||
      (WORDS.getInt32(at + WORD_BYTES, true) & literal.mask1) !== literal.word1 ||
      (WORDS.getInt32(at + 2 * WORD_BYTES, true) & literal.mask2) !== literal.word2
    )
      return false;
    const { more } = literal;
    for (let index = 0, from = at + 3 * WORD_BYTES; index < more.length; index += 2, from += WORD_BYTES)
      if ((WORDS.getInt32(from, true) & (more[index] as number)) !== more[index + 1]) return false;
    this.at = after;
    return true;
  }

  /** Takes a string, whose quote is the next byte. */
  readString(): boolean {
    const { end } = this;
    const start = this.at + 1;
    let at = start;
    for (; at < end; at += WORD_BYTES) {
      const found = specials(WORDS.getInt32(at, true));
      if (found === 0) continue;
      // Where it is, without a loop whose end nobody can foresee.
      at += (31 - Math.clz32(found & -found)) >> 3;
      break;
    }
    let continuations = 0;
    let isAscii = true;
    let hasEscapes = false;
    for (; at < end && WINDOW[at] !== QUOTE; at++) {
      const kind = IN_STRING[WINDOW[at] as number] as number;
      if (kind === PLAIN) continue;
      if (kind === SPECIAL) {
        if (WINDOW[at] !== BACKSLASH) break;
        hasEscapes = true;
        at++;
      } else {
        isAscii = false;
        if (kind === CONTINUATION) continuations++;
      }
    }
    if (at >= end || WINDOW[at] !== QUOTE) return false;
    this.#textStart = start;
    this.#textEnd = at;
    this.at = at + 1;
    this.#isAscii = isAscii;
    this.codePoints = at - start - continuations;
    this.#unescaped = null;
    if (!isAscii) this.isWide = true;
    return !hasEscapes || this.#unescape();
  }

  #unescape(): boolean {
    let text: unknown;
    try {
      text = JSON.parse(WINDOW.toString("utf8", this.#textStart - 1, this.#textEnd + 1));
    } catch {
      return false;
    }
    if (typeof text !== "string" || !text.isWellFormed()) return false;
    this.#unescaped = text;
    this.codePoints = [...text].length;
    return true;
  }

  /** The string that was read last. */
  get text(): string {
    if (this.#unescaped !== null) return this.#unescaped;
    if (!this.#isAscii) return WINDOW.toString("utf8", this.#textStart, this.#textEnd);
    return this.#slice(this.#textStart, this.#textEnd);
  }

  /** Of ASCII. Where many strings are asked for, all is decoded at once: a call for each would cost more than that. */
  #slice(start: number, end: number): string {
    if (++this.#decoded <= DECODED_MAX) return WINDOW.toString("latin1", start, end);
    this.#latin1 ??= WINDOW.toString("latin1", 0, this.end);
    return this.#latin1.slice(start, end);
  }

  /** Whether the string that was read last matches; most need not be made a string for that. */
  matches(pattern: Pattern): boolean {
    const isWritten = this.#isAscii && this.#unescaped === null;
    const known = isWritten ? pattern.glance(WINDOW, this.#textStart, this.#textEnd) : null;
    return known ?? pattern.test(this.text);
  }

  /** Takes a number as `readNumber` does that lies between these two; it does not leave here, for a double takes memory. */
  takesNumber(min: number, max: number, isWhole: boolean): boolean {
    const value = this.readNumber();
    return typeof value === "number" && value >= min && value <= max && (!isWhole || Number.isInteger(value));
  }

  /** Takes a number that a double holds as it is written; null for any other. */
  readNumber(): Numeric | null {
    const { end } = this;
    let at = this.at;
    const isNegative = WINDOW[at] === MINUS;
    if (isNegative) at++;
    const first = at;
    let digits = 0;
    let fraction = 0;
    let value = 0;
    let hasPoint = false;
    let code = 0;
    for (; at < end; at++) {
      code = WINDOW[at] as number;
      if (code >= ZERO && code <= NINE) {
        value = value * 10 + code - ZERO;
        if (hasPoint) fraction++;
        else digits++;
      } else if (code === POINT && !hasPoint) hasPoint = true;
      else break;
    }
    const isWritten = digits > 0 && hasPoint === fraction > 0 && !(WINDOW[first] === ZERO && digits > 1);
    if (!isWritten || code === LOWER_E || code === UPPER_E || digits + fraction > EXACT_DIGITS) return null;
    this.at = at;
    if (fraction > 0) value /= POWERS_OF_TEN[fraction] as number;
    return isNegative ? -value : value;
  }

  /** Takes a value of any kind without looking into it, which is then still to be read; null where it has no end. */
  readOpaque(): Buffer | null {
    const start = this.at;
    let open = 0;
    do {
      const code = this.skipBlanks();
      if (code === QUOTE) {
        if (!this.readString()) return null;
      } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        if (++open + this.depth > DEFAULTS.jsonDepthMax) return null;
        this.at++;
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        if (--open < 0) return null;
        this.at++;
      } else if (code === 0) return null;
      else if (open > 0) this.at++;
      else this.#skipWord();
    } while (open > 0);
    this.stop -= OPAQUE_WEIGHT * (this.at - start);
    return WINDOW.subarray(start, this.at);
  }

  /** Up to what can follow a value. */
  #skipWord(): void {
    const { end } = this;
    for (; this.at < end; this.at++) {
      const code = WINDOW[this.at] as number;
      if (code <= SPACE || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) return;
    }
  }
}
