import type { Result } from "../support/result.ts";
import { DIALECT_URIS, type Dialect, dialectOf } from "./dialect.ts";
import type { SchemaDocument, SchemaProblem } from "./document.ts";
import type { Vocabulary } from "./keywords.ts";
import type { Notes } from "./notes.ts";
import { isObject, type Language, member, splitUri } from "./resource.ts";

export interface LibraryOptions {
  /** Of documents that have no `$schema`. */
  readonly dialect: Dialect;
  /** Whether `format` is an assertion where no meta-schema says so: of 2019-09 on it is one only if somebody asks. */
  readonly assertsFormat: boolean;
  /** Names that are no keywords pass, as the specifications have it, even where they look like slips. */
  readonly takesUnknownKeywords: boolean;
  /** The document at an absolute URI; null where there is none to be had, an error where it is broken. */
  retrieve(uri: string): Result<SchemaDocument, SchemaProblem> | null;
}

const VOCABULARIES: ReadonlyMap<string, readonly Vocabulary[]> = new Map<string, readonly Vocabulary[]>([
  ["core", ["core"]],
  ["applicator", ["applicator"]],
  ["unevaluated", ["unevaluated"]],
  ["validation", ["validation"]],
  ["meta-data", ["meta-data"]],
  ["format", ["format"]],
  ["format-annotation", ["format"]],
  ["format-assertion", ["format"]],
  ["content", ["content"]],
]);

/** The language of a resource. `around`: that outside of it, where it is part of a document. */
export function languageOf(
  document: SchemaDocument,
  root: unknown,
  around: Language | null,
  options: LibraryOptions,
  notes: Notes,
): Language {
  const { assertsFormat } = options;
  const usual = around ?? { dialect: options.dialect, vocabularies: null, assertsFormat };
  if (!isObject(root)) return usual;
  const uri = member(root, "$schema");
  if (typeof uri !== "string") return usual;
  const dialect = dialectOf(uri);
  if (dialect !== null) return { dialect, vocabularies: null, assertsFormat };
  const custom = customLanguage(uri, options);
  if (custom !== null) return custom;
  const meant = DIALECT_URIS.find((known) => withoutScheme(known) === withoutScheme(uri));
  const mend = meant === undefined ? `expected one of: ${DIALECT_URIS.join(", ")}` : `did you mean '${meant}'?`;
  notes.problem(document, root, "$schema", "/$schema", `the dialect '${uri}' is not known; ${mend}`);
  return usual;
}

/** The older ones are of http, the younger ones of https, and many write the other. */
function withoutScheme(uri: string): string {
  return uri.replace(/^https?:/, "").replace(/#$/, "");
}

/** A meta-schema of somebody's own, which says by `$vocabulary` what means something. */
function customLanguage(uri: string, options: LibraryOptions): Language | null {
  const found = options.retrieve(splitUri(uri).uri);
  if (found === null || !found.ok || !isObject(found.value.value)) return null;
  const base = member(found.value.value, "$schema");
  const dialect = typeof base === "string" ? dialectOf(base) : null;
  if (dialect === null) return null;
  const listed = member(found.value.value, "$vocabulary");
  if (!isObject(listed)) return { dialect, vocabularies: null, assertsFormat: options.assertsFormat };
  const vocabularies = new Set<Vocabulary>();
  let assertsFormat = options.assertsFormat;
  for (const [name, isRequired] of Object.entries(listed)) {
    const last = name.slice(name.lastIndexOf("/") + 1);
    const known = VOCABULARIES.get(last);
    if (known === undefined && isRequired === true) return null;
    for (const one of known ?? []) vocabularies.add(one);
    assertsFormat ||= last === "format-assertion";
  }
  if (dialect === "2019-09" && vocabularies.has("applicator")) vocabularies.add("unevaluated");
  return { dialect, vocabularies, assertsFormat };
}
