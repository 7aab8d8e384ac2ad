import { beginPatternWork } from "../schema/pattern/work.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { checkForeign } from "./foreign.ts";
import { parseExpression } from "./parser.ts";
import { Planner } from "./plan.ts";
import type { Environment } from "./planned.ts";
import { ExpressionFault } from "./syntax.ts";
import { isDyn, type Type, typeText } from "./types.ts";
import { EvalFault, Evaluation, kindOf, type StepBudget } from "./values.ts";

export type { FunctionSpec } from "./functions.ts";
export type { Environment, Variable } from "./planned.ts";
export { EvalFault, PRESENCE, type StepBudget } from "./values.ts";

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

/**
 * Source of a condition → what answers it for each request, or the first thing that is wrong with it. `ownText`: the source with an `x`
 * in place of each character that came from elsewhere.
 */
export function compileExpression<Subject>(
  source: string,
  environment: Environment<Subject>,
  ownText: string = source,
): Result<Expression<Subject>, SourceFault> {
  return faulty(() => {
    checkForeign(source, ownText);
    return compile(source, environment);
  });
}

/** An expression that comes to a value of whatever kind. */
export interface ValueExpression<Subject> {
  readonly variables: readonly string[];
  readonly type: Type;
  /** Text, number (whole ones may be bigint), boolean, list and so on. At once, in bounded time. Never throws. `budget`: of several evaluations. */
  evaluate(subject: Subject, budget?: StepBudget): unknown;
}

/** The same of an expression whose value is wanted, whatever it is. */
export function compileValue<Subject>(
  source: string,
  environment: Environment<Subject>,
  ownText: string = source,
): Result<ValueExpression<Subject>, SourceFault> {
  return faulty(() => {
    checkForeign(source, ownText);
    return planOf(source, environment);
  });
}

function faulty<T>(make: () => T): Result<T, SourceFault> {
  try {
    return ok(make());
  } catch (error) {
    if (error instanceof ExpressionFault) return err({ at: error.at, text: error.message });
    throw error;
  }
}

function compile<Subject>(source: string, environment: Environment<Subject>): Expression<Subject> {
  const { type, variables, evaluate } = planOf(source, environment);
  if (type.name !== "bool" && !isDyn(type))
    throw new ExpressionFault(0, `expected a condition, and this is a ${typeText(type)}`);
  return {
    variables,
    evaluate: (subject) => {
      const value = evaluate(subject);
      if (typeof value === "boolean" || value instanceof EvalFault) return value;
      return new EvalFault(`comes to a ${kindOf(value)}, which is neither true nor false`);
    },
  };
}

function planOf<Subject>(source: string, environment: Environment<Subject>): ValueExpression<Subject> {
  const planner = new Planner(environment);
  const { type, run } = planner.plan(parseExpression(source));
  if (planner.variables.size === 0)
    throw new ExpressionFault(0, "it looks at no attribute, so that its answer is always the same");
  return {
    type,
    variables: [...planner.variables],
    evaluate: (subject, budget) => {
      beginPatternWork(DEFAULTS.patternWorkAtOnceMax);
      return run(new Evaluation(subject, budget));
    },
  };
}
