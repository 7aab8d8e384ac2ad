import type { Dialect } from "./dialect.ts";
import type { SchemaDocument } from "./document.ts";
import { type Keyword, keywordOf, type Vocabulary } from "./keywords.ts";

export type SchemaObject = Readonly<Record<string, unknown>>;

/** Which keywords mean something. */
export interface Language {
  readonly dialect: Dialect;
  /** Null for all of them (2019-09 core section 8.1.2: a meta-schema may leave some out). */
  readonly vocabularies: ReadonlySet<Vocabulary> | null;
  /** Whether `format` is an assertion here. */
  readonly assertsFormat: boolean;
}

/** A schema with an identity of its own (2020-12 core section 4.3.5): a document's root, or a part with an `$id`. */
export interface Resource {
  /** Absolute, without fragment. */
  readonly uri: string;
  readonly document: SchemaDocument;
  readonly root: SchemaObject | boolean;
  readonly language: Language;
  readonly anchors: Map<string, SchemaObject>;
  /** `$recursiveAnchor` of 2019-09 is one without a name. */
  readonly dynamicAnchors: Map<string, SchemaObject>;
}

/** The keyword as this language has it; undefined for a name that means nothing in it. */
export function keywordIn(name: string, { dialect, vocabularies }: Language): Keyword | undefined {
  const keyword = keywordOf(name, dialect);
  if (keyword === undefined || vocabularies === null || keyword.vocabulary === "core") return keyword;
  return vocabularies.has(keyword.vocabulary) ? keyword : undefined;
}

/** A reference and what it starts from → an absolute URI; as it is where it cannot be one. */
export function resolveUri(reference: string, base: string): string {
  if (base.startsWith("urn:")) {
    if (reference === "" || reference.startsWith("#")) return splitUri(base).uri + reference;
  }
  return URL.parse(reference, base)?.href ?? reference;
}

/** A URI's part before the fragment, and the fragment, decoded. */
export function splitUri(uri: string): { readonly uri: string; readonly fragment: string } {
  const hash = uri.indexOf("#");
  if (hash < 0) return { uri, fragment: "" };
  const fragment = uri.slice(hash + 1);
  try {
    return { uri: uri.slice(0, hash), fragment: decodeURIComponent(fragment) };
  } catch {
    return { uri: uri.slice(0, hash), fragment };
  }
}

/** Where `discriminator` means something. */
export function isOfOpenApi({ document, language }: Resource): boolean {
  return language.dialect === "openapi-3.0" || document.holds !== undefined;
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Own members alone: what every object inherits is no keyword. */
export function member(object: SchemaObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
