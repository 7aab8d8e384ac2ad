import { actionsOf } from "../seclang/actions.ts";
import type { Place, RuleProblem } from "../seclang/directive.ts";
import { type RuleActions, ruleActions } from "./actions.ts";
import type { DraftRule } from "./draft.ts";

/** What `SecDefaultAction` says for the rules behind it, by phase. */
export class Defaults {
  readonly #byPhase = new Map<number, RuleActions>();

  take(words: readonly string[], place: Place, problems: RuleProblem[]): void {
    const [text = "", more] = words;
    const actions = actionsOf(text);
    if (more !== undefined || !actions.ok) {
      problems.push({ ...place, message: "SecDefaultAction takes its actions as one text; put it in quotes" });
      return;
    }
    const rule = ruleActions(actions.value, place, problems);
    if (rule.phase === null) problems.push({ ...place, message: "it says no phase" });
    else this.#byPhase.set(rule.phase, rule);
  }

  /** Fills in what the rule does not say itself; `block` is what the default does. */
  layUnder([head, ...rest]: DraftRule["links"], phase: number): void {
    const defaults = this.#byPhase.get(phase);
    const disruptive = defaults?.disruptive ?? "pass";
    const own = head.actions.disruptive;
    head.actions.disruptive = own === null || own === "block" ? disruptive : own;
    head.actions.logged ??= defaults?.logged ?? true;
    for (const { actions } of [head, ...rest]) actions.transforms ??= [...(defaults?.transforms ?? [])];
  }
}
