import { type EntryPath, placesOf } from "../../../bodies/json-paths.ts";
import { JsonRewriter } from "../../../bodies/json-rewriter.ts";
import { Denial } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Steps } from "../../../support/turns.ts";
import { type Condition, compileCondition } from "../condition.ts";
import { JsonRule } from "../json-rule.ts";
import type { PartContext, ResponsePart } from "../part.ts";
import { compilePaths, describePaths, describeRules } from "../paths.ts";
import { FieldEdit } from "./evaluate.ts";
import { type FieldsRule, type FieldsSettings, fieldsSchema } from "./schema.ts";

interface CompiledRule {
  readonly kind: "allow" | "remove";
  readonly bit: number;
  readonly applies: Condition;
  readonly paths: readonly EntryPath[];
  /** For `explain`. */
  readonly told: string;
}

/** `fields`: which fields of an answer leave. Rules of the same mode are one check, and one pass over the answer. */
export const fieldsPart: ResponsePart<FieldsSettings> = {
  schema: fieldsSchema,
  *compile(settings, context) {
    const byMode = new Map<number, CompiledRule[]>();
    const isList = Array.isArray(settings);
    for (const [at, rule] of (isList ? settings : [settings]).entries()) {
      const compiled = yield* compileRule(rule, at, isList ? [at] : [], context);
      const percent = rule.mode ?? 100;
      if (compiled !== null) byMode.set(percent, [...(byMode.get(percent) ?? []), compiled]);
    }
    for (const [percent, compiled] of byMode) yield* addCheck(percent, compiled, context);
  },
};

function* compileRule(
  rule: FieldsRule,
  entry: number,
  path: readonly (string | number)[],
  context: PartContext,
): Steps<CompiledRule | null> {
  const { allow, remove } = rule;
  if ((allow === undefined) === (remove === undefined)) {
    context.problem(
      allow === undefined ? "expected 'allow' or 'remove'" : "both 'allow' and 'remove'; write two rules, in a list",
      ...path,
    );
    return null;
  }
  const kind = allow === undefined ? "remove" : "allow";
  const paths = yield* compilePaths(allow ?? remove ?? [], entry, (index) => [...path, kind, index], context);
  const applies = compileCondition(rule, path, context);
  if (paths === null || applies === null) return null;
  return { kind, bit: 1 << entry, applies, paths, told: describePaths(allow ?? remove ?? []) };
}

function* addCheck(enforcePercent: number, rules: readonly CompiledRule[], context: PartContext): Steps<void> {
  const root = yield* placesOf(rules.flatMap(({ paths }) => paths));
  const place = context.place();
  const { reading } = context;
  const bitsOf = (exchange: Exchange): { allow: number; remove: number } => {
    const bits = { allow: 0, remove: 0 };
    for (const { kind, bit, applies } of rules) if (applies(exchange)) bits[kind] |= bit;
    return bits;
  };
  context.addResponseCheck({
    name: "fields",
    place,
    enforcePercent,
    judgesBody: true,
    appliesTo: (exchange) => rules.some(({ applies }) => applies(exchange)),
    explain: (exchange) => {
      const active = rules.filter(({ applies }) => applies(exchange));
      const words = active.map(({ kind, told }) => `${kind === "allow" ? "only" : "all but"} ${told}`);
      return describeRules(words, "all fields", enforcePercent);
    },
    judgeBody: (exchange, answer) => {
      const { allow, remove } = bitsOf(exchange);
      if (allow === 0 && remove === 0) return null;
      const edit = new FieldEdit(root, allow, remove);
      const noted = (): Denial | null =>
        edit.removed === 0
          ? null
          : new Denial("response_denied", place, `${edit.removed} fields`, "an answer without them");
      return new JsonRule(answer, {
        reading,
        place,
        changes: true,
        isListOfAll: allow !== 0,
        open: ({ charset }) => new JsonRewriter(edit, charset ?? "utf8"),
        noted,
        counted: { action: "removed", count: () => edit.removed, fields: () => edit.names.shown },
      });
    },
  });
}
