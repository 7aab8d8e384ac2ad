import * as z from "zod";
import { mediaTypeOf } from "../../bodies/media-type.ts";
import { DIALECTS, type Dialect } from "../../schema/dialect.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { byHeader, mode, object, schemaFile, sizeBytes } from "../../support/schema.ts";
import { type LeakSettings, leakSchema } from "../leak-schema.ts";
import { type FormSettings, formSchema } from "./form/schema.ts";
import { type GraphqlSettings, graphqlSchema } from "./graphql/schema.ts";
import { type GrpcSettings, grpcSchema } from "./grpc/schema.ts";
import { type JsonRpcSettings, jsonRpcSchema } from "./jsonrpc/schema.ts";
import { type PartsSettings, partsSchema } from "./multipart/schema.ts";
import {
  type ParameterSettings,
  parameterSchema,
  pathParameterSchema,
  type QueryStringSettings,
  queryString,
} from "./parameter-schema.ts";
import { type XmlSettings, xmlSchema } from "./xml/schema.ts";

/** What bodies of a media type have to meet: one of these, or nothing. */
export interface ContentSettings {
  readonly schema?: string | undefined;
  readonly itemSchema?: string | undefined;
  readonly form?: FormSettings | undefined;
  readonly parts?: PartsSettings | undefined;
  readonly xml?: XmlSettings | undefined;
}

export interface BodySettings {
  readonly maxBytes?: number | undefined;
  readonly schema?: string | undefined;
  /** False: a request without a body passes. */
  readonly required?: boolean | undefined;
  /** Media type or range → what bodies of it have to meet. */
  readonly content?: Readonly<Record<string, ContentSettings>> | undefined;
  /** Of each item of a stream. */
  readonly itemSchema?: string | undefined;
  readonly items?: { readonly maxBytes?: number | undefined; readonly maxCount?: number | undefined } | undefined;
  /** What becomes of members that only the service sets. */
  readonly readOnly?: "ignore" | "refuse" | "strip" | undefined;
  /** What becomes of members of which no schema says a word. */
  readonly undeclared?: "ignore" | "refuse" | "strip" | undefined;
  /** Those come off, and so do members that `additionalProperties: false` would refuse. */
  readonly stripUnknown?: boolean | undefined;
  readonly defaults?: "fill" | undefined;
  readonly trim?: boolean | undefined;
  readonly normalize?: "nfc" | undefined;
  readonly rewrite?: boolean | undefined;
  /** Levels of nesting; members of one object, items of one list, characters of one text or name. */
  readonly maxDepth?: number | undefined;
  readonly maxMembers?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly maxStringLength?: number | undefined;
  readonly prototypeNames?: "allow" | "refuse" | undefined;
  /** Of a schema without `$schema`. */
  readonly dialect?: Dialect | undefined;
  /** Whether a member in another case than the schema declares is another member. */
  readonly members?: "anyCase" | "caseSensitive" | undefined;
}

export interface ValidateSettings {
  readonly mode?: number | undefined;
  /** `type/subtype` in lower case. */
  readonly contentType?: readonly string[] | undefined;
  readonly body?: BodySettings | undefined;
  readonly contentEncoding?: "refuse" | "inflate" | undefined;
  readonly maxInflation?: number | undefined;
  readonly form?: FormSettings | undefined;
  readonly graphql?: GraphqlSettings | undefined;
  readonly grpc?: GrpcSettings | undefined;
  readonly jsonrpc?: JsonRpcSettings | undefined;
  readonly xml?: XmlSettings | undefined;
  readonly leaks?: LeakSettings | undefined;
  /** Whether the answer to a wrong body says what is wrong with it. */
  readonly errors?: "shown" | "hidden" | undefined;
  readonly path?: Readonly<Record<string, ParameterSettings>> | undefined;
  readonly query?: Readonly<Record<string, ParameterSettings>> | undefined;
  readonly unknownQuery?: "allow" | "refuse" | "strip" | undefined;
  readonly queryDefaults?: "fill" | undefined;
  readonly queryString?: QueryStringSettings | undefined;
  readonly headers?: Readonly<Record<string, ParameterSettings>> | undefined;
  readonly cookies?: Readonly<Record<string, ParameterSettings>> | undefined;
}

const mediaType = z
  .string()
  .refine((text) => mediaTypeOf(text)?.parameters.size === 0, {
    error: "expected a media type without parameters, as in application/json",
  })
  .transform((text) => text.toLowerCase());

function countTo(max: number): z.ZodType<number> {
  const error = `expected a whole number from 1 to ${max}`;
  return z.number({ error }).int({ error }).min(1, { error }).max(max, { error });
}

const parameters = z.record(z.string().min(1), parameterSchema);

