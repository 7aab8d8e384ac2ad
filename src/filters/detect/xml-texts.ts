import { readXml, type XmlAttribute, type XmlVisitor } from "../../bodies/xml/reader.ts";
import { byteText } from "../../detection/byte-text.ts";
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
