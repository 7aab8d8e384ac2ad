import { memberNames } from "../../bodies/json-parser.ts";
import type { Pattern } from "../pattern/index.ts";
import type { Subschema } from "../subschema.ts";
import type { Compiling } from "./compiling.ts";
import { enterMember, type JsonObject } from "./object.ts";
import { ALWAYS, type Check, type Run } from "./run.ts";

interface CasedRule {
  readonly exact: Pattern;
  readonly anyCase: Pattern;
  readonly check: Check;
}

/**
 * `patternProperties` for members whose names match in another case: a decoder that takes them for the other name reads
 * them past the rule, as Go's reads `X-ADMIN` into `x-admin`. They have to fit it, too, unless they are declared as they are
 * spelled; they do not count as known by it. Of a schema and what it always applies to the same value; null where no pattern
 * says anything.
 */
export function patternCaseCheck(schema: Subschema, compiler: Compiling): Check<JsonObject> | null {
  const { rules, declared } = rulesOf(schema, compiler);
  if (rules.length === 0) return null;
  const loop = compiler.nextIndex();
  const judge = (object: JsonObject, name: string, at: number, run: Run): boolean => {
    if (declared.has(name)) return true;
    let good = true;
    for (const { exact, anyCase, check } of rules) {
      if (!run.matches(anyCase, name) || run.matches(exact, name)) continue;
      if (!enterMember(check, object[name], name, at, false, run)) good = false;
    }
    return good;
  };
  return (object, run) => {
    const { marks } = run;
    run.marks = null;
    const keys = memberNames(object);
    let good = true;
    if (run.isLong) good = run.each(loop, object, keys.length, (at) => judge(object, keys[at] ?? "", at, run));
    else {
      for (let at = 0; at < keys.length && (good || run.faults !== null); at++) {
        if (!judge(object, keys[at] ?? "", at, run)) good = false;
      }
    }
    run.marks = marks;
    return good;
  };
}

function rulesOf(
  schema: Subschema,
  compiler: Compiling,
): { readonly rules: readonly CasedRule[]; readonly declared: ReadonlySet<string> } {
  const rules: CasedRule[] = [];
  const declared = new Set<string>();
  const parts = new Set([schema]);
  for (const part of parts) {
    for (const always of [...part.refs, ...part.allOf]) parts.add(always);
    for (const name of part.object?.properties.keys() ?? []) declared.add(name);
    for (const { source, schema: value, site } of part.object?.patterns ?? []) {
      const anyCase = compiler.anyCasePatternOf(source);
      const check = compiler.child(value);
      if (anyCase !== null && check !== ALWAYS) rules.push({ exact: compiler.patternOf(source, site), anyCase, check });
    }
  }
  return { rules, declared };
}
