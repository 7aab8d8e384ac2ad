import { createHash } from "node:crypto";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import { parseJsonInSteps } from "../json.ts";
import { memberNames } from "../json-parser.ts";

/** SHA-256 of a document's text as UTF-8, in lower-case hex. */
export function hashOfDocument(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Documents that clients may have executed: of some the text is known, of others the hash alone. */
export class AllowedOperations {
  readonly #hashes = new Set<string>();
  readonly #texts = new Map<string, string>();

  addHash(hash: string): void {
    this.#hashes.add(hash.toLowerCase());
  }

  addDocument(text: string, id: string | null): void {
    const hash = hashOfDocument(text);
    this.#hashes.add(hash);
    this.#texts.set(hash, text);
    if (id === null) return;
    this.#hashes.add(id);
    this.#texts.set(id, text);
  }

  get size(): number {
    return this.#hashes.size;
  }

  /** `id`: of the file, or a hash, which may have `sha256:` in front. */
  has(id: string): boolean {
    return this.#hashes.has(plainId(id)) || this.#hashes.has(id);
  }

  /** Null where it is not allowed, and where nothing but its hash is known. */
  textOf(id: string): string | null {
    return this.#texts.get(id) ?? this.#texts.get(plainId(id)) ?? null;
  }
}

function plainId(id: string): string {
  return id.startsWith("sha256:") ? id.slice(7) : id;
}

/**
 * The file of a policy: JSON that is a list of documents and of hashes, an object of documents by their id, or a manifest as
 * Apollo's tools write it, with `operations: [{ id, body }]`.
 */
export function* readAllowed(bytes: Buffer): Steps<Result<AllowedOperations, string>> {
  if (bytes.length > DEFAULTS.graphqlAllowedBytesMax)
    return err(`it has ${bytes.length} bytes; expected at most ${DEFAULTS.graphqlAllowedBytesMax}`);
  const parsed = yield* parseJsonInSteps(bytes);
  if (!parsed.ok) return err(`it is not JSON that can be read: ${parsed.error}`);
  const entries = entriesOf(parsed.value);
  if (entries === null) return err(EXPECTED);
  if (entries.length > DEFAULTS.graphqlAllowedMax)
    return err(`it has ${entries.length} operations; expected at most ${DEFAULTS.graphqlAllowedMax}`);
  const allowed = new AllowedOperations();
  for (const [id, text] of entries) {
    yield;
    if (typeof text !== "string") return err(EXPECTED);
    if (id === null && /^[0-9A-Fa-f]{64}$/.test(text)) allowed.addHash(text);
    else allowed.addDocument(text, id);
  }
  return allowed.size === 0 ? err("it allows nothing; expected at least one operation") : ok(allowed);
}

const EXPECTED = "expected a list of documents and SHA-256 hashes, or documents by their id";

type Entry = readonly [id: string | null, text: unknown];

function entriesOf(value: unknown): readonly Entry[] | null {
  if (Array.isArray(value)) return value.map((text: unknown) => [null, text] as const);
  if (typeof value !== "object" || value === null) return null;
  const record = value as Readonly<Record<string, unknown>>;
  const { operations } = record;
  if (!Array.isArray(operations)) return memberNames(record).map((id) => [id, record[id]] as const);
  return operations.map((one: unknown) => {
    const { id, body } = (typeof one === "object" && one !== null ? one : {}) as { id?: unknown; body?: unknown };
    return [typeof id === "string" ? id : null, body] as const;
  });
}
