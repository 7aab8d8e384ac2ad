import { CONTINUE } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { compileRule } from "../authorize/compile.ts";
import { type Rule, Undecided } from "../authorize/evaluate.ts";
import { type AuthorizeRule, ruleSchema } from "../authorize/schema.ts";
import type { RouteContext } from "../filter.ts";

/** For whom a rule of answers is. */
export interface ConditionSettings {
  readonly unless?: AuthorizeRule | undefined;
  readonly when?: AuthorizeRule | undefined;
}

export const conditionShape = {
  unless: ruleSchema.optional().describe("For whom it is not: a rule as 'authorize' has it, that has to hold."),
  when: ruleSchema
    .optional()
    .describe("For whom alone it is: a rule as 'authorize' has it; also where that is undecided."),
};

export type Condition = (exchange: Exchange) => boolean;

const ALWAYS: Condition = () => true;

/**
 * Whether a rule of answers applies to a request; null where a problem was reported. What is not known takes nothing away
 * from the protection: `unless` has to hold, and `when` has to fail.
 */
export function compileCondition(
  settings: ConditionSettings,
  path: readonly (string | number)[],
  context: RouteContext,
): Condition | null {
  const { unless, when } = settings;
  if (unless !== undefined && when !== undefined) {
    context.problem("both 'unless' and 'when'; expected one of them", ...path, "when");
    return null;
  }
  const rule = unless ?? when;
  if (rule === undefined) return ALWAYS;
  const compiled = compileRule(rule, [...path, unless === undefined ? "when" : "unless"], withoutBody(context));
  if (compiled === null) return null;
  return unless === undefined ? mayHold(compiled) : (exchange) => compiled.judge(exchange, true) !== CONTINUE;
}

function mayHold(rule: Rule): Condition {
  return (exchange) => {
    const verdict = rule.judge(exchange, true);
    return verdict === CONTINUE || verdict instanceof Undecided;
  };
}

/**
 * The request's body is not kept until its answer comes. On a public route nobody is a caller, so that what the defaults say
 * of callers holds for none.
 */
function withoutBody(context: RouteContext): RouteContext {
  return {
    ...context,
    isPublic: false,
    wantBody: (place) =>
      context.problemAt(
        place,
        "the request's body is not there any more when its answer comes; expected another attribute",
      ),
  };
}
