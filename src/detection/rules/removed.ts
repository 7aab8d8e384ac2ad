import type { Control, RuleChoice } from "./actions.ts";
import { choosesText } from "./choice.ts";
import { targetOf } from "./compile-rule.ts";
import type { Exclusion, Rule } from "./rule.ts";

/** Rules, and targets of rules, that a rule takes off for the rest of one request. */
export class Removed {
  readonly #rules: RuleChoice[] = [];
  readonly #targets: { readonly rules: readonly RuleChoice[]; readonly exclusion: Exclusion }[] = [];

  get isEmpty(): boolean {
    return this.#rules.length === 0 && this.#targets.length === 0;
  }

  take(control: Extract<Control, { kind: "removeRules" | "removeTarget" }>): void {
    if (control.kind === "removeRules") this.#rules.push(...control.rules);
    else {
      const target = targetOf(control.target);
      if (target.ok) this.#targets.push({ rules: control.rules, exclusion: target.value });
    }
  }

  hasRule(rule: Rule): boolean {
    return this.#rules.some((choice) => chooses(choice, rule));
  }

  /** What of a rule's targets is off. */
  exclusionsOf(rule: Rule): readonly Exclusion[] {
    if (this.#targets.length === 0) return [];
    return this.#targets.flatMap(({ rules, exclusion }) =>
      rules.some((choice) => chooses(choice, rule)) ? [exclusion] : [],
    );
  }
}

export function chooses(choice: RuleChoice, { id, tags, message }: Rule): boolean {
  if (choice.by === "id") return id >= choice.first && id <= choice.last;
  if (choice.by === "tag") return tags.some((tag) => choosesText(choice.text, tag));
  return choosesText(choice.text, message.constant ?? "");
}
