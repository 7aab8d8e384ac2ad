import type { AuthenticatorKind, Filter, LimitKind } from "./filter.ts";

/** A part of the product that is loaded with the first policy that uses it. */
export class Later<T> {
  readonly #name: string;
  readonly #load: () => Promise<T>;
  #loaded: T | null = null;

  constructor(name: string, load: () => Promise<T>) {
    this.#name = name;
    this.#load = load;
  }

  /** Undefined where it is loaded already: nothing is waited for. */
  readonly prepare = (): Promise<void> | undefined => {
    if (this.#loaded !== null) return undefined;
    return this.#load().then((loaded) => {
      this.#loaded = loaded;
    });
  };

  get isLoaded(): boolean {
    return this.#loaded !== null;
  }

  get(): T {
    if (this.#loaded === null) throw new Error(`prepare() of '${this.#name}' must have been awaited before compile()`);
    return this.#loaded;
  }
}

/** A filter that other policies need not load. `about` is what has to be known of it before. */
export function lazyFilter<Settings>(
  about: Pick<Filter<Settings>, "name" | "defaults" | "insteadOf" | "section">,
  load: () => Promise<Filter<Settings>>,
): Filter<Settings> {
  const later = new Later(about.name, load);
  const prepareMore = (settings: unknown) => later.get().prepare?.(settings);
  return {
    ...about,
    get schema() {
      return later.get().schema;
    },
    get parts() {
      return later.isLoaded ? (later.get().parts ?? {}) : {};
    },
    prepare: (settings) => later.prepare()?.then(() => prepareMore(settings)) ?? prepareMore(settings),
    compile: (...settings) => later.get().compile(...settings),
  };
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
