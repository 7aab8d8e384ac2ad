import {
  APOSTROPHE,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  type Cursor,
  HASH,
  isBlank,
  LINE_FEED,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB,
} from "./cursor.ts";
import { doubleQuoted, singleQuoted, trimmedEnd } from "./scalars.ts";
import type { UsualValues } from "./values.ts";

/** Lists and mappings in brackets. */
export class FlowReader {
  readonly #cursor: Cursor;
  readonly #values: UsualValues;
  #indent = 0;

  constructor(cursor: Cursor, values: UsualValues) {
    this.#cursor = cursor;
    this.#values = values;
  }

  /** From `[` or `{` behind what closes it; each of its lines is indented more than `indent`. */
  read(indent: number): unknown {
    this.#indent = indent;
    return this.#collection();
  }

  #collection(): unknown {
    const cursor = this.#cursor;
    if (!this.#values.enter()) {
      cursor.fail();
      return null;
    }
    const isList = cursor.code === OPEN_BRACKET;
    cursor.at++;
    const value = isList ? this.#list() : this.#mapping();
    this.#values.leave();
    return value;
  }

  #list(): unknown {
    const cursor = this.#cursor;
    const list: unknown[] = [];
    this.#skipBlanks();
    while (cursor.isUsual && cursor.code !== CLOSE_BRACKET) {
      this.#values.item(list, cursor.at, this.#value());
      this.#skipBlanks();
      if (cursor.code === COMMA) {
        cursor.at++;
        this.#skipBlanks();
      } else if (cursor.code !== CLOSE_BRACKET) cursor.fail();
    }
    cursor.at++;
    return list;
  }

  #mapping(): unknown {
    const cursor = this.#cursor;
    const mapping: Record<string, unknown> = {};
    this.#skipBlanks();
    while (cursor.isUsual && cursor.code !== CLOSE_BRACE) {
      const keyAt = cursor.at;
      const isQuoted = cursor.code === QUOTE || cursor.code === APOSTROPHE;
      const key = this.#key();
      if (!this.#values.isFree(mapping, key, cursor.at - keyAt) || cursor.code !== COLON) cursor.fail();
      const next = cursor.text.charCodeAt(++cursor.at);
      if (!isQuoted && !isBlank(next)) cursor.fail();
      this.#skipBlanks();
      this.#values.member(mapping, key, keyAt, this.#value());
      this.#skipBlanks();
      if (cursor.code === COMMA) {
        cursor.at++;
        this.#skipBlanks();
      } else if (cursor.code !== CLOSE_BRACE) cursor.fail();
    }
    cursor.at++;
    return mapping;
  }

  #key(): string {
    const cursor = this.#cursor;
    const start = cursor.at;
    const key = this.#text();
    // A key that goes over lines is none.
    if (cursor.text.slice(start, cursor.at).includes("\n")) cursor.fail();
    cursor.skipSpaces();
    return key;
  }

  #value(): unknown {
    const cursor = this.#cursor;
    const { code } = cursor;
    if (code === OPEN_BRACKET || code === OPEN_BRACE) return this.#collection();
    if (code === QUOTE || code === APOSTROPHE) return this.#text();
    const { value, isKnown } = this.#values.plain(this.#text());
    if (!isKnown) cursor.fail();
    return value;
  }

  #text(): string {
    const cursor = this.#cursor;
    if (cursor.code === QUOTE) return doubleQuoted(cursor, this.#indent);
    if (cursor.code === APOSTROPHE) return singleQuoted(cursor, this.#indent);
    return this.#plain();
  }

  /** One that goes over lines is not read here. */
  #plain(): string {
    const cursor = this.#cursor;
    const { text, at: start } = cursor;
    let at = start;
    if (!cursor.beginsPlain) cursor.fail();
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code === LINE_FEED) break;
      if (code === COLON && endsBefore(text.charCodeAt(at + 1))) break;
      if (code === OPEN_BRACE || code === OPEN_BRACKET || code === TAB || code === HASH || Number.isNaN(code)) {
        cursor.fail();
        return "";
      }
    }
    const end = trimmedEnd(text, start, at);
    if (end === start || (text.charCodeAt(start) === 0x2d && end === start + 1)) cursor.fail();
    else cursor.at = at;
    return text.slice(start, end);
  }

  #skipBlanks(): void {
    const cursor = this.#cursor;
    let hasBroken = false;
    let { code } = cursor;
    for (; code === SPACE || code === LINE_FEED; code = cursor.code) {
      if (code === LINE_FEED) {
        hasBroken = true;
        cursor.lineStart = cursor.at + 1;
      }
      cursor.at++;
    }
    if (hasBroken && cursor.column <= this.#indent) cursor.fail();
    if (code === TAB || code === HASH || Number.isNaN(code)) cursor.fail();
  }
}

/** What ends a plain key in brackets, behind its colon. */
function endsBefore(code: number): boolean {
  return (
    isBlank(code) ||
    code === COMMA ||
    code === CLOSE_BRACE ||
    code === CLOSE_BRACKET ||
    code === OPEN_BRACE ||
    code === OPEN_BRACKET
  );
}
