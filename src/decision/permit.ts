/**
 * Proof that every check of a route had its say. `forward` asks for one, so code that skips the decision does not
 * compile. Only proxy/pipeline.ts may call `mintPermit`; test/architecture.test.ts holds it to that.
 */
export class Permit {
  readonly #minted = true;

  /** False for anything that was not made by `mintPermit`, casts included. */
  static isGenuine(value: unknown): boolean {
    return typeof value === "object" && value !== null && #minted in value && value.#minted;
  }
}

const THE_PERMIT = new Permit();

export function mintPermit(): Permit {
  return THE_PERMIT;
}
