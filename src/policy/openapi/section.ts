import * as z from "zod";
import { routeVersion } from "../../filters/versions/schema.ts";
import { OPENING_EXTENSIONS } from "../../openapi/extensions.ts";
import { fileName } from "../certificate-schema.ts";
import { answersSchema } from "./answers-section.ts";

const authenticatorNames = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: "expected the name of an authenticator, or a list of names of which any will do",
});

const basePath = z.string().regex(/^(?:\/[^/?#{}]+)*\/?$/, { error: "expected a path, as in /v1, or / for none" });

/** One entry of `openapi`: an API's description whose operations are routes. */
export const openapiShape = {
  file: fileName.describe("The OpenAPI document (3.0, 3.1 or 3.2), YAML or JSON."),
  version: routeVersion
    .optional()
    .describe("Which version of the API it describes, or which, as 'version' of a route. Any if absent."),
  authenticate: z
    .record(z.string(), authenticatorNames)
    .optional()
    .describe(
      "Security scheme, or its kind (oauth2, openIdConnect, bearer, basic, apiKey, mutualTLS) → authenticators. Without it those of the scheme's own name, or the only one of its kind.",
    ),
  public: z
    .boolean()
    .optional()
    .describe("true: operations that ask for no security are open to everybody. Else each has to ask for some."),
  undeclared: z
    .enum(["refuse", "audit", "ignore"])
    .optional()
    .describe(
      "What becomes of requests below the base path that no operation takes: refuse (404, if absent), audit (they pass and are told), ignore (other routes may take them).",
    ),
  undeclaredParameters: z
    .enum(["ignore", "refuse", "strip"])
    .optional()
    .describe(
      "Query parameters that an operation does not have: they pass (if absent), are refused, or do not reach the service.",
    ),
  undeclaredProperties: z
    .enum(["ignore", "refuse", "strip"])
    .optional()
    .describe(
      "Members of bodies of which no schema says a word, where no additionalProperties speaks of them: they pass (if absent), are refused, or do not reach the service.",
    ),
  readOnly: z
    .enum(["ignore", "refuse", "strip"])
    .optional()
    .describe(
      "Members of bodies that only the service sets: they are refused (if absent), do not reach the service (strip), or pass.",
    ),
  answers: answersSchema.optional(),
  extensions: z
    .array(z.enum(OPENING_EXTENSIONS))
    .optional()
    .describe(
      "Members of other gateways that open operations, whatever 'security' says of them; with 'public: true'. None if absent.",
    ),
  operations: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .optional()
    .describe(
      "By operationId, or as in 'GET /orders/{id}': keys of a route that are added, or stand in place of the document's.",
    ),
  overlay: z
    .union([fileName, z.array(fileName).min(1)])
    .optional()
    .describe("OpenAPI Overlay files that change the document, in their order."),
  root: z
    .string()
    .min(1)
    .optional()
    .describe("Folder out of which no '$ref' leads. The document's own if absent; nothing comes from the network."),
  basePath: z
    .union([basePath, z.array(basePath).min(1)])
    .optional()
    .describe("Where its paths begin, as in /v1, in place of what 'servers' says."),
  strict: z
    .boolean()
    .optional()
    .describe(
      "true: what the document asks for and nobody enforces, and what is odd in it, are problems, not warnings.",
    ),
};
