import * as z from "zod";
import { DIALECTS, type Dialect } from "../../schema/dialect.ts";
import { headerName, mode, object, sizeBytes } from "../../support/schema.ts";
import { mediaTypeOf } from "./media-type.ts";

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
    .optional(),
  required: z.boolean({ error: "expected true or false" }).optional(),
});

const parameters = z.record(z.string().min(1), parameter);

export const validateSchema: z.ZodType<ValidateSettings> = object({
  mode: mode.optional(),
  contentType: z.array(mediaType).min(1, { error: "expected at least one media type" }).optional(),
  body: object({
    maxBytes: sizeBytes.optional(),
    schema: z.string().min(1).optional(),
    dialect: z.enum(DIALECTS).optional(),
    members: z.enum(["anyCase", "caseSensitive"]).optional(),
  }).optional(),
  errors: z.enum(["shown", "hidden"]).optional(),
  path: parameters.optional(),
  query: parameters.optional(),
  unknownQuery: z.enum(["allow", "refuse"]).optional(),
  headers: z.record(headerName, parameter).optional(),
});
