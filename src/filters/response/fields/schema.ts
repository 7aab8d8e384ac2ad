import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { mode, object } from "../../../support/schema.ts";
import { type ConditionSettings, conditionShape } from "../condition.ts";

export interface FieldsRule extends ConditionSettings {
  readonly mode?: number | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

export type FieldsSettings = FieldsRule | readonly FieldsRule[];

const { answerRulesMax, answerPathsMax } = DEFAULTS;

const paths = z
  .array(z.string())
  .min(1, { error: "expected at least one path" })
  .max(answerPathsMax, { error: `expected at most ${answerPathsMax} paths` });

const rule = object({
  mode: mode.optional(),
  allow: paths
    .optional()
    .describe("Paths of the fields that leave, with all that is in them; no other does. As $.id or $.items[*].id."),
  remove: paths.optional().describe("Paths of the fields that do not leave, as $..ssn or /items/0/cost."),
  ...conditionShape,
});

export const fieldsSchema: z.ZodType<FieldsSettings> = z
  .union([
    rule,
    z
      .array(rule)
      .min(1, { error: "expected at least one rule" })
      .max(answerRulesMax, { error: `expected at most ${answerRulesMax} rules` }),
  ])
  .describe("Which fields of JSON answers leave, and for whom: a rule, or a list of rules that all apply.");
