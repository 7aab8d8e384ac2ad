import * as z from "zod";
import { object } from "../../support/schema.ts";

/** `answers` of a description: what of them is enforced, in the words of `response.validate`. */
export interface AnswersSettings {
  /** As it is written: it is read where the route's keys are. */
  readonly mode?: "off" | "audit" | "enforce" | { readonly enforce: string } | undefined;
  readonly undeclaredStatus?: "refuse" | "pass" | undefined;
  readonly undeclaredProperties?: "ignore" | "refuse" | undefined;
  readonly stripUndeclared?: boolean | undefined;
  readonly writeOnly?: "refuse" | "strip" | "ignore" | undefined;
}

export const answersSchema: z.ZodType<AnswersSettings> = object({
  mode: z
    .union(
      [
        z.enum(["off", "audit", "enforce"]),
        object({
          enforce: z
            .string()
            .regex(/^(?:100|[1-9]?\d)%$/)
            .describe("Share of callers whose answers are refused; of the others it is only noted."),
        }),
      ],
      {
        error: "expected off, audit, enforce or a share, as in { enforce: 5% }",
      },
    )
    .optional()
    .describe("off, audit, enforce (if absent) or a share of callers, as in { enforce: 5% }."),
  undeclaredStatus: z
    .enum(["refuse", "pass"])
    .optional()
    .describe("What becomes of an answer whose status an operation does not have. refuse if absent."),
  undeclaredProperties: z
    .enum(["ignore", "refuse"])
    .optional()
    .describe(
      "Members of which no schema says a word, where no additionalProperties speaks of them. ignore if absent.",
    ),
  stripUndeclared: z.boolean().optional().describe("true: members that no schema declares do not leave."),
  writeOnly: z
    .enum(["refuse", "strip", "ignore"])
    .optional()
    .describe("Members that only clients set: refuse (if absent), strip so that they do not leave, or ignore."),
}).describe("What the service answers is held to the document's 'responses'. Not looked at if absent.");
