import { DEFAULTS } from "../../support/defaults.ts";
import type { Path } from "../path.ts";
import type { Work } from "../work.ts";

/** A rule of `authorize` as the policy has it, and where. */
export interface PlacedRule {
  readonly path: Path;
  readonly rule: Readonly<Record<string, unknown>>;
  /** Callers may get in without it: it stands below `any`. */
  readonly isOneOf: boolean;
  /** It stands below `not`. */
  readonly isDenied: boolean;
}

/** The rule at `path` and those within it, those of the policy's roles among them. */
export function* rulesWithin(work: Work, path: Path): Generator<PlacedRule> {
  const left: (PlacedRule & { depth: number })[] = [];
  const add = (at: Path, isOneOf: boolean, isDenied: boolean, depth: number): void => {
    const rule = work.reader.raw(at);
    if (typeof rule !== "object" || rule === null || Array.isArray(rule) || depth > DEFAULTS.authorizeDepthMax) return;
    left.push({ path: at, rule: rule as Readonly<Record<string, unknown>>, isOneOf, isDenied, depth });
  };
  add(path, false, false, 0);
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    yield one;
    const { rule, isOneOf, isDenied, depth } = one;
    for (const word of ["all", "any"]) {
      const inner = rule[word];
      const count = Array.isArray(inner) ? inner.length : 0;
      for (let at = 0; at < count; at++)
        add([...one.path, word, at], isOneOf || (word === "any" && count > 1), isDenied, depth + 1);
    }
    if (rule["not"] !== undefined) add([...one.path, "not"], isOneOf, !isDenied, depth + 1);
    const names = Array.isArray(rule["roles"]) ? rule["roles"] : [];
    for (const name of names) {
      if (typeof name === "string" && work.roles.get(name) !== undefined)
        add(["roles", name], isOneOf || names.length > 1, isDenied, depth + 1);
    }
  }
}
