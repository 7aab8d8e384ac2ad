import * as z from "zod";
import { mediaTypeOf } from "../../../bodies/media-type.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { byHeader, object, sizeBytes } from "../../../support/schema.ts";
import { type ParameterSettings, parameterSchema } from "../parameter-schema.ts";

/** A JSON Schema of one field that is no file, and whether it must be there. */
export type FieldSettings = Readonly<Record<string, unknown>> & {
  readonly blob?: "allow" | "refuse" | undefined;
  readonly required?: boolean | readonly string[] | undefined;
  readonly style?: FieldStyle | undefined;
  readonly headers?: Readonly<Record<string, ParameterSettings>> | undefined;
};

/** How a list or an object is written (OpenAPI 3.2 section 4.15.1.1); without one a list comes as often as it has items. */
export type FieldStyle = "deepObject" | "form" | "spaceDelimited" | "pipeDelimited";

/** A field in which files come. */
export interface FileSettings {
  readonly required?: boolean | undefined;
  readonly maxBytes?: number | undefined;
  readonly maxCount?: number | undefined;
  /** `type/subtype` or `type/*`, in lower case. */
  readonly types?: readonly string[] | undefined;
  /** Lower case, without dots. */
  readonly extensions?: readonly string[] | undefined;
  readonly content?: "checked" | "unchecked" | undefined;
  readonly headers?: Readonly<Record<string, ParameterSettings>> | undefined;
}

export interface FormSettings {
  readonly schema?: string | undefined;
  readonly maxBytes?: number | undefined;
  readonly maxParts?: number | undefined;
  readonly maxFieldBytes?: number | undefined;
  readonly maxFieldsBytes?: number | undefined;
  readonly fields?: Readonly<Record<string, FieldSettings>> | undefined;
  readonly files?: Readonly<Record<string, FileSettings>> | undefined;
  readonly undeclared?: "refuse" | "ignore" | undefined;
  readonly buffer?: boolean | undefined;
}

const count = z
  .number({ error: "expected a whole number from 1 on" })
  .int({ error: "expected a whole number from 1 on" })
  .min(1, { error: "expected a whole number from 1 on" });
const truth = z.boolean({ error: "expected true or false" });

export const mediaRange: z.ZodType<string> = z
  .string()
  .refine((text) => mediaTypeOf(text.replace(/\/\*$/, "/any"))?.parameters.size === 0, {
    error: "expected a media type as in image/png, or all of a kind as in image/*",
  })
  .transform((text) => text.toLowerCase());

const extension = z
  .string()
  .regex(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/, { error: "expected an extension without a dot in front, as in png" })
  .transform((text) => text.toLowerCase());

const field: z.ZodType<FieldSettings> = z.looseObject({
  blob: z
    .enum(["allow", "refuse"])
    .optional()
    .describe(
      "Of an object: whether it may come as a part of type application/json with file name 'blob', as a Blob of browsers does. refuse if absent.",
    ),
  required: z
    .union([z.boolean(), z.array(z.string())], { error: "expected true or false" })
    .optional()
    .describe("Whether it has to be there. A list is JSON Schema's: members of an object."),
  style: z
    .enum(["deepObject", "form", "spaceDelimited", "pipeDelimited"])
    .optional()
    .describe(
      "How a list or an object is written: deepObject as filter[status] and items[0][name], the others as one text with commas, blanks or pipes. If absent, lists come as often as they have items, and objects are JSON.",
    ),
  headers: byHeader(parameterSchema)
    .optional()
    .describe("Headers of its own in a multipart body: name → JSON Schema, and whether it is required."),
});

const file: z.ZodType<FileSettings> = object({
  required: truth.optional().describe("Whether a file has to come."),
  maxBytes: sizeBytes.optional().describe("Largest file. What is left of the form's maxBytes if absent."),
  maxCount: count.optional().describe("How many files the field may have. 1 if absent."),
  types: z
    .array(mediaRange)
    .min(1, { error: "expected at least one media type" })
    .optional()
    .describe("Media types that a file may say it has, as image/png or image/*. Any, or none, if absent."),
  extensions: z
    .array(extension)
    .min(1, { error: "expected at least one extension" })
    .optional()
    .describe("Extensions that a file's name may end with, as png. Any if absent."),
  content: z
    .enum(["checked", "unchecked"])
    .optional()
    .describe("Whether a file's first bytes have to be of the type that it says it has. checked if absent."),
  headers: byHeader(parameterSchema)
    .optional()
    .describe("Headers of its own in a multipart body: name → JSON Schema, and whether it is required."),
});

export const formSchema: z.ZodType<FormSettings> = object({
  maxBytes: sizeBytes.optional().describe("Largest form with its files, as in 1GiB. 10MiB if absent."),
  maxParts: count
    .max(DEFAULTS.partsLimit, { error: `expected at most ${DEFAULTS.partsLimit}` })
    .optional()
    .describe("Most fields and files. 100 if absent."),
  maxFieldBytes: sizeBytes.optional().describe("Longest field that is no file. 64KiB if absent, 1MiB at most."),
  maxFieldsBytes: sizeBytes
    .optional()
    .describe("All fields of a multipart form that are no files, or an urlencoded form as sent. 1MiB if absent."),
  schema: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File of a JSON Schema, or a part of an API's description as in orders.yaml#/components/schemas/Upload, that all fields together fit as one object. A file is a text in it.",
    ),
  fields: z
    .record(z.string().min(1), field)
    .optional()
    .describe("Fields that are no files: name → JSON Schema, and whether it is required."),
  files: z.record(z.string().min(1), file).optional().describe("Fields in which files come: name → rules."),
  undeclared: z
    .enum(["refuse", "ignore"])
    .optional()
    .describe("What becomes of fields and files beyond 'fields' and 'files'. refuse if absent."),
  buffer: truth
    .optional()
    .describe("true: the service gets nothing of a form before all of it was judged; up to 64MiB. false if absent."),
}).describe("What a form has to be, urlencoded or multipart, with its files.");
