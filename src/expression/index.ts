import { beginPatternWork } from "../schema/pattern/work.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { parseExpression } from "./parser.ts";
import { Planner } from "./plan.ts";
import type { Environment } from "./planned.ts";
import { ExpressionFault } from "./syntax.ts";
import { isDyn, typeText } from "./types.ts";
import { EvalFault, Evaluation, kindOf } from "./values.ts";

export type { Environment, Variable } from "./planned.ts";
export { EvalFault } from "./values.ts";

/** A condition, ready to be asked. */
export interface Expression<Subject> {
  /** Everything that it looks at, each once. */
  readonly variables: readonly string[];
  /** At once, in bounded time. Never throws. */
  evaluate(subject: Subject): boolean | EvalFault;
}

/** What is wrong with an expression; `at` is the offset in its source. */
export interface SourceFault {
  readonly at: number;
  readonly text: string;
}

/** Source of a condition → what answers it for each request, or the first thing that is wrong with it. */
export function compileExpression<Subject>(
  source: string,
  environment: Environment<Subject>,
): Result<Expression<Subject>, SourceFault> {
  try {
    return ok(compile(source, environment));
  } catch (error) {
    if (error instanceof ExpressionFault) return err({ at: error.at, text: error.message });
    throw error;
  }
}

function compile<Subject>(source: string, environment: Environment<Subject>): Expression<Subject> {
  const planner = new Planner(environment);
  const { type, run } = planner.plan(parseExpression(source));
  if (type.name !== "bool" && !isDyn(type))
    throw new ExpressionFault(0, `expected a condition, and this is a ${typeText(type)}`);
  if (planner.variables.size === 0)
    throw new ExpressionFault(0, "it looks at no attribute, so that its answer is always the same");
  return {
    variables: [...planner.variables],
    evaluate: (subject) => {
      beginPatternWork(DEFAULTS.patternWorkAtOnceMax);
      const value = run(new Evaluation(subject));
      if (typeof value === "boolean" || value instanceof EvalFault) return value;
      return new EvalFault(`comes to a ${kindOf(value)}, which is neither true nor false`);
    },
  };
}
