import { isUtf8 } from "node:buffer";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import { isCharacter, NO_CHARACTER, QUALIFIED_NAME } from "./names.ts";
import { INCLUDE, Namespaces } from "./namespaces.ts";

/** What a document may have. Bytes are those of UTF-8. */
export interface XmlLimits {
  /** Elements within each other. */
  readonly depth: number;
  readonly elements: number;
  /** Of one element, declarations of namespaces among them. */
  readonly attributes: number;
  /** Of the value of one attribute. */
  readonly attributeBytes: number;
  /** Declarations of namespaces. */
  readonly namespaces: number;
  /** Declarations that give a prefix another meaning than it has. */
  readonly rebindings: number;
  /** Of one piece of text, a CDATA section and a comment, too. */
  readonly textBytes: number;
  readonly processingInstructions: boolean;
}

/** What a document was seen to have. */
export interface XmlFacts {
  readonly elements: number;
  readonly depth: number;
  readonly root: string;
}

export interface XmlFault {
  readonly kind: "malformed" | "limit" | "construct";
  /** What is wrong and where, and nothing of the content. */
  readonly text: string;
}

/**
 * Reads a document to its end without making anything of it: XML 1.0 with namespaces, in UTF-8, without a document type
 * and so without entities of its own, in steps.
 */
export function* readXml(bytes: Buffer, limits: XmlLimits): Steps<Result<XmlFacts, XmlFault>> {
  if (!isUtf8(bytes)) return err({ kind: "malformed", text: "not UTF-8" });
  const reader = new Reader(bytes.toString("utf8"), limits);
  try {
    for (let at = 0; reader.checkCharacters(at); at += STRETCH_CHARS) yield;
    reader.prolog();
    while (reader.run(LOOK_EVERY_PIECES)) yield;
    return ok(reader.facts());
  } catch (fault) {
    if (fault instanceof Stop) return err({ kind: fault.kind, text: fault.message });
    throw fault;
  }
}

const STRETCH_CHARS = 256 * 1024;
const LOOK_EVERY_PIECES = 256;

class Stop extends Error {
  readonly kind: XmlFault["kind"];

  constructor(kind: XmlFault["kind"], text: string) {
    super(text);
    this.kind = kind;
  }
}

