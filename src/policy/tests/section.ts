import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, object, ofNeither } from "../../support/schema.ts";
import { nameSchema } from "../schema.ts";
import { expectSchema } from "./expect-section.ts";
import { answerSchema, identitySchema, requestSchema } from "./request-section.ts";

/** Section `tests` of a policy, and all of a file of tests beside it. */

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
const TIME_EXPECTED = "expected a time with its zone, as in 2026-12-01T09:00:00Z";

const times = z.int().min(1).max(DEFAULTS.testRequestsMax);

const stepSchema = object({
  after: durationMs.optional().describe("How much time passes before it."),
  times: times.optional().describe("How often the request is made; each has to meet 'expect'. 1 if absent."),
  request: requestSchema.optional().describe("What is another than in the test's own request."),
  as: identitySchema.optional().describe("Who asks, where it is another than the test says."),
  answer: answerSchema.optional().describe("What is another than in the answer that the test gives."),
  expect: expectSchema.describe("What has to come of it."),
});

export type StepEntry = z.output<typeof stepSchema>;

const actionSchema = z.union([z.array(z.string()).min(1), z.record(nameSchema, requestSchema)], {
  error: ofNeither("expected a list of methods, or a name for each request"),
});

const principalsSchema = z.union([z.array(nameSchema).min(1), z.record(nameSchema, identitySchema)], {
  error: ofNeither("expected a name for each identity, or a list of names of the fixtures"),
});

const matrixSchema = object({
  principals: principalsSchema.describe(
    "Name → who asks: an identity, one of the fixtures, or nobody; or a list of names of the fixtures.",
  ),
  resources: z.record(nameSchema, requestSchema).describe("Name → path, or a request without its method."),
  actions: actionSchema.describe("Methods; or name → request, where an action is more than a method."),
  allow: z
    .record(nameSchema, z.record(nameSchema, z.array(z.string())))
    .describe("Principal → resource → actions that must be allowed. All others must be denied."),
});

export type TestMatrix = z.output<typeof matrixSchema>;

export const testSchema = object({
  name: z.string().min(1).max(DEFAULTS.testNameCharactersMax).describe("What has to hold, as a sentence."),
  todo: z.boolean().optional().describe("It may fail, and is told apart, until it holds. false if absent."),
  at: z
    .string()
    .refine((text) => TIME.test(text) && !Number.isNaN(Date.parse(text)), { error: TIME_EXPECTED })
    .optional()
    .describe("The time at which it happens. When the test runs if absent."),
  request: requestSchema.optional().describe("What is asked."),
  as: identitySchema.optional().describe("Who asks, in place of credentials."),
  answer: answerSchema
    .optional()
    .describe("What the service answers, where the request reaches it: 'expect' is then of what the client gets."),
  times: times.optional().describe("How often the request is made; each has to meet 'expect'. 1 if absent."),
  expect: expectSchema.optional().describe("What has to come of it: allow, deny, or how it is denied."),
  steps: z
    .array(stepSchema)
    .min(1)
    .max(DEFAULTS.testStepsMax)
    .optional()
    .describe("Several requests one after the other, in place of 'expect': limits count over all of them."),
  matrix: matrixSchema.optional().describe("Who may do what; whatever it does not allow must be denied."),
})
  .refine(({ expect, steps, matrix }) => [expect, steps, matrix].filter((one) => one !== undefined).length === 1, {
    error: "expected one of 'expect', 'steps' and 'matrix'",
  })
  .refine(({ expect, times: many }) => many === undefined || expect !== undefined, {
    error: "'times' belongs beside 'expect'",
  });

export type TestEntry = z.output<typeof testSchema>;

export const testsSchema: z.ZodType = z
  .array(testSchema)
  .max(DEFAULTS.policyTestsMax)
  .describe(
    "Requests and what has to come of them. 'postern test' runs them, and so does each swap: where one fails, the old policy stays.",
  );
