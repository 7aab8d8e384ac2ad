import type { Exclusion, Rule, RuleRemoval } from "./rule.ts";

/** Rules, and targets of rules, that a rule takes off for the rest of one request. */
export class Removed {
  readonly #removals: RuleRemoval[] = [];

  get isEmpty(): boolean {
    return this.#removals.length === 0;
  }

  take(removal: RuleRemoval): void {
    this.#removals.push(removal);
  }

  hasRule({ id }: Rule): boolean {
    return this.#removals.some(({ ids, exclusion }) => exclusion === null && ids.has(id));
  }

  /** What of a rule's targets is off. */
  exclusionsOf({ id }: Rule): readonly Exclusion[] {
    return this.#removals.flatMap(({ ids, exclusion }) => (exclusion !== null && ids.has(id) ? [exclusion] : []));
  }
}
