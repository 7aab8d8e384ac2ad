import * as z from "zod";
import { DIALECTS, type Dialect } from "../../../schema/dialect.ts";
import { byHeader, mode, object, ofKind, schemaFile, sizeBytes } from "../../../support/schema.ts";
import { type ParameterSettings, parameterSchema } from "../../validate/parameter-schema.ts";

/** What a body of a media type has to be. */
export interface AnswerContentSettings {
  readonly schema?: string | undefined;
  readonly itemSchema?: string | undefined;
}

/** One declared answer. */
export interface DeclaredSettings {
  readonly headers?: Readonly<Record<string, ParameterSettings>> | undefined;
  /** Media type or range → what bodies of it have to be. Not looked at if absent. */
  readonly content?: Readonly<Record<string, AnswerContentSettings>> | undefined;
}

export interface ContractSettings extends DeclaredSettings {
  readonly mode?: number | undefined;
  /** `200`, `4XX`: each with the headers and the content beside it. */
  readonly status?: readonly string[] | undefined;
  /** In place of these: `200`, `4XX` or `default` → the answer. */
  readonly responses?: Readonly<Record<string, DeclaredSettings>> | undefined;
  readonly undeclaredStatus?: "refuse" | "pass" | undefined;
  readonly undeclaredProperties?: "ignore" | "refuse" | undefined;
  readonly stripUndeclared?: boolean | undefined;
  readonly writeOnly?: "refuse" | "strip" | "ignore" | undefined;
  readonly maxBytes?: number | undefined;
  readonly dialect?: Dialect | undefined;
}

const STATUS = /^(?:[1-5]\d\d|[1-5]XX)$/;
const WANTED = "expected a status, as in 200, or a range, as in 4XX";

const status = z
  .union([z.number(), z.string()], { error: WANTED })
  .transform((value) => String(value).toUpperCase())
  .refine((text) => STATUS.test(text), { error: WANTED });

const declaredStatus = z
  .string()
  .refine((text) => text === "default" || STATUS.test(text.toUpperCase()), { error: `${WANTED}, or default` });

const CONTENT_ENTRY = "{ schema: schemas/order.json }, or {} for a body that is not looked into";

const declaredShape = {
  headers: byHeader(parameterSchema)
    .optional()
    .describe("Headers of the answer: name → JSON Schema, and whether it has to be there."),
  content: z
    .record(
      z.string(),
      object(
        {
          schema: schemaFile
            .optional()
            .describe("File with the JSON Schema, or file#pointer. Not looked into if absent."),
          itemSchema: schemaFile
            .optional()
            .describe("The same of each item of a stream (NDJSON, JSON sequence, events), judged as it passes."),
        },
        CONTENT_ENTRY,
      ),
      { error: ofKind("expected media types, as in { application/json: {} }") },
    )
    .optional()
    .describe("Media types that a body may have, or ranges as text/* → what such a body has to be."),
};

export const contractSchema: z.ZodType<ContractSettings> = object(
  {
    mode: mode.optional(),
    status: z
      .array(status)
      .min(1, { error: "expected at least one status" })
      .optional()
      .describe(
        "Statuses that the service may answer with, as in [200, 4XX]. If absent, only 2XX are held to the rest.",
      ),
    ...declaredShape,
    responses: z
      .record(declaredStatus, object(declaredShape))
      .optional()
      .describe(
        "In place of status, headers and content: status, range or default → headers and content of that answer.",
      ),
    undeclaredStatus: z
      .enum(["refuse", "pass"])
      .optional()
      .describe("What becomes of an answer of another status. refuse if absent."),
    undeclaredProperties: z
      .enum(["ignore", "refuse"])
      .optional()
      .describe(
        "Members of which no schema says a word, where no additionalProperties speaks of them. ignore if absent.",
      ),
    stripUndeclared: z
      .boolean()
      .optional()
      .describe(
        "true: members that no schema declares do not leave, whatever additionalProperties: false says of them.",
      ),
    writeOnly: z
      .enum(["refuse", "strip", "ignore"])
      .optional()
      .describe(
        "Members that the schema calls writeOnly: refuse (if absent), strip so that they do not leave, or ignore.",
      ),
    maxBytes: sizeBytes
      .optional()
      .describe(
        "Longest body that is judged, inflated. 1MiB if absent; 'unreadable' says what becomes of a longer one.",
      ),
    dialect: z
      .enum(DIALECTS)
      .optional()
      .describe("Dialect of a schema that has no $schema of its own. 2020-12 if absent."),
  },
  "{ status: [200], content: { application/json: { schema: schemas/order.json } } }",
).describe("What the service may answer: statuses, headers and bodies. Another answer is a 502.");
