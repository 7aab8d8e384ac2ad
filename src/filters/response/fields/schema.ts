import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { mode, object, ofKind, ofNeither } from "../../../support/schema.ts";
import { type ConditionSettings, conditionShape } from "../condition.ts";

export interface FieldsRule extends ConditionSettings {
  readonly mode?: number | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

export type FieldsSettings = FieldsRule | readonly FieldsRule[];

const { answerRulesMax, answerPathsMax } = DEFAULTS;

const RULE = "{ remove: ['$..ssn'] }";

const paths = z
  .array(z.string(), { error: ofKind("expected a list of paths, as in ['$..ssn']") })
  .min(1, { error: "expected at least one path" })
  .max(answerPathsMax, { error: `expected at most ${answerPathsMax} paths` });

const rule = object(
  {
    mode: mode.optional(),
    allow: paths
      .optional()
      .describe("Paths of the fields that leave, with all that is in them; no other does. As $.id or $.items[*].id."),
    remove: paths.optional().describe("Paths of the fields that do not leave, as $..ssn or /items/0/cost."),
    ...conditionShape,
  },
  RULE,
);

export const fieldsSchema: z.ZodType<FieldsSettings> = z
  .union(
    [
      rule,
      z
        .array(rule)
        .min(1, { error: "expected at least one rule" })
        .max(answerRulesMax, { error: `expected at most ${answerRulesMax} rules` }),
    ],
    { error: ofNeither(`expected a rule, as in ${RULE}, or a list of them`) },
  )
  .describe("Which fields of JSON answers leave, and for whom: a rule, or a list of rules that all apply.");
