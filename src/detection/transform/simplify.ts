/**
 * Transformations that take differences away which services do not see: case, spaces, comments, path segments. As
 * ModSecurity 3 documents them; white space is that of C (`isspace`), letters are those of ASCII.
 */

import { mapping } from "./bytes.ts";

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const LOWER = Uint8Array.from(BYTES, (byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
const UPPER = Uint8Array.from(BYTES, (byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte));

/** Bytes beyond ASCII are no letters: `toLowerCase` knows more of them. */
export const lowercase = mapping(LOWER);

export const uppercase = mapping(UPPER);

export function removeNulls(text: string): string {
  return text.replaceAll("\0", "");
}

export function replaceNulls(text: string): string {
  return text.replaceAll("\0", " ");
}

/** Also the bytes of UTF-8's no-break space. */
export function removeWhitespace(text: string): string {
  return text.replace(/[\t-\r \xa0\xc2]+/g, "");
}

export function compressWhitespace(text: string): string {
  return text.replace(/[\t-\r ]+/g, " ");
}

export function trimLeft(text: string): string {
  return text.replace(/^[\t-\r ]+/, "");
}

/** By hand: a search for spaces before the end would begin anew at each of them. */
export function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

function isSpace(char: number): boolean {
  return char === 0x20 || (char >= 0x09 && char <= 0x0d);
}

export function trim(text: string): string {
  return trimLeft(trimRight(text));
}

/** Comments of C, each as one space; one that is not closed goes to the end. */
export function replaceComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, " ");
}

/** What begins and ends comments, and not what is in them. */
export function removeCommentsChar(text: string): string {
  return text.replace(/\/\*|\*\/|<!--|-->|--|#/g, "");
}

/**
 * Comments of C and of HTML, either of which the other's end closes, and all behind `--` and `#`. The character behind a
 * comment is not looked at: `a/**\/--b` keeps `-`, as ModSecurity has it.
 */
export function removeComments(text: string): string {
  const opening = /\/\*|<!--|--|#/g;
  const closing = /\*\/|-->/g;
  let kept = "";
  let at = 0;
  for (let open = opening.exec(text); open !== null; open = opening.exec(text)) {
    kept += text.slice(at, open.index);
    if (open[0] === "--" || open[0] === "#") return kept;
    closing.lastIndex = opening.lastIndex;
    if (closing.exec(text) === null) return `${kept} `;
    at = closing.lastIndex;
    opening.lastIndex = at + 1;
  }
  return at === 0 ? text : kept + text.slice(at);
}
