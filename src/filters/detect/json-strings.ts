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

/** Texts within texts: services hardly read deeper, and each level costs its backslashes twice. */
const NESTED_MAX = 8;
/** What JSON may begin with, behind blanks. */
const BEGINS_AS_JSON = /^[\s\0]*["{[]/;
const NONE: readonly NamedText[] = [];

/**
 * Strings of a value that is a text of JSON itself, as `filter={"name":"…"}`: whoever reads it once more reads its escapes, too. What has
 * none is searched as it stands.
 */
export function nestedStrings(value: string, name: string): readonly NamedText[] {
  if (!value.includes("\\") || !BEGINS_AS_JSON.test(value)) return NONE;
  const all: NamedText[] = [];
  let level = jsonStrings(value, name);
  for (let depth = 0; depth < NESTED_MAX && level.length > 0; depth++) {
    all.push(...level);
    if (all.length > DEFAULTS.detectValuesMax) break;
    level = level.flatMap(({ value: text }) =>
      text.includes("\\") && BEGINS_AS_JSON.test(text) ? jsonStrings(text, name) : [],
    );
  }
  return all.slice(0, DEFAULTS.detectValuesMax + 1);
}

function withoutEscapes(content: string): string {
  if (!content.includes("\\")) return content;
  return content.replace(ESCAPE, (_, digits: string | undefined, letter = "") =>
    digits === undefined ? (CONTROLS[letter] ?? letter) : byteText(String.fromCharCode(Number.parseInt(digits, 16))),
  );
}
