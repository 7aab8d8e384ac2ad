import type { Kind } from "./words.ts";

const SPACE = 1;
const DIGIT = 2;
const LETTER = 4;
/** By character, those above 127 are letters. */
const CLASSES = new Uint8Array(128);
for (let code = 0; code <= 0x20; code++) CLASSES[code] = SPACE;
for (let code = 0x30; code <= 0x39; code++) CLASSES[code] = DIGIT;
for (const letter of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$") CLASSES[letter.charCodeAt(0)] = LETTER;

const NO_BREAK_SPACE = 0xa0;
export const WORD_LENGTH_MAX = 64;

export const isWord = (code: number): boolean => code > 127 || ((CLASSES[code] ?? 0) & (DIGIT | LETTER)) !== 0;
export const isDigit = (code: number): boolean => CLASSES[code] === DIGIT;

/**
 * Of the bytes behind ASCII, A0 is a space in MySQL where the text is Latin-1, and C2 A0 is one in UTF-8. Where it is the rest
 * of a letter, as in C3 A0, it is none.
 */
export function isSpaceAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0x80) return CLASSES[code] === SPACE;
  if (code === 0xc2) return text.charCodeAt(at + 1) === NO_BREAK_SPACE;
  if (code !== NO_BREAK_SPACE) return false;
  const before = text.charCodeAt(at - 1);
  return !(before >= 0x80 && before <= 0xff) || before === 0xc2;
}

/** Where the spaces end that begin there. */
export function behindSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpaceAt(text, at)) at++;
  return at;
}

/** Operators by their text, longest first by the order they are tried in: three, two, one character. */
export const OPERATORS: ReadonlyMap<string, Kind> = new Map([
  ...["<=>", "!~*", "->>"].map((text) => [text, "c"] as const),
  ...["<>", "!=", "<=", ">=", "==", "~*", "!~", "~=", "<@", "^=", "!<", "!>", ":=", "~~", "?|", "?&"].map(
    (text) => [text, "c"] as const,
  ),
  ...["&&", "||"].map((text) => [text, "l"] as const),
  ...["<<", ">>", "::", "->"].map((text) => [text, "o"] as const),
  ...["=", "<", ">"].map((text) => [text, "c"] as const),
  ...["+", "-", "*", "/", "%", "^", "&", "|"].map((text) => [text, "o"] as const),
  ...["!", "~"].map((text) => [text, "p"] as const),
]);

export const QUOTE = 0x27;
export const DOUBLE_QUOTE = 0x22;
export const BACK_QUOTE = 0x60;
export const BRACKET = 0x5b;
export const AT_SIGN = 0x40;
export const DOT = 0x2e;
export const BACKSLASH = 0x5c;
export const COLON = 0x3a;
export const SLASH = 0x2f;
export const STAR = 0x2a;
export const HASH = 0x23;
export const MINUS = 0x2d;
export const OPEN = 0x28;
export const DOLLAR = 0x24;
/** What a text in dollars of PostgreSQL begins with. */
export const TAG = /\$[A-Za-z_0-9\x80-\uffff]{0,31}\$/y;
export const PREFIX_LENGTH_MAX = 12;
export const CLOSING: ReadonlyMap<string, string> = new Map([
  ["[", "]"],
  ["(", ")"],
  ["{", "}"],
  ["<", ">"],
]);
/** Money, hexadecimal, binary, decimal with or without an exponent. */
export const NUMBER = /\$?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/y;
/**
 * `1.e(`: MySQL begins a number whose exponent has no digits, drops it, and reads on with the sign behind it. A dot there goes on with
 * the name before it: `mysql 1.e.user`.
 */
export const HOLLOW = /(?:[0-9]+\.[0-9]*|\.[0-9]+)[eE][+-]?(?:\.[\w$\x80-\uffff]+|(?=[^\w\s.$\x80-\uffff]))/y;
/** Words that some databases read although a number stands before them without a space. */
export const GLUED: ReadonlySet<string> = new Set([
  "and",
  "or",
  "xor",
  "union",
  "select",
  "from",
  "div",
  "mod",
  "like",
  "having",
  "order",
  "in",
  "is",
  "d",
  "f",
  "limit",
  "group",
  "between",
  "rlike",
  "regexp",
  "where",
  "into",
  "as",
  "funion",
  "dunion",
  "xunion",
]);

/** Characters that are an operator by themselves, whatever follows. */
export const ALONE: ReadonlyMap<number, Kind> = new Map(
  (["(", ")", ",", ";", "{", "}"] as const).map((text) => [text.charCodeAt(0), text]),
);
