import * as z from "zod";
import { ANOMALY_KINDS, type AnomalyKind, KINDS, SENSITIVITIES, type Sensitivity } from "../anomalies/kinds.ts";
import { callShape, callUrlSchema } from "../filters/call-settings.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { durationMs, object } from "../support/schema.ts";
import { secretReference } from "../support/secret.ts";

const WORDS = Object.keys(SENSITIVITIES) as [Sensitivity, ...Sensitivity[]];
const sensitivity = z.enum(WORDS);

const learnTime = durationMs.refine((ms) => ms >= DEFAULTS.anomalyLearnMsMin && ms <= DEFAULTS.anomalyLearnMsMax, {
  error: "expected 1h to 30d",
});

type KindsShape = { readonly [Kind in AnomalyKind]: z.ZodOptional<z.ZodEnum<Record<string, Sensitivity | "off">>> };

export const anomaliesSchema = object({
  sensitivity: sensitivity
    .optional()
    .describe("How soon something is told: low (it takes twice as much), normal, high (half). normal if absent."),
  kinds: object(kindsShape())
    .optional()
    .describe("Of a kind alone, as in path_scan: high; off for not at all. All kinds are told if absent."),
  learn: learnTime
    .optional()
    .describe("How long what is usual is learnt before anything is told against it, 1h to 30d. 1d if absent."),
  webhook: object({
    url: callUrlSchema.describe("Where messages go (POST), as Standard Webhooks has them."),
    secret: secretReference.describe(
      "Where the secret is that they are signed with: whsec_ and base64 of 24 to 64 bytes.",
    ),
    ...callShape,
  })
    .optional()
    .describe("Who is told of each anomaly as it begins, goes on and ends. Nobody if absent."),
}).describe(
  "Tells of what is unusual, beside what is learnt to be usual, in log, audit log, metrics and 'postern anomalies'; refuses nothing. {} turns it on; nothing is learnt if absent.",
);

export type AnomaliesSettings = z.output<typeof anomaliesSchema>;

function kindsShape(): KindsShape {
  const shape: Partial<Record<AnomalyKind, unknown>> = {};
  for (const kind of KINDS)
    shape[kind] = z
      .enum([...WORDS, "off"])
      .optional()
      .describe(`${ANOMALY_KINDS[kind].text}.`);
  return shape as KindsShape;
}
