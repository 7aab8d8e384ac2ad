import * as z from "zod";
import { REASONS, type Reason } from "../../decision/reason.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, nearestHint, object, ofNeither } from "../../support/schema.ts";
import { fileName } from "../certificate-schema.ts";
import { nameSchema } from "../schema.ts";

/** Section `tests` of a policy, and all of a file of tests beside it. */

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
const TIME_EXPECTED = "expected a time with its zone, as in 2026-12-01T09:00:00Z";

/** Why a request did not become one: the listener asks for a certificate, and the connection ends in its handshake. */
export const HANDSHAKE = "handshake";

const REASON_WORDS = [...Object.keys(REASONS), HANDSHAKE];

export type TestReason = Reason | typeof HANDSHAKE;

const reason = z.custom<TestReason>((value) => typeof value === "string" && REASON_WORDS.includes(value), {
  error: ({ input }) => `there is no such reason; ${nearestHint(typeof input === "string" ? input : "", REASON_WORDS)}`,
});

const requestShape = {
  method: z
    .string()
    .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, { error: "expected a method, as in GET" })
    .optional()
    .describe("GET if absent."),
  path: z
    .string()
    .regex(/^[/*]\S*$/, { error: "expected a path, with its query if there is one, as in /v1/orders/1?full=true" })
    .optional()
    .describe("Path and query, as a client sends them. / if absent."),
  headers: z
    .record(z.string(), z.union([z.string(), z.array(z.string())], { error: ofNeither("expected a text or a list") }))
    .optional()
    .describe("Header → value, or a list of values for a line each. Host is localhost if absent."),
  body: z.unknown().optional().describe("A text as it is; anything else is sent as JSON."),
  client: z.string().optional().describe("Address that the connection comes from. 127.0.0.1 if absent."),
  certificate: fileName.optional().describe("PEM file: the client's certificate with its intermediates."),
  listener: nameSchema.optional().describe("Listener that the request comes to. The first if absent."),
};

const requestSchema = object(requestShape, "{ method: GET, path: /v1/orders/1 }");

export type TestRequest = z.output<typeof requestSchema>;

const WHO = "{ jwt: { scope: 'orders:read' } }";

const IDENTITY_EXPECTED = `expected an identity, as in ${WHO}, or nobody`;

const identitySchema = z.union(
  [
    z.string().refine((word): word is "nobody" => word === "nobody", { error: IDENTITY_EXPECTED }),
    object(
      {
        jwt: z
          .union([z.string(), z.record(z.string(), z.unknown())])
          .optional()
          .describe("Claims of a token, or a whole token, that is taken for one with a good signature."),
        "api-key": z.string().optional().describe("Name of a caller in a file of keys, or a key."),
        basic: z.string().optional().describe("Name of a user in a file of users."),
        signature: z.string().optional().describe("Name of a caller who signs."),
        certificate: fileName.optional().describe("PEM file of a client certificate, judged as a real one."),
      },
      WHO,
    ).refine((value) => Object.keys(value).length === 1, { error: `expected one identity, as in ${WHO}` }),
  ],
  { error: ofNeither(IDENTITY_EXPECTED) },
);

export type TestIdentity = z.output<typeof identitySchema>;

const expectShape = {
  allow: z.literal(true).optional().describe("The request is passed on, or answered by postern as the policy says."),
  deny: z
    .union([
      z.boolean().refine((is) => is, { error: "expected a reason, a list, or true" }),
      reason,
      z.array(reason).min(1),
    ])
    .optional()
    .describe("The request is refused for this reason, or one of these; true for any that is the client's to mend."),
  status: z.int().min(100).max(599).optional().describe("Status of the answer that postern gives itself."),
  rule: z
    .string()
    .min(1)
    .optional()
    .describe("Keys of the place in the policy that refuses, as in routes[1].authorize, or the first of them."),
  route: z.string().min(1).optional().describe("Path template of the route that takes the request."),
  problems: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("What the client is told of its request: JSON Pointers into the body, or parameters as in query.limit."),
  upstream: object({
    headers: z
      .record(z.string(), z.string().nullable())
      .optional()
      .describe("Header → value that the service gets; null where it must not get one."),
    path: z.string().optional().describe("Path and query that the service gets."),
  })
    .optional()
    .describe("What the service gets of a request that is allowed."),
};

const EXPECTED = "expected allow, deny, or a mapping as in { deny: scope_missing, status: 403 }";

const expectSchema = z.union(
  [
    z
      .string()
      .refine((word) => word === "allow" || word === "deny", { error: EXPECTED })
      .transform((word) => (word === "allow" ? { allow: true as const } : { deny: true as const })),
    object(expectShape, "{ deny: scope_missing, status: 403 }")
      .refine(({ allow, deny }) => (allow === undefined) !== (deny === undefined), {
        error: "expected either 'allow: true' or 'deny'",
      })
      .refine(({ allow, rule, problems }) => allow === undefined || (rule === undefined && problems === undefined), {
        error: "'rule' and 'problems' are of a request that is denied",
      })
      .refine(({ deny, upstream }) => deny === undefined || upstream === undefined, {
        error: "the service gets nothing of a request that is denied; expected no 'upstream'",
      }),
  ],
  { error: ofNeither(EXPECTED) },
);

export type Expectation = z.output<typeof expectSchema> & Partial<z.output<z.ZodObject<typeof expectShape>>>;

const times = z.int().min(1).max(DEFAULTS.testRequestsMax);

const stepSchema = object({
  after: durationMs.optional().describe("How much time passes before it."),
  times: times.optional().describe("How often the request is made; each has to meet 'expect'. 1 if absent."),
  request: requestSchema.optional().describe("What is another than in the test's own request."),
  as: identitySchema.optional().describe("Who asks, where it is another than the test says."),
  expect: expectSchema.describe("What has to come of it."),
});

const actionSchema = z.union([z.array(z.string()).min(1), z.record(nameSchema, requestSchema)], {
  error: ofNeither("expected a list of methods, or a name for each request"),
});

const matrixSchema = object({
  principals: z.record(nameSchema, identitySchema).describe("Name → identity, or nobody."),
  resources: z
    .record(nameSchema, z.union([z.string(), requestSchema], { error: ofNeither("expected a path or a request") }))
    .describe("Name → path, or a request without its method."),
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
