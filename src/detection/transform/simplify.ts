/**
 * Transformations that take differences away which services do not see: case, spaces, comments, path segments. As
 * ModSecurity 3 documents them; white space is that of C (`isspace`), letters are those of ASCII.
 */

import { mapped } from "./bytes.ts";

/** Bytes beyond ASCII are no letters: `toLowerCase` knows more of them. */
export function lowercase(text: string): string {
  return mapped(text, LOWER);
}

export function uppercase(text: string): string {
  return mapped(text, UPPER);
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const LOWER = Uint8Array.from(BYTES, (byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
const UPPER = Uint8Array.from(BYTES, (byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte));

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

/** What shells read over: quotes, carets, backslashes, case, and how much space stands where. */
export function cmdLine(text: string): string {
  const bare = text.replace(/["'\\^]+/g, "").replace(/[ ,;\t\r\n]+/g, " ");
  return lowercase(bare.replace(/ (?=[/(])/g, ""));
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

/** Segments `.` and `..` and empty ones are gone, as in RFC 3986, section 5.2.4; a path that ends in a slash still does. */
export function normalizePath(text: string): string {
  if (text === "") return text;
  const isRooted = text.startsWith("/");
  const segments: string[] = [];
  for (const segment of text.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== ".." || !(isRooted || (segments.length > 0 && segments.at(-1) !== ".."))) segments.push(segment);
    else segments.pop();
  }
  const path = (isRooted ? "/" : "") + segments.join("/");
  return text.endsWith("/") && segments.length > 0 ? `${path}/` : path;
}

export function normalizePathWin(text: string): string {
  return normalizePath(text.replaceAll("\\", "/"));
}
