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
};

interface Bodied {
  readonly body?: unknown;
  readonly bodyFile?: string | undefined;
}

const ONE_BODY = { error: "expected one of 'body' and 'bodyFile'" };

function hasOneBody({ body, bodyFile }: Bodied): boolean {
  return body === undefined || bodyFile === undefined;
}

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

export const requestSchema = object(requestShape, "{ method: GET, path: /v1/orders/1 }").refine(hasOneBody, ONE_BODY);

export type TestRequest = z.output<typeof requestSchema>;

export const answerSchema = object(
  {
    status: z.int().min(200).max(599).optional().describe("200 if absent."),
    headers: headers.describe("Header → value, or a list of values for a line each."),
    ...bodyShape,
  },
  "{ status: 200, body: { id: 1 } }",
).refine(hasOneBody, ONE_BODY);

export type TestAnswer = z.output<typeof answerSchema>;

const WHO = "{ jwt: { scope: 'orders:read' } }";

const IDENTITY_EXPECTED = `expected an identity, as in ${WHO}, or nobody`;

export const identitySchema = z.union(
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
