import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { mode, object, ofKind } from "../../../support/schema.ts";
import { type SecretReference, secretReference } from "../../../support/secret.ts";
import { type ConditionSettings, conditionShape } from "../condition.ts";

/** In the order of what is left of a value, the least first: where two say something of one value, it is the first. */
export const MASKS = ["fixed", "hash", "last4"] as const;

export type MaskKind = (typeof MASKS)[number];

export interface MaskRule extends ConditionSettings {
  readonly with: MaskKind;
  readonly mode?: number | undefined;
  readonly key?: SecretReference | undefined;
  readonly text?: string | undefined;
}

/** Path → what stands there in place of a value. */
export type MaskSettings = Readonly<Record<string, MaskKind | MaskRule>>;

const kind = z.enum(MASKS, { error: "expected last4, hash or fixed" });

const rule = object({
  with: kind.describe(
    "last4 keeps the last four characters; hash, keyed, is the same for the same value; fixed is a text.",
  ),
  mode: mode.optional(),
  key: secretReference.optional().describe("Key of 'hash', at least 16 bytes: { file: … } or { env: … }."),
  text: z
    .string()
    .max(DEFAULTS.maskTextCharsMax, { error: `expected at most ${DEFAULTS.maskTextCharsMax} characters` })
    .optional()
    .describe("Text of 'fixed'. *** if absent."),
  ...conditionShape,
});

export const maskSchema: z.ZodType<MaskSettings> = z
  .record(z.string(), z.union([kind, rule]), {
    error: ofKind("expected paths and masks, as in { '$.card.number': last4 }"),
  })
  .refine((paths) => Object.keys(paths).length > 0, { error: "expected at least one path" })
  .refine((paths) => Object.keys(paths).length <= DEFAULTS.answerPathsMax, {
    error: `expected at most ${DEFAULTS.answerPathsMax} paths`,
  })
  .describe(
    "Values of JSON answers that leave masked: path, as $.card.number → last4, fixed, or { with: hash, key: … } and for whom.",
  );
