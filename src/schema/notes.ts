import { nearest } from "../support/schema.ts";
import type { Dialect } from "./dialect.ts";
import type { SchemaDocument, SchemaPlace, SchemaProblem } from "./document.ts";
import { isForeign, isKeywordElsewhere, keywordsOf } from "./keywords.ts";

/** What is found while schemas are read: problems, and what stands there without being enforced. */
export class Notes {
  readonly problems: SchemaProblem[] = [];
  /** Each word once, with the first place. */
  readonly #unenforced = new Map<string, SchemaPlace | null>();

  problem(
    document: SchemaDocument,
    container: object | null,
    key: string | number,
    pointer: string,
    text: string,
  ): void {
    const place = container === null ? null : (document.site(container, key)?.place ?? null);
    this.problems.push({ place, pointer, text });
  }

  unenforced(word: string, document: SchemaDocument, container: object, key: string): void {
    this.unenforcedAt(word, document.site(container, key)?.place ?? null);
  }

  unenforcedAt(word: string, place: SchemaPlace | null): void {
    if (!this.#unenforced.has(word)) this.#unenforced.set(word, place);
  }

  /** Words in the order they were found, as `xml` or `format 'phone'`. */
  get unenforcedWords(): ReadonlyMap<string, SchemaPlace | null> {
    return this.#unenforced;
  }
}

/** Why a name that is no keyword of the dialect is a slip; null where it belongs to another world. */
export function slipText(name: string, dialect: Dialect): string | null {
  if (isForeign(name)) return null;
  if (isKeywordElsewhere(name)) return `'${name}' is no keyword of ${dialect}; ${insteadOf(name)}`;
  const near = nearest(name, keywordsOf(dialect));
  return near === undefined || name.length < 3 ? null : `unknown keyword '${name}'; did you mean '${near}'?`;
}

/** What the dialect has in place of another's keyword. */
function insteadOf(name: string): string {
  if (name === "additionalItems" || name === "prefixItems")
    return "'prefixItems' and 'items' are 2020-12's, a list in 'items' the older ones'";
  if (name === "const") return "write 'enum' with one value";
  return "say by '$schema' which dialect the file is written in";
}
