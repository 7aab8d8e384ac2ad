import { join } from "node:path/posix";
import type { Dialect } from "../schema/dialect.ts";
import type { SchemaDocument, SchemaProblem } from "../schema/document.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ObjectMap } from "../support/object-map.ts";
import { ok, type Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import type { Findings } from "./findings.ts";
import { readSource, type SourceDocument } from "./source.ts";

/** Everything lies below this: a reference with more `..` than there are folders leaves it, and is seen to. */
const BASE = "file:///description/";

/** Content of a file by its name relative to the policy; null where it cannot be read. */
export type ReadNamed = (name: string) => Buffer | null;

/** The files of one description: its own and those that its references lead to, below one folder. Nothing is fetched. */
export class DescriptionFiles {
  readonly #folder: string;
  readonly #read: ReadNamed;
  readonly #findings: Findings;
  readonly #known = new Map<string, SourceDocument | null>();
  /** What files say of themselves (`$self` of 3.2) → the URI that they were read by. */
  readonly #selves = new Map<string, string>();
  #bytesLeft: number = DEFAULTS.openapiBytesMax;
  /** Names relative to the policy, in the order in which they were read. */
  readonly names: string[] = [];

  /** `folder`: relative to the policy; no reference leads out of it. */
  constructor(folder: string, read: ReadNamed, findings: Findings) {
    this.#folder = folder;
    this.#read = read;
    this.#findings = findings;
  }

  /** The URI of a file in the folder. */
  uriOf(inner: string): string {
    const parts = inner.split("/").filter((part) => part !== "" && part !== ".");
    return BASE + parts.map(encodeURIComponent).join("/");
  }

  /** A file that was read already; undefined for one that was not asked for, null where there is none to be had. */
  known(uri: string): SourceDocument | null | undefined {
    return this.#known.get(this.#selves.get(uri) ?? uri);
  }

  /** The document with this name relative to the policy; null where it is none of these. */
  named(name: string): SourceDocument | null {
    for (const document of this.#known.values()) if (document?.file === name) return document;
    return null;
  }

  /** Takes the document as an Overlay left it, and tells all files what their schemas are written in. */
  settle(document: SourceDocument, holds: Dialect): SourceDocument {
    this.#known.set(document.uri, document);
    for (const [uri, known] of this.#known) if (known !== null) this.#known.set(uri, { ...known, holds });
    return this.#known.get(document.uri) ?? document;
  }

  /** Reads a file and then all that its references name. */
  *open(uri: string): Steps<SourceDocument | null> {
    yield* this.#openAll([uri]);
    return this.#known.get(uri) ?? null;
  }

  /** Reads what the references of a document name that was changed. */
  *complete(document: SourceDocument): Steps<void> {
    yield* this.#openAll([...(yield* filesNamedIn(document))]);
  }

  *#openAll(pending: string[]): Steps<void> {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (this.#known.has(next)) continue;
      const document = yield* this.#readOne(next);
      this.#known.set(next, document);
      if (document !== null) pending.push(...(yield* filesNamedIn(document)));
    }
  }

  *#readOne(uri: string): Steps<SourceDocument | null> {
    const name = this.#nameOf(uri);
    if (name === null || this.names.length >= DEFAULTS.openapiFilesMax) return null;
    const bytes = this.#read(name);
    if (bytes === null) return null;
    this.names.push(name);
    this.#bytesLeft -= bytes.length;
    if (this.#bytesLeft < 0) {
      const text = `the files of this description have more than ${DEFAULTS.openapiBytesMax} bytes together`;
      this.#findings.problem({ file: name, line: 1, column: 1 }, text);
      return null;
    }
    const document = yield* readSource(uri, name, bytes, this.#findings);
    const self = selfOf(document?.value);
    if (self !== null && !this.#selves.has(self)) this.#selves.set(self, uri);
    return document;
  }

  /** Null for what is not below the folder. */
  #nameOf(uri: string): string | null {
    if (!uri.startsWith(BASE)) return null;
    let parts: string[];
    try {
      parts = uri.slice(BASE.length).split("/").map(decodeURIComponent);
    } catch {
      return null;
    }
    if (parts.some((part) => part === "" || part === "." || part === ".." || /[/\\\0]/.test(part))) return null;
    return join(this.#folder, ...parts);
  }

  /** For the schema engine; all files have been opened by then. */
  retrieve(uri: string): Result<SchemaDocument, SchemaProblem> | null {
    const document = this.known(uri) ?? null;
    return document === null ? null : ok(document);
  }
}

/** Its own URI, where that is whole: a reference by it is to the file that says so, and nothing is fetched. */
function selfOf(value: unknown): string | null {
  const self: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "$self") : null;
  return typeof self === "string" ? (URL.parse(self)?.href.split("#", 1)[0] ?? null) : null;
}

/** Why a reference leads nowhere, for the user. */
export function whereItLeads(uri: string): string {
  if (/^https?:/i.test(uri)) return "it is on the network, and nothing is fetched; expected a file beside this one";
  if (!uri.startsWith(BASE)) return "it leads out of the folder; expected a file below it, or 'root' further up";
  return `there is no file '${uri.slice(BASE.length)}' that can be read`;
}

/** Values gone through between two yields. */
const STEP_VALUES = 512;

/** URIs of other files in the references of a document. */
function* filesNamedIn({ value, uri }: SourceDocument): Steps<readonly string[]> {
  const found = new Set<string>();
  const seen = new ObjectMap<true>();
  const pending: unknown[] = [value];
  let count = 0;
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== "object" || next === null || seen.get(next)) continue;
    seen.add(next, true);
    if (++count % STEP_VALUES === 0) yield;
    if (Array.isArray(next)) {
      for (const inner of next) if (typeof inner === "object" && inner !== null) pending.push(inner);
      continue;
    }
    const members = next as Readonly<Record<string, unknown>>;
    for (const key in members) {
      const inner = members[key];
      if (typeof inner === "object" && inner !== null) pending.push(inner);
      else if (key === "$ref" && typeof inner === "string" && !inner.startsWith("#")) {
        const target = URL.parse(inner, uri)?.href.split("#", 1)[0];
        if (target !== undefined && target !== uri) found.add(target);
      }
    }
  }
  return [...found];
}
