import {
  ALONE,
  AT_SIGN,
  BACK_QUOTE,
  BACKSLASH,
  BRACKET,
  behindSpaces,
  CLOSING,
  COLON,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  GLUED,
  HASH,
  HOLLOW,
  isDigit,
  isSpaceAt,
  isWord,
  MINUS,
  NUMBER,
  OPEN,
  OPERATORS,
  PREFIX_LENGTH_MAX,
  QUOTE,
  SLASH,
  STAR,
  TAG,
  WORD_LENGTH_MAX,
} from "./characters.ts";
import { type Kind, NEVER_CALLED, WORDS } from "./words.ts";

/** How a database reads what others read otherwise: `#`, `--` before a letter, a backslash in a text, versioned comments. */
export type Dialect = "mysql" | "ansi";

/**
 * Tokens of SQL, one at a time; no character is looked at more than a few times, whatever stands there. Comments are space,
 * but for the one that the text ends in.
 */
export class Lexer {
  readonly text: string;
  readonly dialect: Dialect;
  /** Where the next token may begin. */
  at: number;
  /** Where the last token began. */
  from = 0;
  /** The last token's word in small letters, where it is one; else "". */
  word = "";
  /** The last token is a text that nothing ends. */
  isOpen = false;
  /** Within a comment that MySQL reads. */
  #isVersioned = false;

  constructor(text: string, at: number, dialect: Dialect) {
    this.text = text;
    this.at = at;
    this.dialect = dialect;
  }

  next(): Kind {
    this.word = "";
    this.isOpen = false;
    if (this.#skip()) return "#";
    this.from = this.at;
    const { text, at } = this;
    if (at >= text.length) return ".";
    const code = text.charCodeAt(at);
    if (isDigit(code)) return this.#number();
    if (isWord(code)) return code === DOLLAR ? this.#dollar() : this.#word();
    if (code === QUOTE || code === DOUBLE_QUOTE) return this.#string(code, at + 1);
    if (code === BACK_QUOTE) return this.#enclosed("`");
    if (code === BRACKET) return this.#enclosed("]");
    if (code === AT_SIGN) return isComparison(text, at) ? this.#take("c", 2) : this.#variable();
    if (code === DOT && isDigit(text.charCodeAt(at + 1))) return this.#number();
    if (code === BACKSLASH && text[at + 1] === "N") return this.#take("n", 2);
    if (code === COLON && isWord(text.charCodeAt(at + 1))) return this.#placeholder();
    return this.#operator();
  }

  #take(kind: Kind, length: number): Kind {
    this.at += length;
    return kind;
  }

  /** Over spaces and comments; true for a comment that has nothing behind it. */
  #skip(): boolean {
    const { text } = this;
    for (;;) {
      this.at = behindSpaces(text, this.at);
      const code = text.charCodeAt(this.at);
      const next = text.charCodeAt(this.at + 1);
      if (code === SLASH && next === STAR) {
        this.from = this.at;
        if (this.#blockComment()) return true;
      } else if (code === STAR && next === SLASH && this.#isVersioned) {
        this.at += 2;
        this.#isVersioned = false;
      } else if (
        (code === HASH && this.dialect === "mysql") ||
        (code === MINUS && next === MINUS && this.#isDashComment())
      ) {
        const end = text.indexOf("\n", this.at);
        this.from = this.at;
        if (end === -1) {
          this.at = text.length;
          return true;
        }
        this.at = end + 1;
      } else if (this.#isHollow(code)) this.at = HOLLOW.lastIndex;
      else return false;
    }
  }

  #isHollow(code: number): boolean {
    if (this.dialect !== "mysql" || !(isDigit(code) || code === DOT)) return false;
    HOLLOW.lastIndex = this.at;
    return HOLLOW.test(this.text);
  }

  #isDashComment(): boolean {
    const after = this.text.charCodeAt(this.at + 2);
    return this.dialect === "ansi" || Number.isNaN(after) || isSpaceAt(this.text, this.at + 2);
  }

