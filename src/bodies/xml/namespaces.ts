export const XML_URI = "http://www.w3.org/XML/1998/namespace";
export const XMLNS_URI = "http://www.w3.org/2000/xmlns/";
/** Version 1.0, and the one that was drafted before it. */
const XINCLUDE_URIS: ReadonlySet<string> = new Set([
  "http://www.w3.org/2001/XInclude",
  "http://www.w3.org/2003/XInclude",
]);

/** Prefixes and what they stand for, element by element (Namespaces in XML 1.0). */
export class Namespaces {
  readonly #bound = new Map<string, string>([
    ["xml", XML_URI],
    ["xmlns", XMLNS_URI],
    ["", ""],
  ]);
  /** What stood there before, to be put back. */
  readonly #replaced: [prefix: string, uri: string | undefined][] = [];
  /** Of each open element, how many it has replaced. */
  readonly #marks: number[] = [];
  declarations = 0;
  /** Declarations that gave another meaning to a prefix that had one. */
  rebindings = 0;

  open(): void {
    this.#marks.push(this.#replaced.length);
  }

  close(): void {
    const mark = this.#marks.pop() ?? 0;
    while (this.#replaced.length > mark) {
      const [prefix, uri] = this.#replaced.pop() ?? [""];
      if (uri === undefined) this.#bound.delete(prefix);
      else this.#bound.set(prefix, uri);
    }
  }

  /** Null, or why it may not be; `include` where it is that of XInclude. */
  declare(prefix: string, uri: string): string | null {
    if (XINCLUDE_URIS.has(uri)) return INCLUDE;
    if (prefix === "xmlns" || uri === XMLNS_URI || (prefix === "xml") !== (uri === XML_URI))
      return "a reserved namespace";
    if (prefix !== "" && uri === "") return "a prefix that stands for nothing";
    const before = this.#bound.get(prefix);
    this.declarations++;
    if (before !== undefined && before !== "" && before !== uri) this.rebindings++;
    this.#replaced.push([prefix, before]);
    this.#bound.set(prefix, uri);
    return null;
  }

  uriOf(prefix: string): string | undefined {
    return this.#bound.get(prefix);
  }
}

export const INCLUDE = "XInclude";
