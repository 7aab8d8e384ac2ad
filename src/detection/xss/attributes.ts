import { isActiveAddress } from "./address.ts";
import { ACTIVE_ATTRIBUTES, EVENTS, LISTING_ATTRIBUTES } from "./tables.ts";

const NAME_LENGTH_MAX = 48;
/** How a name is put before an attribute's own in XML. */
const PREFIXED = /^(?:xmlns(?::|$)|xlink:)/;
const ACTIVE_STYLE =
  /expression\s*\(|javascript:|vbscript:|-moz-binding|behaviou?r\s*:|@import|url\s*\(|\\[0-9a-f]{2}|\/\*|&#/i;
const ADDRESS_WITHIN = /(?:javascript|vbscript|livescript):/i;
const STYLES: ReadonlySet<string> = new Set(["style", "filter"]);
const VALUE_LENGTH_MAX = 2048;

/**
 * The attributes of a text, found by their equals signs. It may stand in an attribute's value of any sort (unquoted, in single,
 * double or back quotes) or open tags itself: an attribute begins behind a space, a slash or a quote in all of them, so that one
 * look serves all contexts. `firstTag` is where the first tag opens, or Infinity.
 */
export class Attributes {
  readonly #text: string;
  readonly #firstTag: number;
  readonly #values: Values;

  constructor(text: string, firstTag: number) {
    this.#text = text;
    this.#firstTag = firstTag;
    this.#values = new Values(text);
  }

  /** What is active about the attribute with an equals sign there; undefined for none. */
  activeAt(equalsAt: number): string | undefined {
    const text = this.#text;
    const end = endOfName(text, equalsAt);
    const start = startOfName(text, end);
    if (start === end || !beginsAttribute(text, start)) return undefined;
    const name = text.slice(start, end).replaceAll("\0", "").toLowerCase();
    if (isActiveName(name, start > this.#firstTag)) return name.startsWith("on") ? "handler" : "attribute";
    const valueAt = beginOfValue(text, equalsAt + 1);
    if (isActiveAddress(text, valueAt)) return "url";
    if (!LISTING_ATTRIBUTES.has(name)) return undefined;
    return STYLES.has(name) ? this.#values.style(valueAt) : this.#values.list(valueAt);
  }
}

/** Within a tag any `on…` counts, as browsers get new events; elsewhere those that there are. */
function isActiveName(name: string, isInTag: boolean): boolean {
  if (name.startsWith("on") && name.length > 4) {
    const event = name.slice(2);
    if (EVENTS.has(event) || (isInTag && /^[a-z]+$/.test(event))) return true;
  }
  return ACTIVE_ATTRIBUTES.has(name) || (isInTag && PREFIXED.test(name));
}

/** Values that are searched: no place twice, however many attributes a text begins within another's value. */
class Values {
  readonly #text: string;
  #styleTo = 0;
  #listTo = 0;

  constructor(text: string) {
    this.#text = text;
  }

  style(at: number): string | undefined {
    if (at < this.#styleTo) return undefined;
    const value = valueFrom(this.#text, at);
    this.#styleTo = at + value.length;
    return ACTIVE_STYLE.test(value) ? "style" : undefined;
  }

  list(at: number): string | undefined {
    if (at < this.#listTo) return undefined;
    const value = valueFrom(this.#text, at);
    this.#listTo = at + value.length;
    return ADDRESS_WITHIN.test(value.replace(/\s+/g, "")) ? "url" : undefined;
  }
}

const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);
const isQuote = (code: number): boolean => code === 0x22 || code === 0x27 || code === 0x60;

function endOfName(text: string, equalsAt: number): number {
  let end = equalsAt;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
}

function startOfName(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start < NAME_LENGTH_MAX) {
    const code = text.charCodeAt(start - 1);
    if (isSpace(code) || isQuote(code) || NAME_ENDS.includes(text[start - 1] ?? "")) break;
    start--;
  }
  return start;
}

/** Behind a space, a slash, a quote, an end of a tag that is none, or at the beginning of the text. */
function beginsAttribute(text: string, start: number): boolean {
  if (start === 0) return true;
  const code = text.charCodeAt(start - 1);
  return isSpace(code) || isQuote(code) || code === SLASH;
}

function beginOfValue(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return isQuote(text.charCodeAt(at)) ? at + 1 : at;
}

/** As far as the quote that opened it, or a bounded piece. */
function valueFrom(text: string, at: number): string {
  const quote = text[at - 1] ?? "";
  const piece = text.slice(at, at + VALUE_LENGTH_MAX);
  const end = isQuote(quote.charCodeAt(0)) ? piece.indexOf(quote) : piece.search(/[\s>]/);
  return end === -1 ? piece : piece.slice(0, end);
}

const SLASH = 0x2f;
const NAME_ENDS = "/<>=,;&?(){}[]";
