import { DEFAULTS } from "../support/defaults.ts";

/** What changes a body on its way to the service, by the word of the policy that asks for it. */
export const BODY_EDITS = ["trim", "normalize", "undeclared", "readOnly", "defaults", "rewrite"] as const;
export type BodyEdit = (typeof BODY_EDITS)[number];

/** What of a body is changed: how often, and where first. Nothing of its values. */
export class BodyEdits {
  readonly #counts = new Map<BodyEdit, number>();
  readonly #shown: string[] = [];

  /** `pointer` is asked for while there is room for it. */
  add(edit: BodyEdit, pointer: () => string): void {
    this.#counts.set(edit, (this.#counts.get(edit) ?? 0) + 1);
    if (this.#shown.length < DEFAULTS.schemaFaultsMax) this.#shown.push(`${pointer() || "/"} ${edit}`);
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** By word, as `undeclared`. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** The first of them, as `/role undeclared`. */
  get shown(): readonly string[] {
    return this.#shown;
  }

  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }
}
