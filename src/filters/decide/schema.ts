import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, mode, object } from "../../support/schema.ts";
import { secretReference } from "../../support/secret.ts";
import { callShape, callUrlSchema } from "../call-settings.ts";

const attributeText = z.string().min(1).max(DEFAULTS.attributeCharsMax);

/** An attribute, or a text that is the same for every request. */
const value = z.union(
  [
    attributeText.describe("Name of an attribute, as principal.id."),
    object({ text: z.string().describe("The text.") }).describe("A text that is the same for every request."),
  ],
  { error: "expected the name of an attribute, as in principal.id, or { text: … }" },
);

export type ValueSettings = z.infer<typeof value>;

const values = z
  .record(z.string().min(1).max(64), value)
  .refine((record) => Object.keys(record).length <= DEFAULTS.decisionMembersMax, {
    error: `expected at most ${DEFAULTS.decisionMembersMax} members`,
  });

const common = {
  url: callUrlSchema.describe("Where it is asked; https:, or http: on this machine."),
  ...callShape,
  token: secretReference.optional().describe("Bearer token that is shown there."),
  cache: object({
    by: z
      .array(attributeText)
      .min(1)
      .max(16)
      .describe("Attributes; requests that are equal in all of them share an answer."),
    for: durationMs
      .refine((ms) => ms > 0 && ms <= DEFAULTS.decisionCacheMsMax, {
        error: `expected at most ${DEFAULTS.decisionCacheMsMax / 60_000}m`,
      })
      .describe("How long an answer is believed."),
  })
    .optional()
    .describe("Which requests share an answer, and for how long. Each request is asked about if absent."),
  onFailure: z
    .enum(["deny", "allow"])
    .default("deny")
    .describe("What becomes of a request that nobody decides. deny if absent: 503."),
};

const opa = object({
  type: z.literal("opa").describe("Open Policy Agent's REST API, or one like it: POST { input } → { result }."),
  ...common,
  input: values.optional().describe("Members of `input`. Request, route, client and caller if absent."),
});

const entity = (what: string) =>
  object({
    type: z.string().min(1).describe(`Type of the ${what}.`),
    id: value.describe(`Its id.`),
    properties: values.optional().describe("Its properties: name → attribute, or { text: … }."),
  });

const authzen = object({
  type: z
    .literal("authzen")
    .describe("The OpenID AuthZEN Authorization API 1.0: evaluation, and evaluations for a list."),
  ...common,
  subject: entity("subject").optional().describe("Who asks. { type: user, id: principal.id } if absent."),
  action: object({
    name: value.describe("Its name."),
    properties: values.optional().describe("Its properties: name → attribute, or { text: … }."),
  })
    .optional()
    .describe("What is asked. { name: request.method } if absent."),
  resource: entity("resource")
    .optional()
    .describe(
      "Of what; a list of ids is asked about at once, and each has to be allowed. { type: path, id: request.path } if absent.",
    ),
  context: values.optional().describe("Members of `context`."),
});

/** An entry of `decisionServices`. */
export const decisionServiceSchema = z.discriminatedUnion("type", [opa, authzen], {
  error: "expected type: opa or authzen",
});

export type DecisionServiceSettings = z.infer<typeof decisionServiceSchema>;

const names = z.array(z.string().min(1)).min(1, { error: "expected at least one decision service" });

export const decideSchema = z
  .union(
    [
      names,
      object({ by: names.describe("Names of decision services, each of which has to allow."), mode: mode.optional() }),
    ],
    {
      error: "expected names of decision services, as in [opa], or { by: [opa], mode: audit }",
    },
  )
  .describe("Decision services that have to allow the request, each of them.");

export type DecideSettings = z.infer<typeof decideSchema>;
