import * as z from "zod";
import { object, sizeBytes } from "../../../support/schema.ts";

export interface XmlSettings {
  readonly schema?: string | undefined;
  readonly depth?: number | undefined;
  readonly elements?: number | undefined;
  readonly attributes?: number | undefined;
  readonly attributeBytes?: number | undefined;
  readonly namespaces?: number | undefined;
  readonly rebindings?: number | undefined;
  readonly textBytes?: number | undefined;
  readonly processingInstructions?: "allow" | "refuse" | undefined;
}

const count = (min: number, max: number) => {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

export const xmlSchema: z.ZodType<XmlSettings> = object({
  schema: z
    .string()
    .min(1)
    .optional()
    .describe(
      "JSON Schema of the value that a document stands for, by OpenAPI's 'xml': a file, or a part of a description of section 'openapi'.",
    ),
  depth: count(1, 1_000).optional().describe("Elements within each other. 50 if absent."),
  elements: count(1, 1_000_000).optional().describe("Elements of a document. 10000 if absent."),
  attributes: count(1, 1_000)
    .optional()
    .describe("Attributes of one element, those of namespaces among them. 50 if absent."),
  attributeBytes: sizeBytes.optional().describe("Value of one attribute, as in 1KiB. 4KiB if absent."),
  namespaces: count(0, 10_000).optional().describe("Declarations of namespaces. 100 if absent."),
  rebindings: count(0, 10_000)
    .optional()
    .describe("Declarations that give a prefix, or no prefix, another meaning than it has there. 20 if absent."),
  textBytes: sizeBytes
    .optional()
    .describe("One piece of text, a comment or a CDATA section, as in 1KiB. 256KiB if absent."),
  processingInstructions: z
    .enum(["allow", "refuse"])
    .optional()
    .describe("Whether a document may have processing instructions. refuse if absent."),
}).describe("Bodies are XML without a document type, of at most this size in each direction.");
