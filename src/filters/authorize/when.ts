import { type Attribute, attributeOf } from "../../attributes/attribute.ts";
import { shownAttribute } from "../../attributes/shown.ts";
import { CONTINUE, Denial } from "../../decision/verdict.ts";
import type { Environment } from "../../expression/index.ts";
import type { Exchange } from "../../message/exchange.ts";
import { excerpt } from "../../support/excerpt.ts";
import { ok } from "../../support/result.ts";
import type { RouteContext } from "../filter.ts";
import { Later } from "../lazy.ts";
import { bindFor, noteUse } from "./bind.ts";
import { FAILED, labelOf, type Path, type Rule, UNDECIDED, Undecided } from "./evaluate.ts";
import { tiesObject } from "./match.ts";

/** Only policies with a condition load what it takes. */
export const language = new Later("authorize.when", () => import("./language.ts"));

/** A condition in CEL → rule, or null with the problem reported at its column. */
export function compileWhen(source: string, path: Path, context: RouteContext): Rule | null {
  const { comparedNames, compileExpression, EvalFault, readerOf, typeOf } = language.get();
  const attributes = new Map<string, Attribute>();
  const environment: Environment<Exchange> = {
    variable: (names) => {
      const name = attributeOf(names);
      const bound = name.ok ? bindFor(name.value, context) : name;
      if (!bound.ok) return bound;
      attributes.set(bound.value.text, bound.value);
      return ok({ text: bound.value.text, type: typeOf(bound.value.type), read: readerOf(bound.value) });
    },
  };
  const compiled = compileExpression<Exchange>(source, environment, context.ownText(source));
  if (!compiled.ok) {
    context.problemWithin(compiled.error.at, compiled.error.text, ...path);
    return null;
  }
  const looked = [...attributes.values()];
  const readsBody = looked.some(({ row }) => row.name === "body");
  for (const one of new Map(looked.map((name) => [name.row, name])).values()) noteUse(one, path, context);
  const { evaluate } = compiled.value;
  const place = context.place(...path);
  const wanted = excerpt(context.shown(source), WANTED_MAX);
  const seenIn = (exchange: Exchange): string =>
    excerpt(looked.map((one) => shownAttribute(one, exchange)).join(", "), WANTED_MAX);
  return {
    label: labelOf(path),
    wanted,
    phase: readsBody ? "validate" : "authorize",
    parts: [],
    tiesObject: comparedNames(source).some(tiesObject),
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
