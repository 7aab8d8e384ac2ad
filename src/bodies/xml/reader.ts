import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import { NO_CHARACTER } from "./names.ts";
import { INCLUDE, Namespaces } from "./namespaces.ts";
import { characterOf, Scanner, type XmlFault, XmlStop } from "./scanner.ts";

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

export interface XmlAttribute {
  readonly local: string;
  /** Of its namespace; empty for none. */
  readonly uri: string;
  readonly value: string;
}

/** Who makes something of a document hears its elements in order. Texts have their references resolved. */
export interface XmlVisitor {
  /** Declarations of namespaces are no attributes. */
  open(local: string, uri: string, attributes: readonly XmlAttribute[]): void;
  /** `isCdata`: a section of its own. Other pieces follow each other without anything between them. */
  text(piece: string, isCdata: boolean): void;
  /** A comment or a processing instruction within the outermost element. */
  aside(): void;
  close(): void;
}

/**
 * Reads a document to its end: XML 1.0 with namespaces, in UTF-8, without a document type and so without entities of its own, in
 * steps. `visitor`: who makes something of it; it may throw an XmlStop.
 */
export function* readXml(
  bytes: Buffer,
  limits: XmlLimits,
  visitor: XmlVisitor | null = null,
): Steps<Result<XmlFacts, XmlFault>> {
  if (!isUtf8(bytes)) return err({ kind: "malformed", text: "not UTF-8" });
  const reader = new Reader(bytes.toString("utf8"), limits, visitor);
  try {
    for (let at = 0; reader.checkCharacters(at); at += STRETCH_CHARS) yield;
    reader.prolog();
    while (reader.run(LOOK_EVERY_PIECES)) yield;
    return ok(reader.facts());
  } catch (fault) {
    if (fault instanceof XmlStop) return err(fault.fault);
    throw fault;
  }
}

const STRETCH_CHARS = 256 * 1024;
const LOOK_EVERY_PIECES = 256;

const DECLARATION =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(["'])1\.0\1(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(["'])([A-Za-z][-A-Za-z0-9._]*)\2)?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(["'])(?:yes|no)\4)?[ \t\r\n]*\?>/y;
const BLANKS = /[ \t\r\n]+/y;
const EQUALS = /[ \t\r\n]*=[ \t\r\n]*/y;
const TEXT = /[^<&]+/y;
const LESS = 0x3c;
const AMPERSAND = 0x26;
const NO_ATTRIBUTES: readonly XmlAttribute[] = [];

class Reader {
  readonly #scan: Scanner;
  readonly #limits: XmlLimits;
  readonly #visitor: XmlVisitor | null;
  readonly #namespaces = new Namespaces();
  /** Names of open elements, as they stand. */
  readonly #open: string[] = [];
  #elements = 0;
  #depth = 0;
  #root = "";
  #pieces = 0;

  constructor(text: string, limits: XmlLimits, visitor: XmlVisitor | null) {
    this.#scan = new Scanner(text);
    this.#limits = limits;
    this.#visitor = visitor;
  }

