import { DEFAULTS } from "../../support/defaults.ts";
import type { CredentialUse } from "../filter.ts";

/** When a key was used last; mutable, and shared by every policy that has the key. */
export class KeyUse implements CredentialUse {
  readonly caller: string;
  readonly credential: string;
  lastUsedMs = 0;

  constructor(caller: string, credential: string) {
    this.caller = caller;
    this.credential = credential;
  }
}

/**
 * Uses of the keys of one authenticator, by key; they outlive the keys file that is edited. Kept for the keys that were used
 * first, so many that a metric can have a series for each; of the others nothing is told.
 */
export class KeyUses {
  readonly #uses = new Map<string, KeyUse>();

  /** Null where there are too many already. */
  of(digest: string, caller: string, credential: string): KeyUse | null {
    const known = this.#uses.get(digest);
    if (known?.caller === caller && known.credential === credential) return known;
    if (known === undefined && this.#uses.size >= DEFAULTS.credentialUsesMax) return null;
    const use = new KeyUse(caller, credential);
    use.lastUsedMs = known?.lastUsedMs ?? 0;
    this.#uses.set(digest, use);
    return use;
  }

  /** Forgets keys that are in the file no more. */
  retain(isKey: (digest: string) => boolean): void {
    for (const digest of this.#uses.keys()) if (!isKey(digest)) this.#uses.delete(digest);
  }

  all(): Iterable<CredentialUse> {
    return this.#uses.values();
  }
}
