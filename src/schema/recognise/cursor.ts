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
const CONTINUATION = 2;

const IN_STRING = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code < SPACE || code === QUOTE || code === BACKSLASH) return SPECIAL;
  return (code & 0xc0) === 0x80 ? CONTINUATION : PLAIN;
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
const NO_BYTES = Buffer.alloc(0);

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
 * Valid UTF-8 that may be JSON, and how far it has been read. Every method takes only what all readers of JSON take alike;
 * what it does not take may still be JSON.
 */
export class Cursor {
  bytes: Buffer = NO_BYTES;
  /** Of the bytes that may be read in this stretch. */
  end = 0;
  at = 0;
  /** From here on containers are left between two of their parts, for a stretch is over. */
  stop = NO_STOP;
  /** Whether that is why something was not taken. */
  isPaused = false;
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

  /** Another body, from its beginning. */
  begin(bytes: Buffer): void {
    this.bytes = bytes;
    this.end = bytes.length;
    this.at = 0;
    this.stop = NO_STOP;
    this.isPaused = false;
    this.depth = 0;
    this.#unescaped = null;
    this.#latin1 = null;
    this.#decoded = 0;
  }

  /** A stretch of so many bytes begins, in which no part of a container may be longer than `partBytesMax`. */
  beginStretch(bytes: number, partBytesMax: number): void {
    this.isPaused = false;
    this.stop = this.at + Math.ceil(bytes);
    this.end = Math.min(this.bytes.length, this.stop + Math.ceil(partBytesMax));
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

  /** The byte that the next value begins with, or the one that is gone on with began. */
  get opening(): number {
    const left = this.#left;
    return (left.length === 0 ? this.bytes[this.at] : left[left.length - 1]?.opening) ?? 0;
  }

  /** The next byte that is no blank; 0 at the end. */
  skipBlanks(): number {
    const { bytes, end } = this;
    while (this.at < end) {
      const code = bytes[this.at] as number;
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
  takes(expected: Uint8Array): boolean {
    const { length } = expected;
    const { bytes, at } = this;
    if (at + length > this.end) return false;
    for (let index = 0; index < length; index++) if (bytes[at + index] !== expected[index]) return false;
    this.at = at + length;
    return true;
  }

  /** Takes a string, whose quote is the next byte. */
  readString(): boolean {
    const { bytes, end } = this;
    const start = this.at + 1;
    let at = start;
    let continuations = 0;
    let hasEscapes = false;
    for (; at < end; at++) {
      const kind = IN_STRING[bytes[at] as number] as number;
      if (kind === PLAIN) continue;
      if (kind === CONTINUATION) continuations++;
      else if (bytes[at] === BACKSLASH) {
        hasEscapes = true;
        at++;
      } else break;
    }
    if (at >= end || bytes[at] !== QUOTE) return false;
    this.#textStart = start;
    this.#textEnd = at;
    this.at = at + 1;
    this.#isAscii = continuations === 0;
    this.codePoints = at - start - continuations;
    this.#unescaped = null;
    return !hasEscapes || this.#unescape();
  }

  #unescape(): boolean {
    let text: unknown;
    try {
      text = JSON.parse(this.bytes.toString("utf8", this.#textStart - 1, this.#textEnd + 1));
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
    if (!this.#isAscii) return this.bytes.toString("utf8", this.#textStart, this.#textEnd);
    return this.#slice(this.#textStart, this.#textEnd);
  }

  /** Of ASCII. Where many strings are asked for, all is decoded at once: a call for each would cost more than that. */
  #slice(start: number, end: number): string {
    if (++this.#decoded <= DECODED_MAX) return this.bytes.toString("latin1", start, end);
    this.#latin1 ??= this.bytes.toString("latin1");
    return this.#latin1.slice(start, end);
  }

  /** Whether the string that was read last matches; most need not be made a string for that. */
  matches(pattern: Pattern): boolean {
    const isWritten = this.#isAscii && this.#unescaped === null;
    const known = isWritten ? pattern.glance(this.bytes, this.#textStart, this.#textEnd) : null;
    return known ?? pattern.test(this.text);
  }

  /** Takes a number as `readNumber` does that lies between these two; it does not leave here, for a double takes memory. */
  takesNumber(min: number, max: number, isWhole: boolean): boolean {
    const value = this.readNumber();
    return typeof value === "number" && value >= min && value <= max && (!isWhole || Number.isInteger(value));
  }

  /** Takes a number that a double holds as it is written; null for any other. */
  readNumber(): Numeric | null {
    const { bytes, end } = this;
    let at = this.at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    const first = at;
    let digits = 0;
    let fraction = 0;
    let value = 0;
    let hasPoint = false;
    let code = 0;
    for (; at < end; at++) {
      code = bytes[at] as number;
      if (code >= ZERO && code <= NINE) {
        value = value * 10 + code - ZERO;
        if (hasPoint) fraction++;
        else digits++;
      } else if (code === POINT && !hasPoint) hasPoint = true;
      else break;
    }
    const isWritten = digits > 0 && hasPoint === fraction > 0 && !(bytes[first] === ZERO && digits > 1);
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
    return this.bytes.subarray(start, this.at);
  }

  /** Up to what can follow a value. */
  #skipWord(): void {
    const { bytes, end } = this;
    for (; this.at < end; this.at++) {
      const code = bytes[this.at] as number;
      if (code <= SPACE || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) return;
    }
  }
}
