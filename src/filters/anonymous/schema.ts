import * as z from "zod";
import { object } from "../../support/schema.ts";

export const anonymousSchema = object({
  type: z.literal("anonymous").describe("Whoever shows no credentials at all; the last choice of a route."),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: "expected a scope, without blanks or quotes" }))
    .default([])
    .describe("Scopes that such a caller has. None if absent."),
});

export type AnonymousSettings = z.infer<typeof anonymousSchema>;
