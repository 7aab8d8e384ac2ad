import { DEFAULTS } from "../../support/defaults.ts";
import { isCharacter, QUALIFIED_NAME } from "./names.ts";

export interface XmlFault {
  /** `meaning`: well-formed, and not what its visitor takes there. */
  readonly kind: "malformed" | "limit" | "construct" | "meaning";
  /** What is wrong and where, and nothing of the content. */
  readonly text: string;
  /** Which rule it is against; `xml` if absent. */
  readonly keyword?: string;
  /** The element that it is about, as in `/Pet/tag[2]`; absent for the document. */
  readonly path?: string;
}

/** Ends the reading of a document. */
export class XmlStop extends Error {
  readonly fault: XmlFault;

  constructor(fault: XmlFault) {
    super(fault.text);
    this.fault = fault;
  }
}

export type QualifiedName = readonly [name: string, prefix: string, local: string];

const REFERENCE = /&(?:(?:amp|lt|gt|apos|quot)|#([0-9]{1,8})|#x([0-9A-Fa-f]{1,8}));/y;
const ENTITY_CHARS = 256;

/** A document's text and how far it was read. */
export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  takes(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  name(): QualifiedName {
    QUALIFIED_NAME.lastIndex = this.at;
    const match = QUALIFIED_NAME.exec(this.text);
    if (match === null) this.fail("no name");
    const [name, prefix = "", local = ""] = match;
    if (name.length > DEFAULTS.xmlNameCharsMax) this.over("name", this.at);
    this.at = QUALIFIED_NAME.lastIndex;
    return [name, prefix, local];
  }

  /** The value of an attribute, with references resolved. */
  value(bytesMax: number): string {
    const quote = this.text[this.at] ?? "";
    const end = quote === '"' || quote === "'" ? this.text.indexOf(quote, this.at + 1) : -1;
    if (end < 0) this.fail("an attribute without a value");
    this.checkLength(end, bytesMax, "attributeBytes");
    const raw = this.text.slice(this.at + 1, end);
    if (raw.includes("<")) this.fail("'<' in an attribute");
    let value = "";
    let from = 0;
    for (let at = raw.indexOf("&"); at >= 0; at = raw.indexOf("&", from)) {
      const next = this.reference(this.at + 1 + at) - this.at - 1;
      value += normalised(raw.slice(from, at)) + characterOf(raw.slice(at, next));
      from = next;
    }
    this.at = end + 1;
    return value + normalised(raw.slice(from));
  }

  /** Where it ends; only the five entities that XML itself has, and characters by number. */
  reference(at: number): number {
    REFERENCE.lastIndex = at;
    const match = REFERENCE.exec(this.text);
    if (match === null) {
      if (/&[^#;&<\s]+;/y.test(this.text.slice(at, at + ENTITY_CHARS))) this.stop("construct", "an entity", at);
      this.fail("'&' that begins no reference", at);
    }
    const [, decimal, hex] = match;
    const code = decimal === undefined ? (hex === undefined ? 0x20 : Number.parseInt(hex, 16)) : Number(decimal);
    if (!isCharacter(code)) this.fail("a reference to no character", at);
    return REFERENCE.lastIndex;
  }

  checkLength(end: number, bytesMax: number, limit: "textBytes" | "attributeBytes"): void {
    // A character of the text is one to three bytes.
    if ((end - this.at) * 3 <= bytesMax) return;
    if (end - this.at > bytesMax || Buffer.byteLength(this.text.slice(this.at, end)) > bytesMax)
      this.over(limit, this.at);
  }

  over(limit: string, at: number): never {
    this.stop("limit", `more than '${limit}' lets it have`, at);
  }

  fail(text: string, at: number = this.at): never {
    this.stop("malformed", text, at);
  }

  stop(kind: XmlFault["kind"], text: string, at: number = this.at): never {
    throw new XmlStop({ kind, text: `${text} at character ${at + 1}` });
  }
}

/** White space of an attribute (XML 1.0 section 3.3.3); line ends are one character (section 2.11). */
function normalised(raw: string): string {
  return raw.replace(/\r\n|[\t\r\n]/g, " ");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&apos;": "'",
  "&quot;": '"',
};

/** What a reference stands for that `Scanner.reference` has taken. */
export function characterOf(reference: string): string {
  const known = ENTITIES[reference];
  if (known !== undefined) return known;
  const digits = reference.slice(2, -1);
  return String.fromCodePoint(digits.startsWith("x") ? Number.parseInt(digits.slice(1), 16) : Number(digits));
}
