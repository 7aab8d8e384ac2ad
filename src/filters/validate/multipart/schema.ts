import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { byHeader, object, sizeBytes } from "../../../support/schema.ts";
import { mediaRange } from "../form/schema.ts";
import { type ParameterSettings, parameterSchema } from "../parameter-schema.ts";

/** What one part of a multipart body has to be. */
export interface PartSettings {
  readonly name?: string | undefined;
  readonly required?: boolean | undefined;
  /** Of parts of JSON, and of text where it takes one. */
  readonly schema?: string | undefined;
  /** `type/subtype` or `type/*`, in lower case. */
  readonly types?: readonly string[] | undefined;
  readonly maxBytes?: number | undefined;
  readonly content?: "checked" | "unchecked" | undefined;
  readonly headers?: Readonly<Record<string, ParameterSettings>> | undefined;
}

/** What a body whose parts are told apart by their place has to be. */
export interface PartsSettings {
  readonly maxBytes?: number | undefined;
  readonly minParts?: number | undefined;
  readonly maxParts?: number | undefined;
  readonly maxHeldBytes?: number | undefined;
  readonly prefix?: readonly PartSettings[] | undefined;
  readonly items?: PartSettings | undefined;
}

function count(least: number): z.ZodType<number> {
  const error = `expected a whole number from ${least} to ${DEFAULTS.partsLimit}`;
  return z.int({ error }).min(least, { error }).max(DEFAULTS.partsLimit, { error });
}

const part: z.ZodType<PartSettings> = object({
  name: z
    .string()
    .min(1)
    .optional()
    .describe("Name that the part has where its Content-Disposition gives one. Any, but none twice, if absent."),
  required: z
    .boolean()
    .optional()
    .describe("Whether it has to be there. A part that need not be may be left out where the next one has a name."),
  schema: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File of a JSON Schema, or a part of an API's description: of the part where it is JSON or plain text. Of other types it asks nothing.",
    ),
  types: z
    .array(mediaRange)
    .min(1, { error: "expected at least one media type" })
    .optional()
    .describe(
      "Media types that it may say it has, as image/png or image/*. application/json with a schema if absent, else any. A part that says none is text/plain.",
    ),
  maxBytes: sizeBytes
    .optional()
    .describe(
      "Largest content. Of what is held to be judged maxHeldBytes, else what is left of the body's maxBytes if absent.",
    ),
  content: z
    .enum(["checked", "unchecked"])
    .optional()
    .describe("Whether its first bytes have to be of the type that it says it has. checked if absent."),
  headers: byHeader(parameterSchema)
    .optional()
    .describe("Headers of its own: name → JSON Schema, and whether it is required."),
});

export const partsSchema: z.ZodType<PartsSettings> = object({
  maxBytes: sizeBytes.optional().describe("Largest body with all of its parts, as in 1GiB. 10MiB if absent."),
  minParts: count(0).optional().describe("Fewest parts. As many as are required if absent."),
  maxParts: count(1).optional().describe("Most parts. 100 if absent."),
  maxHeldBytes: sizeBytes
    .optional()
    .describe(
      "Longest part that is held to be judged, as JSON and text with a schema are. 1MiB if absent, and at most.",
    ),
  prefix: z.array(part).max(DEFAULTS.formPartsMax).optional().describe("The first parts, in their order."),
  items: part.optional().describe("Parts behind those. There may be none if absent."),
}).describe("What a multipart body has to be whose parts are told apart by their place, as multipart/related.");
