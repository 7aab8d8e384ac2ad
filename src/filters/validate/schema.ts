import * as z from "zod";
import { mediaTypeOf } from "../../bodies/media-type.ts";
import { DIALECTS, type Dialect } from "../../schema/dialect.ts";
import { headerName, mode, object, sizeBytes } from "../../support/schema.ts";

/** A JSON Schema of one parameter, and whether it must be there. */
export type ParameterSettings = Readonly<Record<string, unknown>> & {
  readonly type?: ParameterType | undefined;
  readonly required?: boolean | undefined;
  readonly items?: unknown;
};

export type ParameterType = "string" | "integer" | "number" | "boolean" | "array";

export interface BodySettings {
  readonly maxBytes?: number | undefined;
  readonly schema?: string | undefined;
  /** False: a request without a body passes. */
  readonly required?: boolean | undefined;
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
  /** Whether the answer to a wrong body says what is wrong with it. */
  readonly errors?: "shown" | "hidden" | undefined;
  readonly path?: Readonly<Record<string, ParameterSettings>> | undefined;
  readonly query?: Readonly<Record<string, ParameterSettings>> | undefined;
  readonly unknownQuery?: "allow" | "refuse" | undefined;
  readonly headers?: Readonly<Record<string, ParameterSettings>> | undefined;
}

const mediaType = z
  .string()
  .refine((text) => mediaTypeOf(text)?.parameters.size === 0, {
    error: "expected a media type without parameters, as in application/json",
  })
  .transform((text) => text.toLowerCase());

const parameter: z.ZodType<ParameterSettings> = z.looseObject({
  type: z
    .enum(["string", "integer", "number", "boolean", "array"], {
      error: "expected one of: string, integer, number, boolean, array",
    })
    .optional()
    .describe("What the text is read as before the rest of the schema looks at it."),
  required: z.boolean({ error: "expected true or false" }).optional().describe("Whether it has to be there."),
});

const parameters = z.record(z.string().min(1), parameter);

export const validateSchema: z.ZodType<ValidateSettings> = object({
  mode: mode.optional(),
  contentType: z
    .array(mediaType)
    .min(1, { error: "expected at least one media type" })
    .optional()
    .describe("Media types that a body may have."),
  body: object({
    maxBytes: sizeBytes.optional().describe("Largest body, as in 256KiB. 10MiB if absent, 1MiB with a schema."),
    schema: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File with the JSON Schema that the body has to meet; with a JSON Pointer behind # a part of a file of section 'openapi'.",
      ),
    required: z.boolean().optional().describe("Whether there has to be a body for the schema. true if absent."),
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
  errors: z
    .enum(["shown", "hidden"])
    .optional()
    .describe("Whether the answer says what is wrong with a body or parameters. shown if absent."),
  path: parameters.optional().describe("Parameters of the path's template: name → JSON Schema."),
  query: parameters.optional().describe("Parameters of the query: name → JSON Schema."),
  unknownQuery: z
    .enum(["allow", "refuse"])
    .optional()
    .describe("What becomes of a query with parameters beyond 'query'. allow if absent."),
  headers: z.record(headerName, parameter).optional().describe("Headers: name → JSON Schema."),
}).describe("What a request must look like.");
