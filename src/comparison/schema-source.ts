import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import type { ReadFile } from "../policy/named-files.ts";
import { type Settings, settingsOf } from "./settings.ts";

/** A schema, and the file in which its own references start; null where it stands in the policy. */
export interface LocatedSchema {
  readonly schema: Settings;
  readonly file: string | null;
}

/** References to follow until a schema says something itself. */
const REFERENCES_MAX = 16;

/** Finds the schemas that a policy names, to make values of them; what cannot be found is a schema that says nothing. */
export class SchemaSource {
  readonly #folder: string;
  readonly #readFile: ReadFile;
  readonly #documents = new Map<string, unknown>();

  /** `folder`: that of the policy, absolute. */
  constructor(folder: string, readFile: ReadFile) {
    this.#folder = folder;
    this.#readFile = readFile;
  }

  /** `value`: a schema, or `file#pointer` as policies name one; `file`: where it stands. */
  open(value: unknown, file: string | null = null): LocatedSchema {
    let at: unknown = value;
    let where = file;
    for (let count = 0; count < REFERENCES_MAX; count++) {
      const reference = typeof at === "string" ? at : settingsOf(at)["$ref"];
      if (typeof reference !== "string") break;
      const [name = "", pointer = ""] = reference.split("#");
      if (name !== "") where = resolve(typeof at === "string" || where === null ? this.#folder : dirname(where), name);
      at = where === null ? undefined : atPointer(this.#document(where), pointer);
    }
    return { schema: settingsOf(at), file: where };
  }

  /** Content of a file that the policy names; null where it cannot be read. */
  bytes(name: string): Buffer | null {
    const content = this.#readFile(resolve(this.#folder, name));
    return content.ok ? content.value : null;
  }

  #document(file: string): unknown {
    if (!this.#documents.has(file)) this.#documents.set(file, this.#read(file));
    return this.#documents.get(file);
  }

  #read(file: string): unknown {
    const content = this.#readFile(file);
    if (!content.ok) return undefined;
    try {
      return parse(content.value.toString("utf8"), { maxAliasCount: 0 });
    } catch {
      return undefined;
    }
  }
}

/** RFC 6901, percent-encoded as in a fragment. */
function atPointer(document: unknown, pointer: string): unknown {
  let at = document;
  for (const part of pointer.split("/").slice(1)) {
    const name = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~");
    at = Array.isArray(at) ? at[Number(name)] : settingsOf(at)[name];
  }
  return at;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
