import * as z from "zod";
import { object, ofNeither } from "../../support/schema.ts";
import { fileName } from "../certificate-schema.ts";
import { nameSchema } from "../schema.ts";

/** What a test asks, who asks, and what the service answers. */

const headers = z
  .record(z.string(), z.union([z.string(), z.array(z.string())], { error: ofNeither("expected a text or a list") }))
  .optional();

const bodyShape = {
  body: z.unknown().optional().describe("A text as it is; anything else is sent as JSON."),
  bodyFile: fileName.optional().describe("File whose bytes are the body, in place of 'body'."),
  bodyOf: nameSchema.optional().describe("Name in 'bodies' of the fixtures, in place of 'body'."),
};

interface Bodied {
  readonly body?: unknown;
  readonly bodyFile?: string | undefined;
  readonly bodyOf?: string | undefined;
}

const ONE_BODY = { error: "expected one of 'body', 'bodyFile' and 'bodyOf'" };

function hasOneBody({ body, bodyFile, bodyOf }: Bodied): boolean {
  return [body, bodyFile, bodyOf].filter((one) => one !== undefined).length <= 1;
}

const LIKE = nameSchema.optional();

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
  headers: headers.describe("Header → value, or a list of values for a line each. Host is localhost if absent."),
  ...bodyShape,
  client: z.string().optional().describe("Address that the connection comes from. 127.0.0.1 if absent."),
  certificate: fileName.optional().describe("PEM file: the client's certificate with its intermediates."),
  listener: nameSchema.optional().describe("Listener that the request comes to. The first if absent."),
};

const REQUEST = "{ method: GET, path: /v1/orders/1 }";

/** Of the fixtures: none of them is like another. */
export const ownRequestSchema = object(requestShape, REQUEST).refine(hasOneBody, ONE_BODY);

export const requestSchema = z.union(
  [
    z.string().min(1),
    object({
      like: LIKE.describe("Name in 'requests' of the fixtures; the rest is what is another."),
      ...requestShape,
    }).refine(hasOneBody, ONE_BODY),
  ],
  {
    error: ofNeither(`expected a request, as in ${REQUEST}, a path, or the name of one in 'requests' of the fixtures`),
  },
);

export type RequestEntry = z.output<typeof requestSchema>;

/** What is asked, with all that the fixtures have of it. */
export type TestRequest = Omit<z.output<typeof ownRequestSchema>, "bodyOf">;

const answerShape = {
  status: z.int().min(200).max(599).optional().describe("200 if absent."),
  headers: headers.describe("Header → value, or a list of values for a line each."),
  ...bodyShape,
};

const ANSWER = "{ status: 200, body: { id: 1 } }";

export const ownAnswerSchema = object(answerShape, ANSWER).refine(hasOneBody, ONE_BODY);

export const answerSchema = z.union(
  [
    z.string().min(1),
    object({
      like: LIKE.describe("Name in 'answers' of the fixtures; the rest is what is another."),
      ...answerShape,
    }).refine(hasOneBody, ONE_BODY),
  ],
  { error: ofNeither(`expected an answer, as in ${ANSWER}, or the name of one in 'answers' of the fixtures`) },
);

export type AnswerEntry = z.output<typeof answerSchema>;
export type TestAnswer = Omit<z.output<typeof ownAnswerSchema>, "bodyOf">;

const WHO = "{ jwt: { scope: 'orders:read' } }";

const IDENTITY_EXPECTED = `expected an identity, as in ${WHO}, nobody, or the name of one in 'identities' of the fixtures`;

export const ownIdentitySchema = object(
  {
    jwt: z
      .union([z.string(), z.record(z.string(), z.unknown())])
      .optional()
      .describe("Claims of a token, or a whole token, that is taken for one with a good signature."),
    bearer: z.string().optional().describe("A real token, sent and judged as one."),
    "api-key": z.string().optional().describe("Name of a caller in a file of keys, or a key."),
    basic: z.string().optional().describe("Name of a user in a file of users."),
    signature: z.string().optional().describe("Name of a caller who signs."),
    certificate: z
      .union([fileName, z.record(z.string(), z.unknown())])
      .optional()
      .describe(
        "PEM file of a client certificate, judged as a real one; or what one says that is trusted: subject, issuer, serialNumber, fingerprint, spiffeId, dnsNames, uris, emails, addresses.",
      ),
  },
  WHO,
).refine((value) => Object.keys(value).length === 1, { error: `expected one identity, as in ${WHO}` });

export const identitySchema = z.union([z.string().min(1), ownIdentitySchema], { error: ofNeither(IDENTITY_EXPECTED) });

/** Nobody, who shows no credentials, or somebody. */
export type TestIdentity = "nobody" | z.output<typeof ownIdentitySchema>;
