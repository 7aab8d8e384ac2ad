import { atOnce, type Steps } from "../../support/turns.ts";
import { isProgram } from "./address.ts";
import { Attributes } from "./attributes.ts";
import { ACTIVE_CLOSING_TAGS, ACTIVE_TAGS } from "./tables.ts";

const NAME_LENGTH_MAX = 48;
const DECLARATION_LENGTH_MAX = 64;
/** Opened tags, and equals signs: some microseconds each. */
const MARKS_A_STEP = 32;

/**
 * Whether a text, put into a page by a service that escapes nothing, would run: in the page itself, or in an attribute's value
 * without quotes or in single, double or back quotes. Undefined where it would not; else a word for what would: `tag`,
 * `handler`, `attribute`, `url`, `style`, `comment`, `doctype`. Takes time in line with the text's length.
 */
export function crossSiteScript(text: string): string | undefined {
  // Most texts have neither.
  if (text.includes("<") || text.includes("=")) return atOnce(crossSiteScriptInSteps(text));
  return programOf(text);
}

/** The same of a long text. */
export function* crossSiteScriptInSteps(text: string): Steps<string | undefined> {
  let firstTag = Number.POSITIVE_INFINITY;
  let count = 0;
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at + 1)) {
    const found = activeMarkup(text, at + 1);
    if (found === "quiet") firstTag = Math.min(firstTag, at);
    else if (found !== undefined) return found;
    if (++count % MARKS_A_STEP === 0) yield;
  }
  const attributes = new Attributes(text, firstTag);
  for (let at = text.indexOf("="); at !== -1; at = text.indexOf("=", at + 1)) {
    const found = attributes.activeAt(at);
    if (found !== undefined) return found;
    if (++count % MARKS_A_STEP === 0) yield;
  }
  return programOf(text);
}

function programOf(text: string): string | undefined {
  return beginsAddress(text) && isProgram(text) ? "url" : undefined;
}

/** What opens behind a `<`: "quiet" for a tag that does nothing by itself, undefined where none opens (13.2.5.6). */
function activeMarkup(text: string, from: number): string | undefined {
  let at = from;
  while (text.charCodeAt(at) === 0) at++;
  const code = text.charCodeAt(at);
  if (code === SLASH) return ACTIVE_CLOSING_TAGS.has(tagName(text, at + 1)) ? "tag" : undefined;
  if (code === EXCLAMATION) return activeDeclaration(text, at + 1);
  if (code === QUESTION) return /^\?(?:xml|import|php)/i.test(text.slice(at, at + 8)) ? "instruction" : undefined;
  if (!isLetter(code)) return undefined;
  return isActiveTag(tagName(text, at)) ? "tag" : "quiet";
}

/** A prefix of XML may stand before the name, and may be that of drawings itself. */
function isActiveTag(name: string): boolean {
  const colon = name.indexOf(":");
  return colon === -1
    ? ACTIVE_TAGS.has(name)
    : ACTIVE_TAGS.has(name.slice(0, colon)) || ACTIVE_TAGS.has(name.slice(colon + 1));
}

/** In small letters, without the zeros that browsers have skipped. */
function tagName(text: string, from: number): string {
  let end = from;
  while (end - from < NAME_LENGTH_MAX && end < text.length && !NAME_ENDS.includes(text[end] ?? "")) end++;
  return text.slice(from, end).replaceAll("\0", "").toLowerCase();
}

/** Doctypes and entities, comments that Internet Explorer reads, sections of XML. */
function activeDeclaration(text: string, at: number): string | undefined {
  const start = text.slice(at, at + DECLARATION_LENGTH_MAX);
  if (/^doctype/i.test(start)) return "doctype";
  if (/^(?:entity|element|attlist|\[cdata\[)/i.test(start)) return "declaration";
  if (/^--\s*\[if|^\[if|^--[^>]*`|^--\s*#(?:exec|include|echo|set|config)/i.test(start)) return "comment";
  return undefined;
}

const isLetter = (code: number): boolean => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);

/** An address begins with a letter, a control character or a reference to one; most texts are told apart by this. */
function beginsAddress(text: string): boolean {
  const code = text.charCodeAt(0);
  return code <= 0x20 || code === AMPERSAND || ADDRESS_LETTERS.includes(text[0] ?? " ");
}

const SLASH = 0x2f;
const EXCLAMATION = 0x21;
const QUESTION = 0x3f;
const AMPERSAND = 0x26;
/** Of javascript, vbscript, data, livescript, mocha, view-source. */
const ADDRESS_LETTERS = "jJvVdDlLmM";
const NAME_ENDS = " \t\n\f\r/>";
