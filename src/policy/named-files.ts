import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { digestOf } from "./digests.ts";
import type { Path } from "./path.ts";
import { holdsPrivateJwk } from "./private-jwk.ts";

/** What is said of a file that is not there. */
export const DOES_NOT_EXIST = "does not exist";

/**
 * Reads a file by its absolute name; the error says of the file why not (`DOES_NOT_EXIST`). Of a name that ends with `/`, a
 * folder's: the names of the files in it, sorted, a line each. `isPolicy`: it is a part of the policy's own text, of which
 * half is no policy.
 */
export type ReadFile = (absolute: string, isPolicy?: boolean) => Result<Buffer, string>;

/**
 * The policy's file and those that it names, each read once a compilation, so that all of it sees the same bytes.
 * A name may lead anywhere, as to /etc/ssl: who writes the policy decides what this process does in any case. But no
 * content of such a file may get into a problem's text, where a wrong name would publish it.
 */
export class NamedFiles {
  /** Of the policy. */
  readonly absolute: string;
  readonly #read: ReadFile;
  readonly #contents = new Map<string, Result<Buffer, string>>();
  readonly #secrets = new Set<string>();
  readonly #hashed = new Map<string, Buffer>();
  readonly #origins = new Map<string, Path | Place>();
  /** Digests of what is in `#hashed`; null where that has grown since. */
  #known: readonly (readonly [string, string])[] | null = null;

  /** `policy` as the user wrote it, relative to `cwd`. */
  constructor(policy: string, cwd: string, read: ReadFile) {
    this.absolute = resolve(cwd, policy);
    this.#read = read;
  }

  readPolicy(): Result<Buffer, string> {
    return bounded(this.#readOnce(this.absolute, "", [], true), DEFAULTS.policyBytesMax);
  }

  /** `name` is relative to the policy's folder; `path`: where in the policy it stands. */
  read(name: string, path: Path | Place, bytesMax: number = DEFAULTS.policyBytesMax): Result<Buffer, string> {
    if (name === "" || name.includes("\0")) return err("is no name of a file");
    return bounded(this.#readOnce(this.absoluteName(name), name, path), bytesMax);
  }

  /** The same of a file with a part of the policy's text. */
  readIncluded(name: string, path: Path): Result<Buffer, string> {
    return bounded(this.#readOnce(this.absoluteName(name), name, path, true), DEFAULTS.policyBytesMax);
  }

  /** Names of the files in a folder, as the policy would name each; the folder is watched as files are. */
  readFolder(name: string, path: Path): Result<readonly string[], string> {
    if (name === "" || name.includes("\0")) return err("is no name of a folder");
    const folder = name.endsWith("/") ? name : `${name}/`;
    const list = this.#readOnce(`${this.absoluteName(folder)}/`, folder, path);
    if (!list.ok) return list;
    const names = list.value.toString("utf8").split("\n");
    return ok(names.filter((one) => one !== "").map((one) => folder + one));
  }

  absoluteName(name: string): string {
    return resolve(dirname(this.absolute), name);
  }

  /** Absolute names, the policy first, also of files that could not be read: they may come yet. */
  names(): readonly string[] {
    return [...this.#contents.keys()];
  }

  /** SHA-256 over all contents under the names that the policy gives them, 16 hex digits; folders do not matter. */
  hash(): string {
    const hash = createHash("sha256");
    for (const [name, digest] of this.#digests()) hash.update(`${name}\0${digest}\0`);
    return hash.digest("hex").slice(0, 16);
  }

  /** SHA-256 of each file but the policy, hexadecimal, under the names that the policy gives them. */
  digests(): ReadonlyMap<string, string> {
    return new Map(this.#digests().filter(([name]) => name !== "" && !name.startsWith("\n")));
  }

  #digests(): readonly (readonly [string, string])[] {
    this.#known ??= [...this.#hashed]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, content]) => [name, digestOf(content)] as const);
    return this.#known;
  }

  /** What the policy was compiled from besides files, under a name of its own: it counts for the hash. */
  include(name: string, content: string): void {
    this.#hashed.set(`\n${name}`, Buffer.from(content));
    this.#known = null;
  }

  /** The same names with where in the policy each stands first; nowhere for the policy itself. */
  origins(): ReadonlyMap<string, Path | Place> {
    return this.#origins;
  }

  /** Of a file that was read: whether a private key is in it, in PEM or as a JWK, whatever the policy takes it for. */
  holdsPrivateKey(absolute: string): boolean {
    const content = this.#contents.get(absolute);
    return content?.ok === true && (content.value.includes("PRIVATE KEY-----") || holdsPrivateJwk(content.value));
  }

  /** What it is read for is a secret, or may be one. */
  markSecret(name: string): void {
    this.#secrets.add(this.absoluteName(name));
  }

  /** Files that hold secrets or private keys, whatever the policy takes them for. */
  secrets(): ReadonlySet<string> {
    const keys = this.names().filter((name) => this.holdsPrivateKey(name));
    return new Set([...this.#secrets, ...keys]);
  }

  /** Files that have a text in them: absolute name, content. */
  *containing(text: string): Generator<readonly [string, Buffer]> {
    for (const [absolute, content] of this.#contents) {
      if (content.ok && content.value.includes(text)) yield [absolute, content.value];
    }
  }

  forget(): void {
    this.#contents.clear();
    this.#origins.clear();
    this.#hashed.clear();
    this.#known = null;
  }

  #readOnce(absolute: string, name: string, path: Path | Place, isPolicy = false): Result<Buffer, string> {
    const known = this.#contents.get(absolute);
    const content = known ?? this.#read(absolute, isPolicy);
    if (known === undefined) {
      this.#contents.set(absolute, content);
      this.#origins.set(absolute, path);
    }
    if (content.ok && this.#hashed.get(name) !== content.value) {
      this.#hashed.set(name, content.value);
      this.#known = null;
    }
    return content;
  }
}

function bounded(content: Result<Buffer, string>, bytesMax: number): Result<Buffer, string> {
  if (!content.ok || content.value.length <= bytesMax) return content;
  return err(`is larger than ${bytesMax} bytes`);
}
