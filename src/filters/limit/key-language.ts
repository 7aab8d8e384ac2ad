import { Later } from "../lazy.ts";

/** What reads an expression in a key. */
export const expressions = new Later("limits.key.expression", () => import("../../limits/key-expression.ts"));

/** Loads the language of expressions where a limit's settings, as the policy has them, have one in a key. */
export async function prepareKeys(settings: unknown): Promise<void> {
  const left: unknown[] = [settings];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "expression")) await expressions.prepare();
    left.push(...Object.values(value));
  }
}
