import type { Steps } from "../support/turns.ts";
import { COLON, COMMA, MINUS, NINE, OPEN_BRACE, QUOTE, SPACE, ZERO } from "./json-bytes.ts";
import { stringEnd } from "./json-editor.ts";
import { jsonNumber } from "./json-number.ts";

/** Tokens between two looks at the clock. */
const TOKENS_PER_STEP = 512;

/**
 * JSON in the one spelling that JSON.stringify has: no blanks, no escapes but those that have to be, numbers as their
 * doubles are written. Members stay in their order; a number that no double holds keeps its digits. `text` is JSON.
 */
export function* printJson(text: string): Steps<string> {
  const pieces: string[] = [];
  let steps = 0;
  for (let at = 0; at < text.length; ) {
    if (++steps % TOKENS_PER_STEP === 0) yield;
    const start = at;
    const code = text.charCodeAt(at);
    if (code <= SPACE) {
      at++;
      continue;
    }
    if (code === QUOTE) {
      at = stringEnd(text, at);
      const quoted = text.slice(start, at);
      pieces.push(quoted.includes("\\") ? JSON.stringify(JSON.parse(quoted)) : quoted);
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      while (isOfNumber(text.charCodeAt(at))) at++;
      pieces.push(numberText(text.slice(start, at)));
    } else {
      // A bracket, a comma or a colon; or a word, letter by letter.
      pieces.push(text.charAt(at++));
    }
  }
  return pieces.join("");
}

/** None of what may follow a number: blanks, a comma, a bracket. */
function isOfNumber(code: number): boolean {
  return code > SPACE && code !== COMMA && code !== COLON && code < OPEN_BRACE && code !== 0x5d;
}

function numberText(text: string): string {
  const value = jsonNumber(text);
  // JSON.stringify has no sign for zero.
  return typeof value === "number" ? JSON.stringify(value) : value.text;
}
