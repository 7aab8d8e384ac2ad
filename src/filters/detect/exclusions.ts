import type { RuleChoice } from "../../detection/rules/actions.ts";
import { targetOf } from "../../detection/rules/compile-rule.ts";
import type { Exclusion } from "../../detection/rules/rule.ts";
import type { RouteExclusion } from "../../detection/rules/rule-set.ts";
import { variablesOf } from "../../detection/seclang/variables.ts";
import type { ExclusionSettings } from "./schema.ts";

/** `exclude` → what a route does without. `problem` is told of fields that no rule could name, by the entry's position. */
export function exclusionsOf(
  list: readonly ExclusionSettings[],
  problem: (text: string, ...path: (string | number)[]) => void,
): readonly RouteExclusion[] {
  return list.flatMap(({ rules = [], tags = [], fields }, at): RouteExclusion[] => {
    const choices: RuleChoice[] = [
      ...rules.map((id) => ({ by: "id" as const, first: id, last: id })),
      ...tags.map((text) => ({ by: "tag" as const, text })),
    ];
    if (fields === undefined) return [{ rules: choices, target: null }];
    return fields.flatMap((field, which) => {
      const target = targetNamed(field);
      if (target === null) {
        const expected =
          "expected a collection, or one of its names, as in ARGS:json.comment or REQUEST_COOKIES:session";
        problem(`'${field}' is nothing that rules look at; ${expected}`, at, "fields", which);
        return [];
      }
      return [{ rules: choices, target }];
    });
  });
}

/** Null for what is no single place of values. */
function targetNamed(field: string): Exclusion | null {
  const variables = variablesOf(field);
  const [variable, ...more] = variables.ok ? variables.value : [];
  if (variable === undefined || more.length > 0 || variable.use !== "value") return null;
  const target = targetOf(variable, true);
  if (!target.ok || target.value.collection < 0) return null;
  const { name, collection, isNamed } = target.value;
  return { name, collection, isNamed };
}
