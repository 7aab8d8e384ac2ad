/**
 * Byte texts: strings whose characters are the bytes of a value in UTF-8, 0 to 255. Rules are written for bytes; a text in
 * ASCII is its own byte text.
 */

import type { Steps } from "../support/turns.ts";

const BEYOND_ASCII = /[^\x00-\x7f]/;

/** The bytes of a text. */
export function byteText(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;
}

/** Percent and plus of a form or query decoded once, as bytes; what is no escape stays as it is. */
export function unescapedForm(text: string): string {
  return unescaped(text.includes("+") ? text.replaceAll("+", " ") : text);
}

/** Characters decoded between two turns of others. */
const CHARS_AT_ONCE = 8_192;

/** `unescapedForm` of a text that may be a body's. */
export function* unescapedFormInSteps(text: string): Steps<string> {
  let decoded = "";
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = Math.min(text.length, from + CHARS_AT_ONCE);
    // No escape is cut.
    const last = to < text.length ? text.lastIndexOf("%", to - 1) : -1;
    if (last > to - 3 && last > from) to = last;
    decoded += unescapedForm(text.slice(from, to));
    if (to < text.length) yield;
  }
  return decoded;
}

/** Percent decoded once, as bytes. */
export function unescaped(text: string): string {
  return text.includes("%")
    ? text.replace(/%([\dA-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : text;
}
