import { DEFAULTS } from "../../support/defaults.ts";
import type { RevokedKind } from "./schema.ts";

/** One line of the file: what it is limited to, and where it stands. */
export interface RevokedEntry {
  /** Unix milliseconds; Infinity for no end. */
  readonly untilMs: number;
  /** What was issued since is good; Infinity where nothing is. */
  readonly issuedBeforeMs: number;
  /** `iss` of a token, or a certificate's issuer in its canonical spelling; null for any. */
  readonly issuer: string | null;
  readonly authenticator: string | null;
  /** Number in its list, from 0. */
  readonly at: number;
  readonly line: number;
  readonly column: number;
}

/** An authenticator that entries are limited to, and the first that is; without one the list as a whole. */
export interface RevokedUse {
  readonly kind: RevokedKind;
  readonly authenticator: string | null;
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

/** A power of two. */
const SHARDS = 256;
const HASHED_CHARS = 8;

/** Entries by value, in many small tables: one of a hundred thousand is made anew in one go when it grows. */
export class RevokedList {
  readonly #shards: Map<string, readonly RevokedEntry[]>[] = Array.from({ length: SHARDS }, () => new Map());

  get(value: string): readonly RevokedEntry[] | undefined {
    return this.#shardOf(value).get(value);
  }

  set(value: string, entries: readonly RevokedEntry[]): void {
    this.#shardOf(value).set(value, entries);
  }

  #shardOf(value: string): Map<string, readonly RevokedEntry[]> {
    let hash = value.length;
    for (let at = Math.max(0, value.length - HASHED_CHARS); at < value.length; at++)
      hash = (Math.imul(hash, 31) + value.charCodeAt(at)) | 0;
    return this.#shards[hash & (SHARDS - 1)] as Map<string, readonly RevokedEntry[]>;
  }
}

/** What is revoked, by kind and then by value: the entries of one value are few. */
export class RevokedTable {
  readonly #lists = new Map<RevokedKind, RevokedList>();
  readonly uses: RevokedUse[] = [];

  /** Null where the file has no such list: then nothing has to be looked up. */
  list(kind: RevokedKind): RevokedList | null {
    return this.#lists.get(kind) ?? null;
  }

  /** False where the value has as many entries already as may be looked through for a request. */
  add(kind: RevokedKind, value: string, entry: RevokedEntry): boolean {
    let list = this.#lists.get(kind);
    if (list === undefined) {
      list = new RevokedList();
      this.#lists.set(kind, list);
    }
    const known = list.get(value) ?? NONE;
    // What is revoked whatever else is true needs no second entry.
    if (known.some(isUnlimited)) return true;
    if (isUnlimited(entry)) list.set(value, [entry]);
    else if (known.length >= DEFAULTS.revokedAlikeMax) return false;
    else list.set(value, [...known, entry]);
    return true;
  }
}

const NONE: readonly RevokedEntry[] = [];

function isUnlimited({ untilMs, issuedBeforeMs, issuer, authenticator }: RevokedEntry): boolean {
  return issuer === null && authenticator === null && untilMs === Infinity && issuedBeforeMs === Infinity;
}
