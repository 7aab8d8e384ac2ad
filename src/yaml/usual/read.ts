import type { Steps } from "../../support/turns.ts";
import type { Reading } from "../plain-value.ts";
import { blockText } from "./block-text.ts";
import {
  APOSTROPHE,
  BAR,
  COLON,
  Cursor,
  GREATER,
  HASH,
  isBlank,
  LINE_FEED,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "./cursor.ts";
import { FlowReader } from "./flow.ts";
import { doubleQuoted, isQuotedKey, plainEnd, plainText, singleQuoted, trimmedEnd } from "./scalars.ts";
import { UsualValues } from "./values.ts";

/** Characters of text between two yields, and of the first look. */
const STEP_CHARS = 16 * 1024;

/** Ends of lines of other systems, marks and control characters. */
const STRANGE = /[\0-\x08\x0b-\x1f\x7f\ufeff]/;

const START = /(?:#[^\n]*\n| *\n)*---(?: +#[^\n]*| *)\n/y;

/**
 * YAML as it is usually written, in one pass: block and flow style, comments and texts of all five kinds. Gives the values and
 * places that the library's tokens, nodes and `plainValue` give, in a tenth of their time and without a tree; null for a text
 * with anything else in it (anchors, tags, tabs, faults), which the library has to read.
 */
export function* readUsual(text: string, reading: Reading): Steps<unknown> {
  for (let at = 0; at < text.length; at += STEP_CHARS) {
    if (STRANGE.test(text.slice(at, at + STEP_CHARS))) return null;
    yield;
  }
  return yield* new UsualReader(text, reading).read();
}

class UsualReader {
  readonly #cursor: Cursor;
  readonly #values: UsualValues;
  readonly #flow: FlowReader;
  /** Of the content at the cursor; -1 at the end. */
  #column = 0;
  #nextYield = STEP_CHARS;

  constructor(text: string, reading: Reading) {
    this.#cursor = new Cursor(text);
    this.#values = new UsualValues(reading);
    this.#flow = new FlowReader(this.#cursor, this.#values);
  }

  *read(): Steps<unknown> {
    const cursor = this.#cursor;
    START.lastIndex = 0;
    if (START.test(cursor.text)) cursor.at = START.lastIndex;
    this.#column = cursor.nextContent();
    if (cursor.code !== OPEN_BRACE && !this.#isKey() && !cursor.isItem) return null;
    const value = yield* this.#node(-1, this.#column);
    return cursor.isUsual && this.#column < 0 ? value : null;
  }

  /** A value at the cursor, in `column`, below something in column `indent`. Leaves the cursor at the content behind it. */
  *#node(indent: number, column: number): Steps<unknown> {
    if (this.#cursor.isItem) return yield* this.#list(column);
    return this.#isKey() ? yield* this.#mapping(column) : this.#scalar(indent);
  }

  #isKey(): boolean {
    const cursor = this.#cursor;
    const { text, at, code } = cursor;
    if (code === QUOTE || code === APOSTROPHE) return isQuotedKey(text, at);
    return cursor.beginsPlain && text.charCodeAt(plainEnd(text, at)) === COLON;
  }

  *#mapping(column: number): Steps<unknown> {
    const cursor = this.#cursor;
    const mapping: Record<string, unknown> = {};
    if (!this.#values.enter()) cursor.fail();
    while (cursor.isUsual) {
      const keyAt = cursor.at;
      const key = this.#key();
      if (!this.#values.isFree(mapping, key, cursor.at - keyAt)) cursor.fail();
      const value = yield* this.#valueOf(column);
      this.#values.member(mapping, key, keyAt, value);
      if (cursor.at >= this.#nextYield) yield* this.#rest();
      if (this.#column < column) break;
      if (this.#column > column) cursor.fail();
    }
    this.#values.leave();
    return mapping;
  }

  *#rest(): Steps<void> {
    this.#nextYield = this.#cursor.at + STEP_CHARS;
    yield;
  }

  /** The key at the cursor, which goes behind its colon. */
  #key(): string {
    const cursor = this.#cursor;
    const { text, at, code } = cursor;
    if (!this.#isKey()) {
      cursor.fail();
      return "";
    }
    if (code === QUOTE || code === APOSTROPHE) {
      const key = code === QUOTE ? doubleQuoted(cursor, 0) : singleQuoted(cursor, 0);
      cursor.skipSpaces();
      cursor.at++;
      return key;
    }
    const end = plainEnd(text, at);
    cursor.at = end + 1;
    return text.slice(at, trimmedEnd(text, at, end));
  }

  /** The value behind a key in `column`. */
  *#valueOf(column: number): Steps<unknown> {
    const cursor = this.#cursor;
    cursor.skipSpaces();
    if (!this.#endsHere()) return this.#scalar(column);
    cursor.endLine();
    this.#column = cursor.nextContent();
    if (this.#column > column) return yield* this.#node(column, this.#column);
    // A list may stand below its key, as far out as that.
    if (this.#column === column && cursor.isItem) return yield* this.#list(column);
    return null;
  }

  #endsHere(): boolean {
    const { code } = this.#cursor;
    return code === LINE_FEED || code === HASH || Number.isNaN(code);
  }

  *#list(column: number): Steps<unknown> {
    const cursor = this.#cursor;
    const list: unknown[] = [];
    if (!this.#values.enter()) cursor.fail();
    while (cursor.isUsual) {
      cursor.at++;
      cursor.skipSpaces();
      let inner = cursor.column;
      if (this.#endsHere()) {
        cursor.endLine();
        inner = cursor.nextContent();
        if (inner <= column) cursor.fail();
      }
      const { at } = cursor;
      const value = cursor.isUsual ? yield* this.#node(column, inner) : null;
      this.#values.item(list, at, value);
      if (cursor.at >= this.#nextYield) yield* this.#rest();
      if (this.#column === column && cursor.isItem) continue;
      if (this.#column > column) cursor.fail();
      break;
    }
    this.#values.leave();
    return list;
  }

  /** Whatever is no block of its own; its lines are indented more than `indent`. */
  #scalar(indent: number): unknown {
    const cursor = this.#cursor;
    const { code } = cursor;
    let value: unknown;
    if (code === BAR || code === GREATER) {
      value = blockText(cursor, indent);
      this.#column = cursor.nextContent();
      return value;
    }
    if (code === QUOTE) value = doubleQuoted(cursor, indent);
    else if (code === APOSTROPHE) value = singleQuoted(cursor, indent);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) value = this.#flow.read(indent);
    else value = this.#plain(indent);
    cursor.endLine();
    this.#column = cursor.nextContent();
    return value;
  }

  #plain(indent: number): unknown {
    const cursor = this.#cursor;
    if (!cursor.beginsPlain || isBlank(cursor.code)) {
      cursor.fail();
      return null;
    }
    const { value, isKnown } = this.#values.plain(plainText(cursor, indent));
    if (!isKnown) cursor.fail();
    return value;
  }
}
