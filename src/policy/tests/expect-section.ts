import * as z from "zod";
import { REASONS, type Reason } from "../../decision/reason.ts";
import { nearestHint, object, ofNeither } from "../../support/schema.ts";

/** What has to come of a request. */

/** Why a request did not become one: the listener asks for a certificate, and the connection ends in its handshake. */
export const HANDSHAKE = "handshake";

export type TestReason = Reason | typeof HANDSHAKE;

const REASON_WORDS = [...Object.keys(REASONS), HANDSHAKE] as readonly TestReason[];

const reason = z.enum(REASON_WORDS, {
  error: ({ input }) => `there is no such reason; ${nearestHint(typeof input === "string" ? input : "", REASON_WORDS)}`,
});

const pointers = z.array(
  z.string().regex(/^(?:\/(?:[^~/]|~[01])*)*$/, { error: "expected a JSON Pointer, as in /items/0/cost" }),
);

const answerShape = {
  headers: z
    .record(z.string(), z.string().nullable())
    .optional()
    .describe(
      "Header → value that the client gets, several lines with commas between; null where it must not get one.",
    ),
  body: z.unknown().optional().describe("All of the body: a text as it is; anything else as a value of JSON."),
  parts: z
    .record(pointers.element, z.unknown())
    .optional()
    .describe("JSON Pointer into the body → the value that stands there."),
  removed: pointers.optional().describe("JSON Pointers: what the service says there the client does not get."),
  masked: pointers.optional().describe("JSON Pointers: where the client gets another value than the service says."),
  leaks: z
    .array(z.string())
    .optional()
    .describe("Kinds of leaks that are found in the answer; there may be others, but where the list is empty."),
};

const expectShape = {
  allow: z.literal(true).optional().describe("The request is passed on, or answered by postern as the policy says."),
  deny: z
    .union([
      z.boolean().refine((is) => is, { error: "expected a reason, a list, or true" }),
      reason,
      z.array(reason).min(1),
    ])
    .optional()
    .describe(
      "The request, or the service's answer to it, is refused for this reason, or one of these; true for any that is the client's to mend.",
    ),
  status: z.int().min(100).max(599).optional().describe("Status of the answer that the client gets."),
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
  answer: object(answerShape).optional().describe("What the client gets."),
  audited: z
    .array(reason)
    .min(1)
    .optional()
    .describe("Reasons for which checks that only audit would have refused; there may be others."),
};

const EXPECTED = "expected allow, deny, or a mapping as in { deny: scope_missing, status: 403 }";

export const expectSchema = z.union(
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
