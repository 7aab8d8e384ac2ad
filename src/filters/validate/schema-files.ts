import { dirname, isAbsolute, join } from "node:path/posix";
import { readDocument, type SchemaDocument, type SchemaProblem } from "../../schema/document.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, type Result } from "../../support/result.ts";

/**
 * Where references of a schema file may lead: to other files below the policy's folder, or below the schema's own where
 * that lies elsewhere. Nothing comes from the network; a URL in an `$id` says how files lie beside each other.
 */
export class SchemaFiles {
  /** As a URL; its root is the folder out of which no reference leads. */
  readonly rootUri: string;
  readonly #folder: string;
  readonly #readFile: (name: string) => Buffer | null;
  /** Documents with a URL of their own: those beside them lie beside their files. */
  readonly #named: { readonly id: URL; readonly file: string }[] = [];

  /** `name` of the first file, relative to the policy. */
  constructor(name: string, readFile: (name: string) => Buffer | null) {
    const isOutside = isAbsolute(name) || name.split("/").includes("..");
    this.#folder = isOutside ? dirname(name) : "";
    const inner = isOutside ? name.slice(this.#folder.length) : name;
    this.rootUri = `file:///${inner
      .split("/")
      .filter((part) => part !== "" && part !== ".")
      .map(encodeURIComponent)
      .join("/")}`;
    this.#readFile = readFile;
  }

  /** Takes note of what a document calls itself. */
  know({ uri, value }: SchemaDocument): void {
    if (typeof value !== "object" || value === null) return;
    const own: unknown = "$id" in value ? value.$id : "id" in value ? value.id : undefined;
    const id = typeof own === "string" ? URL.parse(own) : null;
    const file = this.#fileUri(uri);
    if (id !== null && id.protocol !== "file:" && file !== null) this.#named.push({ id, file });
  }

  retrieve(uri: string): Result<SchemaDocument, SchemaProblem> | null {
    const file = this.#fileUri(uri);
    if (file === null) return null;
    const parts = new URL(file).pathname.slice(1).split("/").map(decodeURIComponent);
    if (parts.some((part) => part === "" || part === ".." || /[/\\\0]/.test(part))) return null;
    const name = join(this.#folder, ...parts);
    const bytes = this.#readFile(name);
    if (bytes === null) return null;
    if (bytes.length > DEFAULTS.schemaBytesMax) {
      return err({
        place: { file: name, line: 1, column: 1 },
        pointer: "",
        text: `has more than ${DEFAULTS.schemaBytesMax} bytes`,
      });
    }
    const document = readDocument(uri, name, bytes);
    if (document.ok) this.know(document.value);
    return document;
  }

  /** The file that a URL means: itself, or what lies beside a document of that origin as the one URL beside the other. */
  #fileUri(uri: string): string | null {
    if (uri.startsWith("file:///")) return uri;
    const wanted = URL.parse(uri);
    if (wanted === null) return null;
    for (const { id, file } of this.#named) {
      if (id.origin === wanted.origin && id.origin !== "null")
        return new URL(relative(id.pathname, wanted.pathname), file).href;
    }
    return null;
  }
}

/** The way from one path to another. */
function relative(from: string, to: string): string {
  const steps = from.split("/").slice(0, -1);
  const target = to.split("/");
  let shared = 0;
  while (shared < steps.length && shared < target.length - 1 && steps[shared] === target[shared]) shared++;
  return `${"../".repeat(steps.length - shared)}${target.slice(shared).join("/")}`;
}
