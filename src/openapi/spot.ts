import { pointerToken, type SchemaPlace, type Site } from "../schema/document.ts";
import { resolveUri, splitUri } from "../schema/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type DescriptionFiles, whereItLeads } from "./files.ts";
import type { Findings } from "./findings.ts";
import type { SourceDocument } from "./source.ts";

export type Members = Readonly<Record<string, unknown>>;

/** A value of a description, where it stands. */
export class Spot {
  readonly document: SourceDocument;
  /** JSON Pointer (RFC 6901) in its document. */
  readonly pointer: string;
  readonly value: unknown;
  readonly #container: object | null;
  readonly #key: string | number;

  constructor(
    document: SourceDocument,
    pointer: string,
    value: unknown,
    container: object | null,
    key: string | number,
  ) {
    this.document = document;
    this.pointer = pointer;
    this.value = value;
    this.#container = container;
    this.#key = key;
  }

  static root(document: SourceDocument): Spot {
    return new Spot(document, "", document.value, null, "");
  }

  get place(): SchemaPlace {
    if (this.#container === null) return { file: this.document.file, line: 1, column: 1 };
    return this.document.place(this.#container, this.#key);
  }

  get site(): Site | null {
    return this.#container === null ? null : this.document.site(this.#container, this.#key);
  }

  /** Its members; none where it is no object. */
  get members(): Members {
    return isMembers(this.value) ? this.value : NONE;
  }

  /** The member or item of this name; null where there is none. */
  at(key: string | number): Spot | null {
    const { value } = this;
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return null;
    const inner: unknown = Reflect.get(value, key);
    return new Spot(this.document, `${this.pointer}/${pointerToken(key)}`, inner, value, key);
  }

  /** Members of an object or items of a list, in their order. */
  *all(): Generator<readonly [string, Spot]> {
    const { value } = this;
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      const spot = this.at(Array.isArray(value) ? Number(key) : key);
      if (spot !== null) yield [key, spot];
    }
  }

  text(key: string): string | null {
    const { [key]: value } = this.members;
    return typeof value === "string" ? value : null;
  }

  flag(key: string): boolean {
    return this.members[key] === true;
  }
}

const NONE: Members = Object.freeze(Object.create(null));

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Follows `$ref` through all files of a description. */
export class References {
  readonly #files: DescriptionFiles;
  readonly #findings: Findings;

  constructor(files: DescriptionFiles, findings: Findings) {
    this.#files = files;
    this.#findings = findings;
  }

  /** What a spot stands for; null, with a warning that says `lost`, where its reference leads nowhere. */
  follow(spot: Spot, lost: string): Spot | null {
    let at = spot;
    for (let step = 0; step <= DEFAULTS.openapiReferencesMax; step++) {
      const reference = at.text("$ref");
      if (reference === null) return at;
      const next = this.find(reference, at.document);
      if (typeof next === "string") {
        this.#findings.warning(at.at("$ref")?.place ?? at.place, `cannot follow '${reference}': ${next}; ${lost}`);
        return null;
      }
      at = next;
    }
    this.#findings.warning(
      spot.place,
      `its references go round in a circle, or beyond ${DEFAULTS.openapiReferencesMax}; ${lost}`,
    );
    return null;
  }

  /** The spot that a reference means, or why there is none. */
  find(reference: string, from: SourceDocument): Spot | string {
    const { uri, fragment } = splitUri(resolveUri(reference, from.uri));
    const document = uri === from.uri ? from : this.#files.known(uri);
    if (document === undefined || document === null) return whereItLeads(uri);
    let spot: Spot | null = Spot.root(document);
    if (fragment === "") return spot;
    if (!fragment.startsWith("/")) return "expected a JSON Pointer behind #, as in #/components/schemas/Order";
    for (const token of fragment.slice(1).split("/")) {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      const isItem = Array.isArray(spot.value) && /^\d+$/.test(key);
      spot = spot.at(isItem ? Number(key) : key);
      if (spot === null) return `there is nothing at '${fragment}'`;
    }
    return spot;
  }
}
