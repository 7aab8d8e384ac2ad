import { BACKSLASH, QUOTE } from "./json-bytes.ts";

/** What a byte outside of strings is. */
export const BLANK = 0;
export const PLAIN = 1; // of `-1.5e3`, `true` and the like; also of NaN and Infinity, which some services write
export const MARK = 2; // comma or colon
export const STRING_MARK = 3;
export const OPENING = 4;
export const CLOSING = 5;
export const WRONG = 6;

export const CLASSES: Uint8Array = new Uint8Array(256).fill(WRONG);
for (const [text, kind] of [
  [" \t\r\n", BLANK],
  ["0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-.", PLAIN],
  [",:", MARK],
  ['"', STRING_MARK],
  ["{[", OPENING],
  ["}]", CLOSING],
] as const) {
  for (const one of text) CLASSES[one.charCodeAt(0)] = kind;
}

/** 1: with what a scalar begins that is no string. */
export const BEGINNINGS: Uint8Array = new Uint8Array(256);
for (const one of "-tfnNI0123456789") BEGINNINGS[one.charCodeAt(0)] = 1;

/** 1: it ends a name, or is none of plain ASCII. */
export const ENDS_NAME: Uint8Array = new Uint8Array(256).map((_, byte) =>
  Number(byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH),
);
