import * as z from "zod";
import { mediaTypeOf } from "../../../bodies/media-type.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { mode, object } from "../../../support/schema.ts";

export interface ErrorsRule {
  readonly mode?: number | undefined;
  /** `500`, `5XX`. */
  readonly status?: readonly string[] | undefined;
  readonly template?: string | undefined;
  readonly contentType?: string | undefined;
}

export type ErrorsSettings = "problem" | "pass" | ErrorsRule;

const WANTED = "expected an error's status, as in 404, or a range, as in 5XX";

const status = z
  .union([z.number(), z.string()], { error: WANTED })
  .transform((value) => String(value).toUpperCase())
  .refine((text) => /^[45](?:\d\d|XX)$/.test(text), { error: WANTED });

const { errorTemplateCharsMax } = DEFAULTS;

export const errorsSchema: z.ZodType<ErrorsSettings> = z
  .union([
    z.enum(["problem", "pass"], { error: "expected problem, pass, or what stands in place of the body" }),
    object({
      mode: mode.optional(),
      status: z
        .array(status)
        .min(1, { error: "expected at least one status" })
        .optional()
        .describe("Of which answers, as in [404, 5XX]. 4XX and 5XX if absent."),
      template: z
        .string()
        .min(1)
        .max(errorTemplateCharsMax, { error: `expected at most ${errorTemplateCharsMax} characters` })
        .optional()
        .describe("Text in place of the body; {status}, {title} and {id} are filled in. A problem document if absent."),
      contentType: z
        .string()
        .refine((text) => mediaTypeOf(text) !== null, { error: "expected a media type, as in application/json" })
        .optional()
        .describe("Of the template. application/json if absent."),
    }),
  ])
  .describe(
    "What becomes of bodies of the service's own errors (4xx, 5xx): problem (RFC 9457), a template, or pass, if absent.",
  );
