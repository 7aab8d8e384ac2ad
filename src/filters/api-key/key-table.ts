import { hash, timingSafeEqual } from "node:crypto";
import type { Principal } from "../../message/principal.ts";
import type { Steps } from "../../support/turns.ts";
import type { Validity } from "../caller-principal.ts";
import type { CallerLimit } from "../filter.ts";
import type { KeyUse } from "./key-uses.ts";

export interface KeyEntry extends Validity {
  readonly digest: Buffer;
  /** The key's name in the file, or the first digits of its hash. */
  readonly name: string;
  readonly principal: Principal;
  /** Null before its first use, and for keys of which no use is kept. */
  use: KeyUse | null;
}

const DIGEST_BYTES = 32;

/**
 * Keys by SHA-256. The first four bytes of the digest choose the candidates, the rest is compared in constant time.
 * The choice depends on a hash of what the client sent, so its timing tells nothing that leads towards a key.
 */
export class KeyTable {
  readonly #buckets = new Map<number, KeyEntry[]>();
  readonly #presented = Buffer.alloc(DIGEST_BYTES);
  /** The scopes of all callers. */
  readonly scopes: Set<string> = new Set();
  /** How many callers it knows. */
  readonly callers: number;
  /** Limits of the policy that callers name, and where. */
  readonly limits: readonly CallerLimit[];

  private constructor(callers: number, limits: readonly CallerLimit[]) {
    this.callers = callers;
    this.limits = limits;
  }

  static *build(callers: number, entries: Iterable<KeyEntry>, limits: readonly CallerLimit[] = []): Steps<KeyTable> {
    const table = new KeyTable(callers, limits);
    for (const entry of entries) {
      const bucket = entry.digest.readUInt32LE(0);
      const others = table.#buckets.get(bucket);
      if (others === undefined) table.#buckets.set(bucket, [entry]);
      else others.push(entry);
      for (const scope of entry.principal.scopes) table.scopes.add(scope);
      yield;
    }
    return table;
  }

  *[Symbol.iterator](): Generator<KeyEntry> {
    for (const bucket of this.#buckets.values()) yield* bucket;
  }

  *principals(): Generator<Principal> {
    for (const { principal } of this) yield principal;
  }

  find(key: string): KeyEntry | null {
    // The digest as a string and written over one buffer takes a third of the time of a new buffer each.
    this.#presented.write(hash("sha256", key, "latin1"), "latin1");
    return this.#among(this.#presented);
  }

  /** Whether there is a key with this SHA-256, in hexadecimal digits. */
  has(digest: string): boolean {
    return this.#among(Buffer.from(digest, "hex")) !== null;
  }

  #among(digest: Buffer): KeyEntry | null {
    const candidates = this.#buckets.get(digest.readUInt32LE(0));
    if (candidates === undefined) return null;
    let found: KeyEntry | null = null;
    for (const candidate of candidates) if (timingSafeEqual(candidate.digest, digest)) found = candidate;
    return found;
  }
}