  #blockComment(): boolean {
    const { text, at } = this;
    if (this.dialect === "mysql" && (text[at + 2] === "!" || text.startsWith("M!", at + 2))) {
      this.#isVersioned = true;
      this.at = text.indexOf("!", at) + 1;
      while (isDigit(text.charCodeAt(this.at))) this.at++;
      return false;
    }
    const end = text.indexOf("*/", at + 2);
    this.at = end === -1 ? text.length : end + 2;
    return end === -1;
  }

  #wordEnd(from: number): number {
    const { text } = this;
    let end = from;
    while (end < text.length && isWord(text.charCodeAt(end))) {
      if (isSpaceAt(text, end)) break;
      end++;
    }
    return end;
  }

  #word(): Kind {
    const { text, at } = this;
    let end = this.#wordEnd(at);
    const next = text.charCodeAt(end);
    if ((next === QUOTE || next === DOUBLE_QUOTE) && end - at <= PREFIX_LENGTH_MAX) {
      const kind = this.#prefixed(text.slice(at, end).toLowerCase(), end);
      if (kind !== undefined) return kind;
    }
    let isPath = false;
    while (text.charCodeAt(end) === DOT) {
      let behind = end + 1;
      if (text.charCodeAt(behind) === DOT) behind++;
      if (text.charCodeAt(behind) === BACK_QUOTE || text.charCodeAt(behind) === STAR) {
        end = behind;
        if (text.charCodeAt(behind) === STAR) end++;
        break;
      }
      if (!isPath && isDigit(text.charCodeAt(behind)) && WORDS.has(text.slice(at, end).toLowerCase())) break;
      const last = this.#wordEnd(behind);
      if (last === behind) break;
      isPath = true;
      end = last;
    }
    this.at = end;
    if (end - at > WORD_LENGTH_MAX) return "i";
    this.word = text.slice(at, end).toLowerCase();
    if (this.word === "array" && next === BRACKET) return this.#array();
    return isPath ? this.#named("i") : this.#named(WORDS.get(this.word) ?? "i");
  }

  /** A word with a parenthesis behind it is a function, whatever is skipped between them, but for those that never are. */
  #named(kind: Kind): Kind {
    if (NEVER_CALLED.has(this.word)) return kind;
    const { at, from } = this;
    const isVersioned = this.#isVersioned;
    const isCalled = !this.#skip() && this.text.charCodeAt(this.at) === OPEN;
    this.at = at;
    this.from = from;
    this.#isVersioned = isVersioned;
    return isCalled ? "f" : kind;
  }

  /** `N'…'`, `x'…'`, `q'[…]'`, `_utf8'…'`: texts of another sort. */
  #prefixed(prefix: string, quoteAt: number): Kind | undefined {
    const { text } = this;
    if (prefix === "q" || prefix === "nq") {
      const open = text[quoteAt + 1] ?? "";
      const close = `${CLOSING.get(open) ?? open}'`;
      const end = text.indexOf(close, quoteAt + 2);
      this.at = end === -1 ? text.length : end + 2;
      this.isOpen = end === -1;
      return "s";
    }
    if (/^(?:[nexb]|_[a-z0-9]+|binary)$/.test(prefix)) return this.#string(text.charCodeAt(quoteAt), quoteAt + 1);
    return undefined;
  }

  /** Behind its opening quote. A quote written twice is one of the text. */
  #string(quote: number, from: number): Kind {
    const { text, dialect } = this;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === BACKSLASH && dialect === "mysql") at++;
      else if (code === quote && text.charCodeAt(at + 1) === quote) at++;
      else if (code === quote) {
        this.at = at + 1;
        return "s";
      }
    }
    this.at = text.length;
    this.isOpen = true;
    return "s";
  }

  #enclosed(end: string): Kind {
    const { text, at } = this;
    const close = text.indexOf(end, at + 1);
    this.isOpen = close === -1;
    this.at = close === -1 ? text.length : close + 1;
    if (text.charCodeAt(this.at) === DOT) this.at = this.#wordEnd(this.at + 1);
    return this.#named("i");
  }

  /** `array[1, 2]`, as PostgreSQL writes a list. */
  #array(): Kind {
    const close = this.text.indexOf("]", this.at);
    this.at = close === -1 ? this.text.length : close + 1;
    return "v";
  }

  #dollar(): Kind {
    const { text, at } = this;
    if (isDigit(text.charCodeAt(at + 1))) return this.#number();
    TAG.lastIndex = at;
    if (TAG.test(text)) {
      const tag = TAG.lastIndex;
      const end = text.indexOf(text.slice(at, tag), tag);
      this.isOpen = end === -1;
      this.at = end === -1 ? text.length : end + (tag - at);
      return "s";
    }
    return this.#word();
  }

  #variable(): Kind {
    const { text, at } = this;
    const from = text.charCodeAt(at + 1) === AT_SIGN ? at + 2 : at + 1;
    const code = text.charCodeAt(from);
    if (code === QUOTE || code === DOUBLE_QUOTE) this.#string(code, from + 1);
    else if (code === BACK_QUOTE) {
      this.at = from;
      this.#enclosed("`");
    } else {
      this.at = from;
      while (isWord(text.charCodeAt(this.at)) || text.charCodeAt(this.at) === DOT) this.at++;
    }
    return "v";
  }

  #placeholder(): Kind {
    this.at = this.#wordEnd(this.at + 1);
    return "v";
  }

  #number(): Kind {
    const { text, at } = this;
    NUMBER.lastIndex = at;
    const isNumber = NUMBER.test(text);
    const end = isNumber ? NUMBER.lastIndex : at + 1;
    const last = this.#wordEnd(end);
    this.at = end;
    if (last === end) return text.charCodeAt(end) === DOT ? this.#dotted() : "n";
    const rest = text.slice(end, Math.min(last, end + WORD_LENGTH_MAX)).toLowerCase();
    if (GLUED.has(rest)) return "n";
    this.at = last;
    return "i";
  }

  /** More than one dot: an address, a version. */
  #dotted(): Kind {
    const { text } = this;
    if (!isWord(text.charCodeAt(this.at + 1))) return this.#take("n", 1);
    while (text.charCodeAt(this.at) === DOT && isWord(text.charCodeAt(this.at + 1)))
      this.at = this.#wordEnd(this.at + 1);
    return "i";
  }

  #operator(): Kind {
    const { text, at } = this;
    const alone = ALONE.get(text.charCodeAt(at));
    if (alone !== undefined) return this.#take(alone, 1);
    for (let length = 3; length > 0; length--) {
      const kind = OPERATORS.get(text.slice(at, at + length));
      if (kind !== undefined) return this.#take(kind, length);
    }
    return this.#take("?", 1);
  }
}

/** `@>` and `@?`, by which PostgreSQL compares JSON and lists; no variable has such a name. */
const isComparison = (text: string, at: number): boolean => text[at + 1] === ">" || text[at + 1] === "?";
