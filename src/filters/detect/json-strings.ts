import { byteText } from "../../detection/byte-text.ts";
import type { NamedText } from "../../detection/facts.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { atOnce, type Steps } from "../../support/turns.ts";

const CONTROLS: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CODE_UNIT = /^[\da-fA-F]{4}$/;
/** Characters looked at between two turns of others: a text may be all backslashes. */
const CHARS_AT_ONCE = 8_192;

/**
 * All that stands in quotes of a byte text that is no one text of JSON: some services read its first value and leave the rest, others
 * read line by line, or take comments, commas and names that stand twice. The last string may have no end.
 */
export function* jsonStringsInSteps(text: string, name: string): Steps<NamedText[]> {
  const strings: NamedText[] = [];
  let due = CHARS_AT_ONCE;
  // One more than the most, so that whoever counts them sees that there are too many.
  for (
    let at = text.indexOf('"');
    at >= 0 && strings.length <= DEFAULTS.detectValuesMax;
    at = text.indexOf('"', at + 1)
  ) {
    let value = "";
    let pieces: string[] = [];
    let from = ++at;
    for (let code = text.charCodeAt(at); at < text.length && code !== QUOTE; code = text.charCodeAt(at)) {
      if (code === BACKSLASH) {
        pieces.push(text.slice(from, at), unescapedAt(text, at));
        at += escapeLength(text, at);
        from = at;
      } else at++;
      if (at < due) continue;
      due = at + CHARS_AT_ONCE;
      value += pieces.join("");
      pieces = [];
      yield;
    }
    strings.push({ name, value: value + pieces.join("") + text.slice(from, at), shape: -1 });
  }
  return strings;
}

/** The same of a text that is short. */
export function jsonStrings(text: string, name: string): NamedText[] {
  return atOnce(jsonStringsInSteps(text, name));
}

function escapeLength(text: string, at: number): number {
  return text[at + 1] === "u" && CODE_UNIT.test(text.slice(at + 2, at + 6)) ? 6 : 2;
}

function unescapedAt(text: string, at: number): string {
  const letter = text[at + 1] ?? "";
  if (escapeLength(text, at) === 2) return CONTROLS[letter] ?? letter;
  return byteText(String.fromCharCode(Number.parseInt(text.slice(at + 2, at + 6), 16)));
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
export function* nestedStringsInSteps(value: string, name: string): Steps<readonly NamedText[]> {
  if (!value.includes("\\") || !BEGINS_AS_JSON.test(value)) return NONE;
  const all: NamedText[] = [];
  let level = yield* jsonStringsInSteps(value, name);
  for (let depth = 0; depth < NESTED_MAX && level.length > 0; depth++) {
    all.push(...level);
    if (all.length > DEFAULTS.detectValuesMax) break;
    const next: NamedText[] = [];
    for (const { value: text } of level)
      if (text.includes("\\") && BEGINS_AS_JSON.test(text)) next.push(...(yield* jsonStringsInSteps(text, name)));
    level = next;
  }
  return all.slice(0, DEFAULTS.detectValuesMax + 1);
}

/** The same of a value that is short. */
export function nestedStrings(value: string, name: string): readonly NamedText[] {
  return value.includes("\\") ? atOnce(nestedStringsInSteps(value, name)) : NONE;
}
