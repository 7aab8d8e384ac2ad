import { byteText } from "../../detection/byte-text.ts";
import type { NamedText } from "../../detection/facts.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { atOnce, type Steps } from "../../support/turns.ts";

const CONTROLS: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

const NONE: readonly NamedText[] = [];
const QUOTE = 0x22;
const NEVER = -1;
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
  const reader = new EscapeReader(text);
  // One more than the most, so that whoever counts them sees that there are too many.
  for (
    let at = text.indexOf('"');
    at >= 0 && strings.length <= DEFAULTS.detectValuesMax;
    at = text.indexOf('"', reader.at + 1)
  ) {
    strings.push({ name, value: yield* reader.until(QUOTE, at + 1), shape: -1 });
  }
  return strings;
}

/**
 * A byte text without its escapes, in quotes or not. Where comments may have a quote, as in GraphQL, nobody else than its own reader
 * knows what stands in quotes.
 */
export function* unescapedTextInSteps(text: string, name: string): Steps<readonly NamedText[]> {
  if (!text.includes("\\") || !text.includes('"')) return NONE;
  return [{ name, value: yield* new EscapeReader(text).until(NEVER, 0), shape: -1 }];
}

/** Reads a text from left to right, and gives others their turn on the way. */
class EscapeReader {
  readonly #text: string;
  #due = CHARS_AT_ONCE;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What stands before a character, or the end, without its escapes. */
  *until(end: number, begin: number): Steps<string> {
    const text = this.#text;
    let value = "";
    let pieces: string[] = [];
    let from = begin;
    let at = begin;
    for (let code = text.charCodeAt(at); at < text.length && code !== end; code = text.charCodeAt(at)) {
      if (code === BACKSLASH) {
        pieces.push(text.slice(from, at), unescapedAt(text, at));
        at += escapeLength(text, at);
        from = at;
      } else at++;
      if (at < this.#due) continue;
      this.#due = at + CHARS_AT_ONCE;
      value += pieces.join("");
      pieces = [];
      yield;
    }
    this.at = at;
    return value + pieces.join("") + text.slice(from, at);
  }
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
/** And what it does begin with: `{ user(…) }` of GraphQL does not. */
const IS_JSON = /^[\s\0]*(?:["[]|\{[\s\0]*["}])/;

/**
 * Strings of a value that is a text of JSON itself, as `filter={"name":"…"}`: whoever reads it once more reads its escapes, too. Any
 * other with quotes, as a query of GraphQL or a cookie that begins with `j:`, is there without its escapes. What has none is
 * searched as it stands.
 */
export function* nestedStringsInSteps(value: string, name: string): Steps<readonly NamedText[]> {
  const all = IS_JSON.test(value) ? [] : [...(yield* unescapedTextInSteps(value, name))];
  if (!value.includes("\\") || !BEGINS_AS_JSON.test(value)) return all;
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
