import { BACKSLASH, LOWER_U, QUOTE, SPACE } from "./json-bytes.ts";

/** Characters of `\n`, of `\u00e9`, and of two of these that are one character. */
const ESCAPE_CHARS = 2;
const UNICODE_ESCAPE_CHARS = 6;
const PAIR_ESCAPE_CHARS = 12;

/** Where a string cannot be read, and why. */
interface StringFault {
  readonly text: string;
  readonly at: number;
}

/** Strings of one text, each read a stretch at a time: a single one may be all of a long body, each character an escape. */
export class JsonString {
  readonly #text: string;
  /** Where it is gone on with; 0 for none that has begun. */
  at = 0;
  /** What came before `#pieceAt`, without escapes. */
  #pieces = "";
  #pieceAt = 0;
  /** Whether there is no escape behind it. */
  #isPlain = true;
  /** Of the last that was read: what it says, and the offset behind it. */
  value = "";
  end = 0;
  fault: StringFault | null = null;

  /** `text` is what UTF-8 can say: what it has of surrogates are pairs. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Reads the string that begins with the quote at `start`, or goes on with it, up to some `stop`; true once it has ended. */
  read(start: number, stop: number): boolean {
    const text = this.#text;
    let at = this.at;
    if (at === 0) {
      at = start + 1;
      this.#pieces = "";
      this.#pieceAt = at;
      this.#isPlain = true;
    }
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        this.#isPlain = false;
        at += escapeChars(text, at);
      } else if (code >= SPACE) at++;
      else return this.#fail("not JSON", at);
      if (at < stop || isHighSurrogate(code)) continue;
      this.at = at;
      if (!this.#isPlain) this.#unescape(at, start);
      return this.fault !== null;
    }
    this.at = 0;
    this.end = at + 1;
    if (!this.#isPlain) this.#unescape(at, start);
    this.value = this.#pieceAt === at ? this.#pieces : this.#pieces + text.slice(this.#pieceAt, at);
    return true;
  }

  #unescape(at: number, start: number): void {
    try {
      const value: unknown = JSON.parse(`"${this.#text.slice(this.#pieceAt, at)}"`);
      if (typeof value !== "string" || !value.isWellFormed()) this.#fail("half of a surrogate pair", start);
      else this.#pieces += value;
    } catch {
      this.#fail("not JSON", start);
    }
    this.#pieceAt = at;
    this.#isPlain = true;
  }

  #fail(text: string, at: number): boolean {
    this.fault ??= { text, at };
    return true;
  }
}

/** Of the escape at `at`, in no more than one piece where it and the next are the halves of a pair. What is none is found later. */
function escapeChars(text: string, at: number): number {
  if (text.charCodeAt(at + 1) !== LOWER_U) return ESCAPE_CHARS;
  const isHigh = /^[dD][89abAB]/.test(text.slice(at + 2, at + 4));
  return isHigh && text.startsWith("\\u", at + UNICODE_ESCAPE_CHARS) ? PAIR_ESCAPE_CHARS : UNICODE_ESCAPE_CHARS;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
