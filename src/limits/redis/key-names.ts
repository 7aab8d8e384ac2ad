import { hash } from "node:crypto";
import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import type { Ask } from "./ask.ts";

/**
 * What keys are called in a store: the limit, and a digest of what the caller is counted by, so that no address, name or key of a
 * client stands there. A digest costs a third of all that a request costs here, so those of late are remembered: at most
 * twice `storeNamesMax`, of which the older half goes at once.
 */
export class KeyNames {
  readonly #prefix: string;
  #recent = new Map<string, string>();
  #older = new Map<string, string>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `local`: what the ask's key is remembered by here. */
  of(ask: Ask, local: string): string {
    const known = this.#recent.get(local);
    if (known !== undefined) return known;
    const name = this.#older.get(local) ?? this.#make(ask);
    if (this.#recent.size >= LIMIT_DEFAULTS.storeNamesMax) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(local, name);
    return name;
  }

  /** The caller's part stands in braces: of one caller and key, all limits lie in one slot of a cluster. */
  #make({ counter, key }: Ask): string {
    return `${this.#prefix}:{${hash("sha256", key, "base64url").slice(0, 22)}}:${counter.id}`;
  }
}

/** Of the caller as well, so that the same member is another one of another caller. */
export function memberName({ key, member }: Ask): string | null {
  return member === undefined ? null : hash("sha256", JSON.stringify([key, member]), "base64url").slice(0, 16);
}

/** What a key is remembered by here. */
export function localName({ counter, key }: Ask): string {
  const isLong = key.length > LIMIT_DEFAULTS.storeKeyCharactersMax;
  return `${counter.id}\n${isLong ? hash("sha256", key) : key}`;
}
