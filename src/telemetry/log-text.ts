import { DEFAULTS } from "../support/defaults.ts";

/** C1 controls, DEL and the characters that turn the direction of text or end a line; JSON escapes only below U+0020. */
const DECEPTIVE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text from outside for a log line: cut to a length, and without what could act on the terminal that shows it. Well-formed: half of a
 * pair of surrogates, cut or sent so, makes a line that some readers of JSON take for none.
 */
export function logText(text: string, charsMax: number = DEFAULTS.logTextCharsMax): string {
  const cut = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return cut.toWellFormed().replace(DECEPTIVE, "�");
}

/** JSON in which the same characters stand as escapes, whoever has written it. */
export function escaped(json: string): string {
  return json.replace(DECEPTIVE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Any text from outside as JSON. */
export function cutText(text: string, charsMax: number): string {
  return escaped(JSON.stringify(logText(text, charsMax)));
}
