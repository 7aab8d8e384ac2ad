import type { Reason } from "../../decision/reason.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { VerificationKey } from "./verification-key.ts";

export interface KeyFault {
  readonly reason: Reason;
  readonly seen: string;
}

/** The keys of one authenticator, by the `kid` that tokens name. Immutable. */
export class KeyRing {
  readonly #all: readonly VerificationKey[];
  readonly #byKid = new Map<string, VerificationKey[]>();
  /** Keys without an id, as those in PEM: they are tried whatever id a token names. */
  readonly #anonymous: readonly VerificationKey[];
  readonly #members: ReadonlySet<VerificationKey>;

  constructor(keys: readonly VerificationKey[]) {
    this.#all = keys;
    this.#members = new Set(keys);
    this.#anonymous = keys.filter(({ kid }) => kid === null);
    for (const key of keys) {
      if (key.kid !== null) this.#byKid.set(key.kid, [...(this.#byKid.get(key.kid) ?? []), key]);
    }
  }

  get keys(): readonly VerificationKey[] {
    return this.#all;
  }

  get size(): number {
    return this.#all.length;
  }

  /** Whether it is this very key: of a key that stays, `renewed` keeps the object. */
  has(key: VerificationKey): boolean {
    return this.#members.has(key);
  }

  /** This ring itself where `keys` are its keys; else one of them, in which keys that stay are the same objects. */
  renewed(keys: readonly VerificationKey[]): KeyRing {
    const known = new Map(this.#all.map((key) => [key.fingerprint, key]));
    const merged = keys.map((key) => known.get(key.fingerprint) ?? key);
    const isSame = merged.length === this.#all.length && merged.every((key) => this.#members.has(key));
    return isSame ? this : new KeyRing(merged);
  }

  /** The keys to try for a token, at least one and at most `tokenKeyTriesMax`. */
  candidates(kid: string | null, algorithm: string): Result<readonly VerificationKey[], KeyFault> {
    const named = kid === null ? undefined : this.#byKid.get(kid);
    const pool = named ?? (kid === null ? this.#all : this.#anonymous);
    const fitting = pool.filter((key) => key.algorithms.has(algorithm));
    if (fitting.length > DEFAULTS.tokenKeyTriesMax) {
      return err({ reason: "token_key_unknown", seen: `no kid; ${fitting.length} keys could be meant` });
    }
    if (fitting.length > 0) return ok(fitting);
    const seen = `alg ${algorithm}, ${kid === null ? "no kid" : `kid ${JSON.stringify(kid.slice(0, 64))}`}`;
    // A known key that is not for this algorithm: the token, not the key set, is wrong.
    return err({ reason: named === undefined ? "token_key_unknown" : "token_algorithm_forbidden", seen });
  }
}