const DECLARATION =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(["'])1\.0\1(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(["'])([A-Za-z][-A-Za-z0-9._]*)\2)?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(["'])(?:yes|no)\4)?[ \t\r\n]*\?>/y;
const BLANKS = /[ \t\r\n]+/y;
const EQUALS = /[ \t\r\n]*=[ \t\r\n]*/y;
const TEXT = /[^<&]+/y;
const REFERENCE = /&(?:(?:amp|lt|gt|apos|quot)|#([0-9]{1,8})|#x([0-9A-Fa-f]{1,8}));/y;
const LESS = 0x3c;
const AMPERSAND = 0x26;

class Reader {
  readonly #text: string;
  readonly #limits: XmlLimits;
  readonly #namespaces = new Namespaces();
  /** Names of open elements, as they stand. */
  readonly #open: string[] = [];
  #at = 0;
  #elements = 0;
  #depth = 0;
  #root = "";
  #pieces = 0;

  constructor(text: string, limits: XmlLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  facts(): XmlFacts {
    return { elements: this.#elements, depth: this.#depth, root: this.#root };
  }

  /** Of a stretch; false where there is none. */
  checkCharacters(from: number): boolean {
    if (from >= this.#text.length) return false;
    const at = this.#text.slice(from, from + STRETCH_CHARS).search(NO_CHARACTER);
    if (at >= 0) this.#fail("a character that XML does not have", from + at);
    return true;
  }

  prolog(): void {
    if (this.#text.charCodeAt(0) === 0xfeff) this.#at = 1;
    if (!/<\?xml[ \t\r\n]/y.test(this.#text.slice(this.#at, this.#at + 6))) return;
    DECLARATION.lastIndex = this.#at;
    const match = DECLARATION.exec(this.#text);
    if (match === null) this.#fail("no declaration of XML 1.0");
    if (!/^utf-8$/i.test(match[3] ?? "UTF-8")) this.#fail("another encoding than UTF-8");
    this.#at = DECLARATION.lastIndex;
  }

  /** Reads on for so many pieces, attributes among them; false at the document's end. */
  run(pieces: number): boolean {
    const end = this.#pieces + pieces;
    while (this.#pieces < end) if (!this.#piece()) return false;
    return true;
  }

  #piece(): boolean {
    this.#pieces++;
    const code = this.#text.charCodeAt(this.#at);
    if (Number.isNaN(code)) {
      if (this.#open.length > 0 || this.#elements === 0) this.#fail("an end before the end of the outermost element");
      return false;
    }
    if (code === LESS) this.#markup();
    else if (code === AMPERSAND) this.#content(() => this.#reference(this.#at));
    else this.#content(() => this.#characters());
    return true;
  }

  /** What stands between elements is white space alone. */
  #content(read: () => number): void {
    if (this.#open.length > 0) {
      this.#at = read();
      return;
    }
    if (!this.#takes(BLANKS)) this.#fail("text outside of the outermost element");
  }

  #characters(): number {
    TEXT.lastIndex = this.#at;
    TEXT.test(this.#text);
    const end = TEXT.lastIndex;
    this.#checkLength(end, "textBytes");
    const wrong = this.#text.slice(this.#at, end).indexOf("]]>");
    if (wrong >= 0) this.#fail("']]>' in text", this.#at + wrong);
    return end;
  }

  #markup(): void {
    const text = this.#text;
    const next = text.charCodeAt(this.#at + 1);
    if (next === 0x2f) this.#endTag();
    else if (next === 0x3f) this.#instruction();
    else if (next !== 0x21) this.#startTag();
    else if (text.startsWith("<!--", this.#at)) this.#comment();
    else if (text.startsWith("<![CDATA[", this.#at)) this.#cdata();
    else if (/<!doctype/iy.test(text.slice(this.#at, this.#at + 9))) this.#stop("construct", "a document type");
    else this.#fail("no markup");
  }

  #comment(): void {
    const end = this.#text.indexOf("--", this.#at + 4);
    if (end < 0 || this.#text[end + 2] !== ">") this.#fail("a comment without its end, or with '--' in it");
    this.#checkLength(end, "textBytes");
    this.#at = end + 3;
  }

  #cdata(): void {
    const end = this.#text.indexOf("]]>", this.#at + 9);
    if (this.#open.length === 0 || end < 0) this.#fail("a CDATA section without its end, or outside of elements");
    this.#checkLength(end, "textBytes");
    this.#at = end + 3;
  }

  #instruction(): void {
    const start = this.#at;
    this.#at += 2;
    const [name, prefix] = this.#name();
    if (/^xml$/i.test(name)) this.#fail("a declaration that is not at the beginning", start);
    if (prefix !== "") this.#fail("a colon in the target of an instruction", start);
    if (!this.#limits.processingInstructions) this.#stop("construct", "a processing instruction", start);
    const end = this.#text.indexOf("?>", this.#at);
    if (end < 0 || (end > this.#at && !this.#takes(BLANKS))) this.#fail("no processing instruction", start);
    this.#checkLength(end, "textBytes");
    this.#at = end + 2;
  }

  #endTag(): void {
    const start = this.#at;
    this.#at += 2;
    const [name] = this.#name();
    this.#takes(BLANKS);
    if (this.#text.charCodeAt(this.#at) !== 0x3e || this.#open.pop() !== name)
      this.#fail("an end tag of no element", start);
    this.#at++;
    this.#namespaces.close();
  }

  #startTag(): void {
    const start = this.#at;
    if (this.#open.length === 0 && this.#elements > 0) this.#fail("a second outermost element");
    this.#at++;
    const [name, prefix] = this.#name();
    if (++this.#elements > this.#limits.elements) this.#over("elements", start);
    if (this.#open.length >= this.#limits.depth) this.#over("depth", start);
    this.#namespaces.open();
    this.#attributes(start);
    const uri = this.#namespaces.uriOf(prefix);
    if (uri === undefined || prefix === "xmlns") this.#fail("a prefix that is not declared", start);
    this.#depth = Math.max(this.#depth, this.#open.length + 1);
    if (this.#elements === 1) this.#root = name;
    if (this.#text.charCodeAt(this.#at) === 0x2f) {
      this.#at++;
      this.#namespaces.close();
    } else this.#open.push(name);
    if (this.#text.charCodeAt(this.#at) !== 0x3e) this.#fail("no end of a tag");
    this.#at++;
  }

  #attributes(start: number): void {
    const named: [prefix: string, local: string][] = [];
    const seen = new Set<string>();
    for (let hasBlank = this.#takes(BLANKS); ; hasBlank = this.#takes(BLANKS)) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x3e || code === 0x2f) break;
      if (!hasBlank) this.#fail("no blank before an attribute");
      if (seen.size >= this.#limits.attributes) this.#over("attributes", start);
      const [name, prefix, local] = this.#name();
      if (seen.has(name)) this.#fail("an attribute twice");
      seen.add(name);
      this.#pieces++;
      if (!this.#takes(EQUALS)) this.#fail("an attribute without a value");
      const value = this.#value();
      if (prefix === "xmlns" || name === "xmlns") this.#declare(prefix === "" ? "" : local, value, start);
      else if (prefix !== "") named.push([prefix, local]);
    }
    this.#checkExpanded(named, start);
  }

  #declare(prefix: string, uri: string, start: number): void {
    const fault = this.#namespaces.declare(prefix, uri);
    if (fault === INCLUDE) this.#stop("construct", "XInclude", start);
    if (fault !== null) this.#fail(fault, start);
    if (this.#namespaces.declarations > this.#limits.namespaces) this.#over("namespaces", start);
    if (this.#namespaces.rebindings > this.#limits.rebindings) this.#over("rebindings", start);
  }

  /** Two prefixes may stand for one namespace, so that two names are one attribute. */
  #checkExpanded(named: readonly (readonly [prefix: string, local: string])[], start: number): void {
    const expanded = new Set<string>();
    for (const [prefix, local] of named) {
      const uri = this.#namespaces.uriOf(prefix);
      if (uri === undefined) this.#fail("a prefix that is not declared", start);
      expanded.add(`${local} ${uri}`);
    }
    if (expanded.size < named.length) this.#fail("an attribute twice, by two prefixes", start);
  }

  /** With references resolved: a namespace may be spelled with them. */
  #value(): string {
    const quote = this.#text[this.#at] ?? "";
    const end = quote === '"' || quote === "'" ? this.#text.indexOf(quote, this.#at + 1) : -1;
    if (end < 0) this.#fail("an attribute without a value");
    this.#checkLength(end, "attributeBytes");
    const raw = this.#text.slice(this.#at + 1, end);
    if (raw.includes("<")) this.#fail("'<' in an attribute");
    let value = "";
    let from = 0;
    for (let at = raw.indexOf("&"); at >= 0; at = raw.indexOf("&", from)) {
      const next = this.#reference(this.#at + 1 + at) - this.#at - 1;
      value += normalised(raw.slice(from, at)) + characterOf(raw.slice(at, next));
      from = next;
    }
    this.#at = end + 1;
    return value + normalised(raw.slice(from));
  }

  /** Where it ends; only the five entities that XML itself has, and characters by number. */
  #reference(at: number): number {
    REFERENCE.lastIndex = at;
    const match = REFERENCE.exec(this.#text);
    if (match === null) {
      if (/&[^#;&<\s]+;/y.test(this.#text.slice(at, at + ENTITY_CHARS))) this.#stop("construct", "an entity", at);
      this.#fail("'&' that begins no reference", at);
    }
    const [, decimal, hex] = match;
    const code = decimal === undefined ? (hex === undefined ? 0x20 : Number.parseInt(hex, 16)) : Number(decimal);
    if (!isCharacter(code)) this.#fail("a reference to no character", at);
    return REFERENCE.lastIndex;
  }

  #name(): readonly [name: string, prefix: string, local: string] {
    QUALIFIED_NAME.lastIndex = this.#at;
    const match = QUALIFIED_NAME.exec(this.#text);
    if (match === null) this.#fail("no name");
    const [name, prefix = "", local = ""] = match;
    if (name.length > DEFAULTS.xmlNameCharsMax) this.#over("name", this.#at);
    this.#at = QUALIFIED_NAME.lastIndex;
    return [name, prefix, local];
  }

  #takes(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #checkLength(end: number, limit: "textBytes" | "attributeBytes"): void {
    const max = this.#limits[limit];
    // A character of the text is one to three bytes.
    if ((end - this.#at) * 3 <= max) return;
    if (end - this.#at > max || Buffer.byteLength(this.#text.slice(this.#at, end)) > max) this.#over(limit, this.#at);
  }

  #over(limit: string, at: number): never {
    this.#stop("limit", `more than '${limit}' lets it have`, at);
  }

  #fail(text: string, at: number = this.#at): never {
    this.#stop("malformed", text, at);
  }

  #stop(kind: XmlFault["kind"], text: string, at: number = this.#at): never {
    throw new Stop(kind, `${text} at character ${at + 1}`);
  }
}

/** White space of an attribute (XML 1.0 section 3.3.3); line ends are one character (section 2.11). */
function normalised(raw: string): string {
  return raw.replace(/\r\n|[\t\r\n]/g, " ");
}

const ENTITY_CHARS = 256;
const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&apos;": "'",
  "&quot;": '"',
};

function characterOf(reference: string): string {
  const known = ENTITIES[reference];
  if (known !== undefined) return known;
  const digits = reference.slice(2, -1);
  return String.fromCodePoint(digits.startsWith("x") ? Number.parseInt(digits.slice(1), 16) : Number(digits));
}