  facts(): XmlFacts {
    return { elements: this.#elements, depth: this.#depth, root: this.#root };
  }

  /** Of a stretch; false where there is none. */
  checkCharacters(from: number): boolean {
    const { text } = this.#scan;
    if (from >= text.length) return false;
    const at = text.slice(from, from + STRETCH_CHARS).search(NO_CHARACTER);
    if (at >= 0) this.#scan.fail("a character that XML does not have", from + at);
    return true;
  }

  prolog(): void {
    const scan: Scanner = this.#scan;
    if (scan.text.charCodeAt(0) === 0xfeff) scan.at = 1;
    if (!/<\?xml[ \t\r\n]/y.test(scan.text.slice(scan.at, scan.at + 6))) return;
    DECLARATION.lastIndex = scan.at;
    const match = DECLARATION.exec(scan.text);
    if (match === null) scan.fail("no declaration of XML 1.0");
    if (!/^utf-8$/i.test(match[3] ?? "UTF-8")) scan.fail("another encoding than UTF-8");
    scan.at = DECLARATION.lastIndex;
  }

  /** Reads on for so many pieces, attributes among them; false at the document's end. */
  run(pieces: number): boolean {
    const end = this.#pieces + pieces;
    while (this.#pieces < end) if (!this.#piece()) return false;
    return true;
  }

  #piece(): boolean {
    this.#pieces++;
    const scan: Scanner = this.#scan;
    const code = scan.text.charCodeAt(scan.at);
    if (Number.isNaN(code)) {
      if (this.#open.length > 0 || this.#elements === 0) scan.fail("an end before the end of the outermost element");
      return false;
    }
    if (code === LESS) this.#markup();
    else if (code === AMPERSAND) this.#content(() => this.#reference());
    else this.#content(() => this.#characters());
    return true;
  }

  /** What stands between elements is white space alone. */
  #content(read: () => void): void {
    if (this.#open.length > 0) read();
    else if (!this.#scan.takes(BLANKS)) this.#scan.fail("text outside of the outermost element");
  }

  #reference(): void {
    const { text, at } = this.#scan;
    const end = this.#scan.reference(at);
    this.#visitor?.text(characterOf(text.slice(at, end)), false);
    this.#scan.at = end;
  }

  #characters(): void {
    const scan: Scanner = this.#scan;
    TEXT.lastIndex = scan.at;
    TEXT.test(scan.text);
    const end = TEXT.lastIndex;
    scan.checkLength(end, this.#limits.textBytes, "textBytes");
    const raw = scan.text.slice(scan.at, end);
    const wrong = raw.indexOf("]]>");
    if (wrong >= 0) scan.fail("']]>' in text", scan.at + wrong);
    this.#visitor?.text(withLineEnds(raw), false);
    scan.at = end;
  }

  #markup(): void {
    const scan: Scanner = this.#scan;
    const next = scan.text.charCodeAt(scan.at + 1);
    if (next === 0x2f) this.#endTag();
    else if (next === 0x3f) this.#instruction();
    else if (next !== 0x21) this.#startTag();
    else if (scan.text.startsWith("<!--", scan.at)) this.#comment();
    else if (scan.text.startsWith("<![CDATA[", scan.at)) this.#cdata();
    else if (/<!doctype/iy.test(scan.text.slice(scan.at, scan.at + 9))) scan.stop("construct", "a document type");
    else scan.fail("no markup");
  }

  #comment(): void {
    const scan: Scanner = this.#scan;
    const end = scan.text.indexOf("--", scan.at + 4);
    if (end < 0 || scan.text[end + 2] !== ">") scan.fail("a comment without its end, or with '--' in it");
    scan.checkLength(end, this.#limits.textBytes, "textBytes");
    scan.at = end + 3;
    this.#aside();
  }

  #aside(): void {
    if (this.#open.length > 0) this.#visitor?.aside();
  }

  #cdata(): void {
    const scan: Scanner = this.#scan;
    const end = scan.text.indexOf("]]>", scan.at + 9);
    if (this.#open.length === 0 || end < 0) scan.fail("a CDATA section without its end, or outside of elements");
    scan.checkLength(end, this.#limits.textBytes, "textBytes");
    this.#visitor?.text(withLineEnds(scan.text.slice(scan.at + 9, end)), true);
    scan.at = end + 3;
  }

  #instruction(): void {
    const scan: Scanner = this.#scan;
    const start = scan.at;
    scan.at += 2;
    const [name, prefix] = scan.name();
    if (/^xml$/i.test(name)) scan.fail("a declaration that is not at the beginning", start);
    if (prefix !== "") scan.fail("a colon in the target of an instruction", start);
    if (!this.#limits.processingInstructions) scan.stop("construct", "a processing instruction", start);
    const end = scan.text.indexOf("?>", scan.at);
    if (end < 0 || (end > scan.at && !scan.takes(BLANKS))) scan.fail("no processing instruction", start);
    scan.checkLength(end, this.#limits.textBytes, "textBytes");
    scan.at = end + 2;
    this.#aside();
  }

  #endTag(): void {
    const scan: Scanner = this.#scan;
    const start = scan.at;
    scan.at += 2;
    const [name] = scan.name();
    scan.takes(BLANKS);
    if (scan.text.charCodeAt(scan.at) !== 0x3e || this.#open.pop() !== name)
      scan.fail("an end tag of no element", start);
    scan.at++;
    this.#namespaces.close();
    this.#visitor?.close();
  }

  #startTag(): void {
    const scan: Scanner = this.#scan;
    const start = scan.at;
    if (this.#open.length === 0 && this.#elements > 0) scan.fail("a second outermost element");
    scan.at++;
    const [name, prefix, local] = scan.name();
    if (++this.#elements > this.#limits.elements) scan.over("elements", start);
    if (this.#open.length >= this.#limits.depth) scan.over("depth", start);
    this.#namespaces.open();
    const attributes = this.#attributes(start);
    const uri = this.#namespaces.uriOf(prefix);
    if (uri === undefined || prefix === "xmlns") scan.fail("a prefix that is not declared", start);
    this.#depth = Math.max(this.#depth, this.#open.length + 1);
    if (this.#elements === 1) this.#root = name;
    const isEmpty = scan.text.charCodeAt(scan.at) === 0x2f;
    if (isEmpty) scan.at++;
    if (scan.text.charCodeAt(scan.at) !== 0x3e) scan.fail("no end of a tag");
    scan.at++;
    this.#visitor?.open(local, uri, attributes);
    if (!isEmpty) {
      this.#open.push(name);
      return;
    }
    this.#namespaces.close();
    this.#visitor?.close();
  }

  #attributes(start: number): readonly XmlAttribute[] {
    const scan: Scanner = this.#scan;
    const found: { readonly prefix: string; readonly local: string; readonly value: string }[] = [];
    const seen = new Set<string>();
    for (let hasBlank = scan.takes(BLANKS); ; hasBlank = scan.takes(BLANKS)) {
      const code = scan.text.charCodeAt(scan.at);
      if (code === 0x3e || code === 0x2f) break;
      if (!hasBlank) scan.fail("no blank before an attribute");
      if (seen.size >= this.#limits.attributes) scan.over("attributes", start);
      const [name, prefix, local] = scan.name();
      if (seen.has(name)) scan.fail("an attribute twice");
      seen.add(name);
      this.#pieces++;
      if (!scan.takes(EQUALS)) scan.fail("an attribute without a value");
      // A namespace may be spelled with references.
      const value = scan.value(this.#limits.attributeBytes);
      if (prefix === "xmlns" || name === "xmlns") this.#declare(prefix === "" ? "" : local, value, start);
      else found.push({ prefix, local, value });
    }
    if (found.length === 0) return NO_ATTRIBUTES;
    const attributes = found.map(({ prefix, local, value }) => ({ local, uri: this.#uriOf(prefix, start), value }));
    this.#checkExpanded(attributes, start);
    return attributes;
  }

  #declare(prefix: string, uri: string, start: number): void {
    const fault = this.#namespaces.declare(prefix, uri);
    if (fault === INCLUDE) this.#scan.stop("construct", "XInclude", start);
    if (fault !== null) this.#scan.fail(fault, start);
    if (this.#namespaces.declarations > this.#limits.namespaces) this.#scan.over("namespaces", start);
    if (this.#namespaces.rebindings > this.#limits.rebindings) this.#scan.over("rebindings", start);
  }

  /** Of an attribute, which without a prefix has none (Namespaces in XML 1.0 section 6.2). */
  #uriOf(prefix: string, start: number): string {
    const scan: Scanner = this.#scan;
    const uri = prefix === "" ? "" : this.#namespaces.uriOf(prefix);
    if (uri === undefined) scan.fail("a prefix that is not declared", start);
    return uri;
  }

  /** Two prefixes may stand for one namespace, so that two names are one attribute. */
  #checkExpanded(attributes: readonly XmlAttribute[], start: number): void {
    const expanded = new Set(attributes.map(({ local, uri }) => `${local} ${uri}`));
    if (expanded.size < attributes.length) this.#scan.fail("an attribute twice, by two prefixes", start);
  }
}

/** XML 1.0 section 2.11. */
function withLineEnds(raw: string): string {
  return raw.includes("\r") ? raw.replace(/\r\n?/g, "\n") : raw;
}
