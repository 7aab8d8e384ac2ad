import { readXml, type XmlAttribute, type XmlVisitor } from "../../bodies/xml/reader.ts";
import { byteText } from "../../detection/byte-text.ts";
import type { NamedText } from "../../detection/facts.ts";
import { madeInSteps } from "../../detection/transform/bytes.ts";
import { htmlEntityDecode } from "../../detection/transform/decode.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";

export interface XmlTexts {
  readonly texts: readonly string[];
  readonly attributes: readonly string[];
}

/** Bounds of documents where `validate.xml` says none. */
const LIMITS = {
  depth: DEFAULTS.xmlDepth,
  elements: DEFAULTS.xmlElements,
  attributes: DEFAULTS.xmlAttributes,
  attributeBytes: DEFAULTS.xmlAttributeBytesMax,
  namespaces: DEFAULTS.xmlNamespaces,
  rebindings: DEFAULTS.xmlRebindings,
  textBytes: DEFAULTS.xmlTextBytes,
  processingInstructions: false,
};

/** Texts and values of attributes of a document, as byte texts. */
export function* xmlTexts(bytes: Buffer): Steps<Result<XmlTexts, string>> {
  const collector = new Collector();
  const read = yield* readXml(bytes, LIMITS, collector);
  if (!read.ok) return err(read.error.text);
  return ok({ texts: collector.texts, attributes: collector.attributes });
}

const BEGINS_AS_XML = /^(?:\xef\xbb\xbf)?[\s\0]*</;
/** Marks looked at between two turns of others. */
const MARKS_AT_ONCE = 1_024;
/** What has no character in the text that it stands for: its beginning, where it ends, and whether what is between is text. */
const MARKS = [
  { begin: "<!--", end: "-->", isText: false },
  { begin: "<![CDATA[", end: "]]>", isText: true },
  { begin: "<?", end: "?>", isText: false },
] as const;

/**
 * A text under another label that begins as XML, without comments, sections and references: services read XML whatever its label
 * says. It is parsed by nobody, for they take what our reader refuses.
 */
export function* unmarkedXmlInSteps(text: string, name: string): Steps<readonly NamedText[]> {
  if (!BEGINS_AS_XML.test(text)) return [];
  const pieces: string[] = [];
  let from = 0;
  let count = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at + 1)) {
    if (++count % MARKS_AT_ONCE === 0) yield;
    const mark = MARKS.find(({ begin }) => text.startsWith(begin, at));
    if (mark === undefined) continue;
    const { begin, end, isText } = mark;
    const close = text.indexOf(end, at + begin.length);
    // Nothing ends it: the rest is there as it stands.
    if (close < 0) break;
    pieces.push(text.slice(from, at), isText ? text.slice(at + begin.length, close) : "");
    from = close + end.length;
    at = from - 1;
  }
  const plain = [...pieces, text.slice(from)].join("").replaceAll("&apos;", "&#39;");
  if (plain === text && !text.includes("&")) return [];
  return [{ name, value: yield* madeInSteps(htmlEntityDecode, plain), shape: -1 }];
}

class Collector implements XmlVisitor {
  readonly texts: string[] = [];
  readonly attributes: string[] = [];
  #piece = "";

  open(_local: string, _uri: string, attributes: readonly XmlAttribute[]): void {
    this.#end();
    for (const { value } of attributes) this.attributes.push(byteText(value));
  }

  text(piece: string): void {
    this.#piece += piece;
  }

  aside(): void {}

  close(): void {
    this.#end();
  }

  #end(): void {
    const text = this.#piece.trim();
    this.#piece = "";
    if (text !== "") this.texts.push(byteText(text));
  }
}
