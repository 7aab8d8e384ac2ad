import * as z from "zod";
import { durationMs, object } from "../support/schema.ts";
import { secretReference } from "../support/secret.ts";
import { fileName } from "./certificate-schema.ts";

/** Sections about what is not enforced yet, or not for good: `ladder`, `candidate` and `guard`. */

function percent(example: string, text: string) {
  return z
    .string({ error: `expected a share, as in ${example}` })
    .regex(/^(?:100|[1-9]?\d)%$/, { error: `expected a share, as in ${example}` })
    .transform((value) => Number(value.slice(0, -1)) / 100)
    .optional()
    .describe(text);
}

export const candidateSchema = z
  .union(
    [
      fileName,
      object({
        file: fileName.describe("Policy file, relative to this one. It and all that it names are watched."),
        share: percent("10%", "Share of requests that it judges, too. 10% if absent."),
        cpuShare: percent("2%", "Share of one processor that it may take; requests beyond are left out. 2% if absent."),
      }),
    ],
    { error: "expected a policy file, as in next.yaml, or { file: next.yaml, share: 10%, cpuShare: 2% }" },
  )
  .describe("Another policy that judges a sample of real requests beside this one, and acts on none of them.");

export const ladderShape = {
  key: secretReference
    .optional()
    .describe(
      "A secret that says which callers are in a share: the same ones in every process that has it. Each process has its own if absent.",
    ),
};

export const guardShape = {
  denials: percent(
    "20%",
    "Share of the callers that show a good credential: where more of them are denied what the policy before would have allowed, that one comes back. 20% if absent.",
  ),
  within: durationMs.optional().describe("So long after the policy came into force, at most 1h. 1m if absent."),
  callers: z
    .int()
    .min(5)
    .max(1000)
    .optional()
    .describe("So many callers have to be denied at least, however few ask. 10 if absent."),
};
