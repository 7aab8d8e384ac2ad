import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";

/** Kinds of tokens beside punctuators, whose kind is their character's code. */
export const END = 0;
export const NAME = 1;
export const INT = 2;
export const FLOAT = 3;
export const STRING = 4;
export const BLOCK_STRING = 5;
export const SPREAD = 6;

/** Tokens of a document, the last of them `END`: kind, and where each begins and ends in the text. */
export interface Tokens {
  readonly text: string;
  readonly kinds: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

const NAME_TOKEN = /[_A-Za-z][_0-9A-Za-z]*/y;
/** Digits, a point or a letter right behind a number would be another token for some readers. */
const NUMBER_TOKEN = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![.0-9_A-Za-z])/y;
const IGNORED = /[\t\n\r ,\uFEFF]+/y;
const COMMENT = /#[^\n\r]*/y;
const ESCAPE = /\\u(?:([0-9A-Fa-f]{4})|\{([0-9A-Fa-f]+)\})/y;
const PUNCTUATORS: ReadonlySet<number> = new Set([..."!$&()[]{}:=|@"].map((char) => char.charCodeAt(0)));
/** Editions differ on control characters; no honest document has one. */
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/;

/** Tokens between two turns. */
const LOOK_EVERY_TOKENS = 512;

/** Text of a document → tokens (GraphQL, September 2025, section 2.1). The error says what is wrong, and where. */
export function* tokensOf(text: string): Steps<Result<Tokens, string>> {
  if (text.length > DEFAULTS.graphqlCharsMax) return err(`more than ${DEFAULTS.graphqlCharsMax} characters`);
  if (CONTROL.test(text) || !text.isWellFormed()) return err("a character that no document may have");
  const kinds: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = skipIgnored(text, 0);
  while (at < text.length) {
    if (kinds.length === DEFAULTS.graphqlTokensMax) return err(`more than ${DEFAULTS.graphqlTokensMax} tokens`);
    if (kinds.length % LOOK_EVERY_TOKENS === LOOK_EVERY_TOKENS - 1) yield;
    const kind = kindAt(text, at);
    const end = kind === END ? -1 : endOf(text, at, kind);
    if (end < 0) return err(`no token ${placeIn(text, at)}`);
    kinds.push(kind === INT && isFloat(text, at, end) ? FLOAT : kind);
    starts.push(at);
    ends.push(end);
    at = skipIgnored(text, end);
  }
  kinds.push(END);
  starts.push(text.length);
  ends.push(text.length);
  return ok({ text, kinds, starts, ends });
}

/** For an error: `at line 3, column 7`. */
export function placeIn(text: string, at: number): string {
  let line = 1;
  let start = 0;
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", start)) {
    line++;
    start = next + 1;
  }
  return `at line ${line}, column ${at - start + 1}`;
}

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function skipIgnored(text: string, from: number): number {
  let at = from;
  for (;;) {
    const end = matchEnd(text.charCodeAt(at) === HASH ? COMMENT : IGNORED, text, at);
    if (end < 0) return at;
    at = end;
  }
}

const HASH = 0x23;
const QUOTE = 0x22;
const POINT = 0x2e;
const MINUS = 0x2d;

function kindAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (PUNCTUATORS.has(code)) return code;
  if ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f) return NAME;
  if (code === MINUS || (code >= 0x30 && code <= 0x39)) return INT;
  if (code === QUOTE) return text.startsWith('"""', at) ? BLOCK_STRING : STRING;
  return code === POINT ? SPREAD : END;
}

/** -1 where what begins there is no token. */
function endOf(text: string, at: number, kind: number): number {
  switch (kind) {
    case NAME:
      return matchEnd(NAME_TOKEN, text, at);
    case INT:
      return matchEnd(NUMBER_TOKEN, text, at);
    case STRING:
      return endOfString(text, at);
    case BLOCK_STRING:
      return endOfBlock(text, at);
    case SPREAD:
      return text.startsWith("...", at) ? at + 3 : -1;
    default:
      return at + 1;
  }
}

function isFloat(text: string, at: number, end: number): boolean {
  return /[.eE]/.test(text.slice(at, end));
}

function endOfString(text: string, start: number): number {
  let high = false;
  for (let at = start + 1; at < text.length; ) {
    const code = text.charCodeAt(at);
    const isEscape = code === BACKSLASH;
    const unit = isEscape && text.charCodeAt(at + 1) === LOWER_U ? unicodeAt(text, at) : NO_UNIT;
    const low = unit >= 0xdc00 && unit <= 0xdfff;
    if (unit === WRONG || low !== high || code === LINE_FEED || code === CARRIAGE_RETURN) return -1;
    if (code === QUOTE) return at + 1;
    if (unit !== NO_UNIT) at = ESCAPE.lastIndex;
    else if (isEscape && !SIMPLE_ESCAPES.has(text.charCodeAt(at + 1))) return -1;
    else at += isEscape ? 2 : 1;
    high = unit >= 0xd800 && unit <= 0xdbff;
  }
  return -1;
}

const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NO_UNIT = -1;
const WRONG = -2;
const SIMPLE_ESCAPES: ReadonlySet<number> = new Set([...'"\\/bfnrt'].map((char) => char.charCodeAt(0)));

/** Code unit of an escape in four digits, 0 for a whole code point in braces, `WRONG` for none; `ESCAPE` stands behind it. */
function unicodeAt(text: string, at: number): number {
  ESCAPE.lastIndex = at;
  const match = ESCAPE.exec(text);
  if (match === null) return WRONG;
  if (match[1] !== undefined) return Number.parseInt(match[1], 16);
  const point = Number.parseInt(match[2] ?? "", 16);
  return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? WRONG : 0;
}

function endOfBlock(text: string, start: number): number {
  for (let at = start + 3; ; ) {
    const end = text.indexOf('"""', at);
    if (end < 0) return -1;
    if (text.charCodeAt(end - 1) !== 0x5c) return end + 3;
    at = end + 3;
  }
}
