import { type Attribute, attributeOf } from "../../attributes/attribute.ts";
import { shownAttribute } from "../../attributes/shown.ts";
import { CONTINUE, Denial } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { excerpt } from "../../support/excerpt.ts";
import { ok } from "../../support/result.ts";
import type { RouteContext } from "../filter.ts";
import { bindFor, noteUse } from "./bind.ts";
import { FAILED, labelOf, type Path, type Rule, UNDECIDED, Undecided } from "./evaluate.ts";

/** Only policies with a condition load what it takes. */
let language: typeof import("./language.ts") | null = null;

export async function loadLanguage(): Promise<void> {
  language ??= await import("./language.ts");
}

/** Whether a rule, as the policy has it, has a condition somewhere in it. */
export function hasCondition(settings: unknown): boolean {
  const left: unknown[] = [settings];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value) && Object.hasOwn(value, "when")) return true;
    for (const inner of Object.values(value)) left.push(inner);
  }
  return false;
}

/** A condition in CEL → rule, or null with the problem reported at its column. */
export function compileWhen(source: string, path: Path, context: RouteContext): Rule | null {
  if (language === null) throw new Error("authorizeFilter.prepare() must have been awaited before compile()");
  const { compileExpression, EvalFault, readerOf, typeOf } = language;
  const attributes = new Map<string, Attribute>();
  const compiled = compileExpression<Exchange>(source, {
    variable: (names) => {
      const name = attributeOf(names);
      const bound = name.ok ? bindFor(name.value, context) : name;
      if (!bound.ok) return bound;
      attributes.set(bound.value.text, bound.value);
      return ok({ text: bound.value.text, type: typeOf(bound.value.type), read: readerOf(bound.value) });
    },
  });
  if (!compiled.ok) {
    context.problemWithin(compiled.error.at, compiled.error.text, ...path);
    return null;
  }
  const looked = [...attributes.values()];
  const readsBody = looked.some(({ row }) => row.name === "body");
  for (const one of new Map(looked.map((name) => [name.row, name])).values()) noteUse(one, path, context);
  const { evaluate } = compiled.value;
  const place = context.place(...path);
  const wanted = excerpt(source, WANTED_MAX);
  const seenIn = (exchange: Exchange): string =>
    excerpt(looked.map((one) => shownAttribute(one, exchange)).join(", "), WANTED_MAX);
  return {
    label: labelOf(path),
    wanted,
    phase: readsBody ? "validate" : "authorize",
    parts: [],
    judge: (exchange, quiet) => {
      const answer = evaluate(exchange);
      if (answer === true) return CONTINUE;
      if (quiet === true) return answer instanceof EvalFault ? UNDECIDED : FAILED;
      if (!(answer instanceof EvalFault)) return new Denial("condition_failed", place, seenIn(exchange), wanted);
      return new Undecided(
        "condition_error",
        place,
        `${excerpt(answer.text, WANTED_MAX)}: ${seenIn(exchange)}`,
        wanted,
      );
    },
  };
}

const WANTED_MAX = 400;