export const validateSchema: z.ZodType<ValidateSettings> = object({
  mode: mode.optional(),
  contentType: z
    .array(mediaType)
    .min(1, { error: "expected at least one media type" })
    .optional()
    .describe("Media types that a body may have."),
  body: object({
    maxBytes: sizeBytes.optional().describe("Largest body, as in 256KiB. 10MiB if absent, 1MiB with a schema."),
    schema: schemaFile
      .optional()
      .describe(
        "File with the JSON Schema that the body has to meet; with a JSON Pointer behind # a part of a file of section 'openapi'.",
      ),
    required: z.boolean().optional().describe("Whether there has to be a body for the schema. true if absent."),
    content: z
      .record(
        z.string(),
        object({
          schema: schemaFile.optional().describe("As 'schema' of the body. Not looked into if absent."),
          itemSchema: schemaFile.optional().describe("As 'itemSchema' of the body."),
          form: formSchema.optional().describe("As 'form' beside 'body', for this type."),
          parts: partsSchema.optional(),
          xml: xmlSchema.optional().describe("As 'xml' beside 'body', for this type."),
        }),
      )
      .optional()
      .describe(
        "Media types that a body may have, or ranges as text/* → what such a body has to meet. In place of schema and contentType.",
      ),
    itemSchema: schemaFile
      .optional()
      .describe(
        "In place of 'schema': file with the JSON Schema of each item of a stream (NDJSON, JSON sequence, events), judged as it passes.",
      ),
    items: object({
      maxBytes: sizeBytes.optional().describe("Longest item of a stream, as in 16KiB. 64KiB if absent, 1MiB at most."),
      maxCount: z
        .int({ error: "expected a whole number from 1 on" })
        .min(1, { error: "expected a whole number from 1 on" })
        .optional()
        .describe("Most items of a stream. 100000 if absent."),
    })
      .optional()
      .describe("What a stream whose items are judged may have."),
    readOnly: z
      .enum(["ignore", "refuse", "strip"])
      .optional()
      .describe(
        "Members that the schema calls readOnly: refuse, or strip so that the service does not get them. 'required' does not ask for them then.",
      ),
    undeclared: z
      .enum(["ignore", "refuse", "strip"])
      .optional()
      .describe(
        "Members that no schema declares, where no additionalProperties speaks of them: ignore (if absent), refuse, or strip, so that the service does not get them.",
      ),
    stripUnknown: z
      .boolean()
      .optional()
      .describe(
        "true: members that no schema declares do not reach the service, those that additionalProperties: false would refuse either.",
      ),
    defaults: z
      .literal("fill", { error: "expected fill" })
      .optional()
      .describe("fill: members that are not sent reach the service with the schema's default."),
    trim: z.boolean().optional().describe("true: blanks at both ends of texts come off before they are judged."),
    normalize: z
      .literal("nfc", { error: "expected nfc" })
      .optional()
      .describe("nfc: texts and names become Unicode's composed form before they are judged."),
    maxDepth: countTo(DEFAULTS.jsonDepthMax)
      .optional()
      .describe("Most levels of nesting in a body of JSON. 64 if absent, and no more are possible."),
    maxMembers: countTo(DEFAULTS.jsonMembersMax)
      .optional()
      .describe("Most members of one object in it. 32768 if absent, and no more are possible."),
    maxItems: countTo(DEFAULTS.bodiesInspectedBytesMax)
      .optional()
      .describe("Most items of one list in it. As many as it has bytes for if absent."),
    maxStringLength: countTo(DEFAULTS.bodiesInspectedBytesMax)
      .optional()
      .describe(
        "Most characters of one text or name in it; an escape counts as one. As many as it has bytes if absent.",
      ),
    prototypeNames: z
      .enum(["allow", "refuse"])
      .optional()
      .describe(
        "refuse: members named __proto__, constructor or prototype are refused, wherever they stand. allow if absent.",
      ),
    rewrite: z
      .boolean()
      .optional()
      .describe("true: the service gets JSON written anew, in one spelling, of what was judged."),
    dialect: z
      .enum(DIALECTS)
      .optional()
      .describe("Dialect of a schema that has no $schema of its own. 2020-12 if absent."),
    members: z
      .enum(["anyCase", "caseSensitive"])
      .optional()
      .describe("Whether a member in another case than declared is refused (anyCase, if absent) or another member."),
  })
    .optional()
    .describe("What the body has to be."),
  contentEncoding: z
    .enum(["refuse", "inflate"])
    .optional()
    .describe(
      "What becomes of a compressed body that is judged: inflate (gzip, deflate, br, zstd) or refuse, if absent.",
    ),
  maxInflation: z
    .number({ error: "expected a whole number from 1 on" })
    .int({ error: "expected a whole number from 1 on" })
    .min(1, { error: "expected a whole number from 1 on" })
    .optional()
    .describe("How many times its bytes a compressed body may hold, beyond its first MiB. 100 if absent."),
  form: formSchema.optional(),
  graphql: graphqlSchema.optional(),
  grpc: grpcSchema.optional(),
  jsonrpc: jsonRpcSchema.optional(),
  xml: xmlSchema.optional(),
  leaks: leakSchema.optional(),
  errors: z
    .enum(["shown", "hidden"])
    .optional()
    .describe("Whether the answer says what is wrong with a body or parameters. shown if absent."),
  path: z
    .record(z.string().min(1), pathParameterSchema)
    .optional()
    .describe("Parameters of the path's template: name → JSON Schema."),
  query: parameters.optional().describe("Parameters of the query: name → JSON Schema."),
  unknownQuery: z
    .enum(["allow", "refuse", "strip"])
    .optional()
    .describe(
      "What becomes of parameters beyond 'query': allow (if absent), refuse, or strip, so that the service does not get them.",
    ),
  queryDefaults: z
    .literal("fill", { error: "expected fill" })
    .optional()
    .describe("fill: a parameter of 'query' that is not sent reaches the service with its schema's default."),
  queryString: queryString.optional().describe("The query as one value, in place of 'query': its JSON Schema."),
  cookies: parameters.optional().describe("Cookies: name → JSON Schema. Others pass."),
  headers: byHeader(parameterSchema).optional().describe("Headers: name → JSON Schema."),
}).describe("What a request must look like.");
