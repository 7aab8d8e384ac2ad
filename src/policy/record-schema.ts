import * as z from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { headerName, object, sizeBytes } from "../support/schema.ts";
import { secretReference } from "../support/secret.ts";

const SHARE_EXPECTED = "expected a share, as in 1% or 0.1%, or off";

/** `1%` → 0.01; 0 for none. */
export const shareRatio: z.ZodType<number, string> = z
  .string({ error: SHARE_EXPECTED })
  .regex(/^(?:off|100%|\d{1,2}(?:\.\d{1,3})?%)$/, { error: SHARE_EXPECTED })
  .transform((text) => (text === "off" ? 0 : Number(text.slice(0, -1)) / 100));

/** `1%` → one in a hundred; 0 for none. */
export const shareOneIn: z.ZodType<number, string> = shareRatio.transform((ratio) =>
  ratio === 0 ? 0 : Math.round(1 / ratio),
);

export const decisionsShape = {
  keep: z
    .int()
    .min(1)
    .max(DEFAULTS.decisionsKeptMax)
    .optional()
    .describe("How many denials are kept in memory, and as many other decisions. 500 if absent."),
  sample: shareOneIn
    .optional()
    .describe("Which share of requests that were not denied is kept, as in 1%; off for none. 1% if absent."),
  claims: z
    .array(z.string({ error: "expected the path of a claim, as in tenant or realm_access.roles" }))
    .max(DEFAULTS.factsClaimsMax)
    .optional()
    .describe("Claims whose values decisions show, beside iss, aud, azp, client_id and acr; of others the name alone."),
  debugHeader: object({
    key: secretReference.describe("Secret that signs, at least 32 bytes, as 'openssl rand -hex 32' gives it."),
  })
    .optional()
    .describe(
      "Lets who signs the header Postern-Debug with this key read the decision in the answer's Postern-Decision. Nobody does if absent.",
    ),
  headers: z
    .array(headerName)
    .max(DEFAULTS.factsClaimsMax)
    .optional()
    .describe("Headers whose values decisions show, beside those of docs/records.md; of others the name alone."),
  query: z
    .array(z.string({ error: "expected the name of a parameter, as in sort" }).min(1))
    .max(DEFAULTS.factsClaimsMax)
    .optional()
    .describe(
      "Parameters of queries whose values decisions show; of others the name, the kind of value and about how large it is.",
    ),
};

/** Key `log.audit`. */
export const auditShape = {
  file: z
    .string()
    .min(1)
    .describe(
      "File that gets a line for each denial, reload, ban and act at the admin port, in a folder that nobody else may write.",
    ),
  key: secretReference
    .optional()
    .describe(
      "Secret of at least 32 bytes, by which nobody without it can write the chain anew. Lines have plain hashes if absent.",
    ),
  denialsPerSecond: z
    .int()
    .min(1)
    .max(DEFAULTS.auditDenialsPerSecondMax)
    .optional()
    .describe("Most denials a second that get a line; the next one says how many had none. 100 if absent."),
};

export const recordShape = {
  maxBytes: sizeBytes
    .refine((bytes) => bytes >= DEFAULTS.recordBytesMin && bytes <= DEFAULTS.recordBytesMax, {
      error: "expected 64KiB to 64GiB",
    })
    .optional()
    .describe("Most bytes that the record takes; then the older half goes. 64MiB if absent."),
  sample: shareOneIn
    .optional()
    .describe("Which share of requests is recorded, as in 10%. Each if absent, which limits need to be replayed."),
  requests: z.enum(["all", "denied"]).optional().describe("Which requests are recorded. all if absent."),
};

export const decisionsSchema = z
  .union([z.literal("off"), object(decisionsShape)], { error: "expected a mapping, as in { keep: 1000 }, or off" })
  .describe(
    "The last decisions, kept in memory without secrets for 'postern explain ID', where there is an admin port. off keeps none.",
  );
