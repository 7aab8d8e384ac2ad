import type { AuthenticatorKind, LimitKind } from "./filter.ts";

/** A part of the product that is loaded with the first policy that uses it. */
export class Later<T> {
  readonly #name: string;
  readonly #load: () => Promise<T>;
  #loaded: T | null = null;

  constructor(name: string, load: () => Promise<T>) {
    this.#name = name;
    this.#load = load;
  }

  readonly prepare = async (): Promise<void> => {
    this.#loaded ??= await this.#load();
  };

  get(): T {
    if (this.#loaded === null) throw new Error(`prepare() of '${this.#name}' must have been awaited before compile()`);
    return this.#loaded;
  }
}

/** A kind of authenticator that other policies need not load: each schema alone takes kilobytes. */
export function lazyKind<Settings>(
  type: AuthenticatorKind<Settings>["type"],
  load: () => Promise<AuthenticatorKind<Settings>>,
): AuthenticatorKind<Settings> {
  const later = new Later(type, load);
  return {
    type,
    get schema() {
      return later.get().schema;
    },
    prepare: later.prepare,
    compile: (...settings) => later.get().compile(...settings),
  };
}

/** The same for a kind of limit. */
export function lazyLimit<Settings>(word: string, load: () => Promise<LimitKind<Settings>>): LimitKind<Settings> {
  const later = new Later(word, load);
  return {
    word,
    get schema() {
      return later.get().schema;
    },
    prepare: later.prepare,
    compile: (...settings) => later.get().compile(...settings),
  };
}
