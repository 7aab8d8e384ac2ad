import { APOSTROPHE, BACKSLASH, COLON, type Cursor, HASH, isBlank, LINE_FEED, QUOTE, SPACE, TAB } from "./cursor.ts";

/** Offset at which a plain text ends on its line: at its end, at a comment or at `: `. -1 for a tab, which is not read here. */
export function plainEnd(text: string, from: number): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code === LINE_FEED || Number.isNaN(code)) return at;
    if (code === COLON && isBlank(text.charCodeAt(at + 1))) return at;
    if (code === HASH && text.charCodeAt(at - 1) === SPACE) return at;
    if (code === TAB) return -1;
  }
}

/** Offset behind the last character before `end` that is no space. */
export function trimmedEnd(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && text.charCodeAt(at - 1) === SPACE) at--;
  return at;
}

/** A plain text in block style, folded where it goes on in lines that are indented more than `indent`. */
export function plainText(cursor: Cursor, indent: number): string {
  const { text } = cursor;
  let from = cursor.at;
  let folded = "";
  for (;;) {
    const end = plainEnd(text, from);
    if (end < 0 || text.charCodeAt(end) === COLON) {
      cursor.fail();
      return "";
    }
    folded += text.slice(from, trimmedEnd(text, from, end));
    cursor.at = end;
    if (text.charCodeAt(end) !== LINE_FEED) return folded;
    const { at, breaks } = foldedTo(text, end);
    const code = text.charCodeAt(at);
    const column = at - (text.lastIndexOf("\n", at - 1) + 1);
    if (Number.isNaN(code) || code === HASH || column <= indent) return folded;
    folded += breaks;
    from = at;
  }
}

/** From the end of a line to the next content; what the line breaks between count for (YAML 1.2 section 6.5). */
function foldedTo(text: string, end: number): { readonly at: number; readonly breaks: string } {
  let at = end;
  let lines = 0;
  for (let code = LINE_FEED; code === LINE_FEED || code === SPACE; code = text.charCodeAt(at)) {
    if (code === LINE_FEED) lines++;
    at++;
  }
  return { at, breaks: lines === 1 ? " " : "\n".repeat(lines - 1) };
}

/** `'text'`; what comes behind it is not looked at. */
export function singleQuoted(cursor: Cursor, indent: number): string {
  const { text } = cursor;
  let from = ++cursor.at;
  let read = "";
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code === APOSTROPHE) {
      read += text.slice(from, at);
      cursor.at = at + 1;
      if (text.charCodeAt(at + 1) !== APOSTROPHE) return read;
      // Of two the second one is text.
      from = ++at;
    } else if (code === LINE_FEED) {
      read += text.slice(from, trimmedEnd(text, from, at));
      from = foldQuoted(cursor, at, indent);
      read += cursor.isUsual ? foldedTo(text, at).breaks : "";
      at = from - 1;
    } else if (Number.isNaN(code)) cursor.fail();
    if (!cursor.isUsual) return "";
  }
}

/** Where a quoted text goes on behind the end of a line. */
function foldQuoted(cursor: Cursor, end: number, indent: number): number {
  const { text } = cursor;
  const { at } = foldedTo(text, end);
  const column = at - (text.lastIndexOf("\n", at - 1) + 1);
  const before = text.charCodeAt(trimmedEnd(text, 0, end) - 1);
  if (column <= indent || before === TAB || text.charCodeAt(at) === TAB) cursor.fail();
  return at;
}

const ESCAPED: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  '"': '"',
  "\\": "\\",
  "/": "/",
  " ": " ",
};

const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** `"text"`; what comes behind it is not looked at. */
export function doubleQuoted(cursor: Cursor, indent: number): string {
  const { text } = cursor;
  let from = ++cursor.at;
  let read = "";
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      cursor.at = at + 1;
      return read + text.slice(from, at);
    }
    if (code === BACKSLASH) {
      read += text.slice(from, at);
      cursor.at = at;
      read += escaped(cursor, indent);
      from = cursor.at;
      at = from - 1;
    } else if (code === LINE_FEED) {
      read += text.slice(from, trimmedEnd(text, from, at));
      from = foldQuoted(cursor, at, indent);
      read += cursor.isUsual ? foldedTo(text, at).breaks : "";
      at = from - 1;
    } else if (Number.isNaN(code)) cursor.fail();
    if (!cursor.isUsual) return "";
  }
}

/** What `\…` at the cursor stands for; goes behind it. */
function escaped(cursor: Cursor, indent: number): string {
  const { text, at } = cursor;
  const name = text.charAt(at + 1);
  const plain = ESCAPED[name];
  if (plain !== undefined) {
    cursor.at = at + 2;
    // Spaces that are escaped stay at the end of a line: nothing is trimmed there by hand.
    if (name === " " || name === "t") failBeforeBreak(cursor);
    return plain;
  }
  if (name === "\n") {
    const next = foldQuoted(cursor, at + 1, indent);
    // An empty line behind it is one.
    if (foldedTo(text, at + 1).breaks !== " ") cursor.fail();
    if (cursor.isUsual) cursor.at = next;
    return "";
  }
  const length = DIGITS[name] ?? 0;
  const digits = text.slice(at + 2, at + 2 + length);
  const code = Number.parseInt(digits, 16);
  if (length === 0 || !/^[0-9a-fA-F]+$/.test(digits) || digits.length !== length || code > 0x10ffff) {
    cursor.fail();
    return "";
  }
  cursor.at = at + 2 + length;
  return String.fromCodePoint(code);
}

function failBeforeBreak(cursor: Cursor): void {
  const { text } = cursor;
  let { at } = cursor;
  while (text.charCodeAt(at) === SPACE) at++;
  if (text.charCodeAt(at) === LINE_FEED) cursor.fail();
}

/** Whether a quoted text that begins at `at` ends on its line and is a key. */
export function isQuotedKey(text: string, at: number): boolean {
  const quote = text.charCodeAt(at);
  for (let next = at + 1; ; next++) {
    const code = text.charCodeAt(next);
    if (code === LINE_FEED || Number.isNaN(code)) return false;
    if (code === BACKSLASH && quote === QUOTE) next++;
    else if (code === quote && quote === APOSTROPHE && text.charCodeAt(next + 1) === quote) next++;
    else if (code === quote) return beginsValue(text, next + 1);
  }
}

/** Whether `:` with a blank behind it comes next, after spaces. */
function beginsValue(text: string, from: number): boolean {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return text.charCodeAt(at) === COLON && isBlank(text.charCodeAt(at + 1));
}
