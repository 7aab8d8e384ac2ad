import { byteText } from "../../detection/byte-text.ts";
import type { NamedText } from "../../detection/facts.ts";
import { DEFAULTS } from "../../support/defaults.ts";

/** The end may be missing, so that no quote is looked behind twice. */
const STRING = /"((?:[^"\\]+|\\[\s\S])*)"?/g;
const ESCAPE = /\\(?:u([\da-fA-F]{4})|([\s\S]))/g;
const CONTROLS: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/**
 * All that stands in quotes of a byte text that is no one text of JSON: some services read its first value and leave the rest, others
 * read line by line, or take comments, commas and names that stand twice.
 */
export function jsonStrings(text: string, name: string): NamedText[] {
  const strings: NamedText[] = [];
  for (const [, content = ""] of text.matchAll(STRING)) {
    // One more than the most, so that whoever counts them sees that there are too many.
    if (strings.length > DEFAULTS.detectValuesMax) break;
    strings.push({ name, value: withoutEscapes(content), shape: -1 });
  }
  return strings;
}

function withoutEscapes(content: string): string {
  if (!content.includes("\\")) return content;
  return content.replace(ESCAPE, (_, digits: string | undefined, letter = "") =>
    digits === undefined ? (CONTROLS[letter] ?? letter) : byteText(String.fromCharCode(Number.parseInt(digits, 16))),
  );
}
