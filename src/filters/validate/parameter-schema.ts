import * as z from "zod";
import type { Style } from "../../bodies/parameter-styles.ts";
import { segmentShape } from "../../bodies/segment-parts.ts";

/** A JSON Schema of one parameter, and whether it must be there. */
export type ParameterSettings = Readonly<Record<string, unknown>> & {
  readonly type?: string | readonly string[] | undefined;
  /** Whether it has to be there; a list is that of JSON Schema. */
  readonly required?: boolean | readonly string[] | undefined;
  /** In place of words of JSON Schema beside the others. */
  readonly schema?: Readonly<Record<string, unknown>> | string | undefined;
  readonly style?: Style | undefined;
  readonly explode?: boolean | undefined;
  readonly allowEmptyValue?: boolean | undefined;
  /** In style matrix, which writes it: what the parameter is called, where the route calls it otherwise. */
  readonly name?: string | undefined;
  readonly content?: "application/json" | undefined;
  /** In a path: what the parameter's segment is made of. */
  readonly segment?: string | undefined;
  readonly parameters?: Readonly<Record<string, ParameterSettings>> | undefined;
};

/** A JSON Schema of a whole query. */
export type QueryStringSettings = Readonly<Record<string, unknown>> & {
  readonly required?: boolean | readonly string[] | undefined;
  readonly schema?: Readonly<Record<string, unknown>> | string | undefined;
  readonly content?: "application/json" | "application/x-www-form-urlencoded" | undefined;
};

const word = z.string({ error: "expected the name of a type, as in string" });

/** Words of a JSON Schema, and how its text is written. */
const parameterShape = {
  type: z
    .union([word, z.array(word)])
    .optional()
    .describe(
      "Type of the value, of JSON Schema: what its text is read as before the rest looks at it. string if absent.",
    ),
  required: z
    .union([z.boolean(), z.array(z.string())], { error: "expected true or false" })
    .optional()
    .describe("Whether it has to be there. A list is JSON Schema's: members of an object."),
  schema: z
    .union([z.record(z.string(), z.unknown()), z.string().regex(/#/)], {
      error: "expected a JSON Schema, or file#pointer",
    })
    .optional()
    .describe(
      "The JSON Schema, in place of its words beside these; or where it stands in a file of section 'openapi'.",
    ),
  style: z
    .enum(["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "deepObject", "cookie"])
    .optional()
    .describe("How lists and objects are written, as OpenAPI has it. simple in paths and headers, form elsewhere."),
  explode: z
    .boolean({ error: "expected true or false" })
    .optional()
    .describe("Whether each item or member stands for itself. true for form, cookie and deepObject."),
  name: z
    .string()
    .min(1)
    .optional()
    .describe("In style matrix, as in ;id=5: the name that stands there. The parameter's own if absent."),
  allowEmptyValue: z
    .boolean({ error: "expected true or false" })
    .optional()
    .describe("In a query: whether an empty value passes without a look at the schema."),
};

export const parameterSchema: z.ZodType<ParameterSettings> = z.looseObject({
  ...parameterShape,
  content: z
    .literal("application/json", { error: "expected application/json" })
    .optional()
    .describe("application/json: the text is JSON."),
});

const segment = z
  .string()
  .refine((text) => segmentShape(text) !== null, {
    error: "expected names in braces with text between them, as in {name}.{ext}",
  })
  .optional()
  .describe("What the segment is made of, as in {name}.{ext}; 'parameters' says what each of them is.");

export const pathParameterSchema: z.ZodType<ParameterSettings> = z.looseObject({
  ...parameterShape,
  segment,
  parameters: z
    .record(z.string().min(1), parameterSchema)
    .optional()
    .describe(
      "Parameters that the segment is made of: name → JSON Schema. Each is as 'segment' has it in every reading.",
    ),
});

export const queryString: z.ZodType<QueryStringSettings> = z.looseObject({
  ...parameterShape,
  content: z
    .enum(["application/json", "application/x-www-form-urlencoded"])
    .optional()
    .describe("What the query is as a whole. A form if absent."),
});
