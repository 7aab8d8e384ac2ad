import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { mode, object, sizeBytes } from "../../support/schema.ts";

const paranoia = z
  .union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)], { error: "expected 1, 2, 3 or 4" })
  .describe("Paranoia level.");

const score = z.int({ error: "expected a whole number" }).min(1).max(10_000);

const exclusion = object({
  rules: z
    .array(z.int().positive(), { error: "expected ids of rules, as in [942100]" })
    .min(1)
    .max(DEFAULTS.detectExclusionsMax)
    .optional()
    .describe("Ids of rules."),
  tags: z
    .array(z.string().min(1))
    .min(1)
    .max(DEFAULTS.detectExclusionsMax)
    .optional()
    .describe("Tags of rules, as in attack-sqli."),
  fields: z
    .array(z.string().min(1))
    .min(1)
    .max(DEFAULTS.detectExclusionsMax)
    .optional()
    .describe(
      "Only in these: ARGS:json.comment, REQUEST_COOKIES:session, REQUEST_HEADERS:Referer, or a whole collection, as in REQUEST_COOKIES. Everywhere if absent.",
    ),
  because: z.string().min(1).max(500).describe("Why, for whoever reads the policy next."),
})
  .refine(({ rules, tags }) => rules !== undefined || tags !== undefined, {
    error: "expected 'rules' or 'tags': which rules are left out",
  })
  .describe("Rules that are left out.");

const exclude = z
  .array(exclusion)
  .max(DEFAULTS.detectExclusionsMax)
  .describe("Rules that are left out, of the whole request or in some fields, each with its reason.");

/** An entry of `detectors`. */
export const detectorSchema = object({
  rules: z
    .array(z.string().min(1))
    .min(1)
    .max(DEFAULTS.detectRuleNamesMax)
    .describe(
      "Files and folders of rules (SecLang) in their order, as a release of the OWASP Core Rule Set has them: crs-setup.conf, then rules/.",
    ),
  paranoia: paranoia.optional().describe("Paranoia level whose rules count, 1 to 4. 1 if absent."),
  detectionParanoia: paranoia
    .optional()
    .describe("Paranoia level up to which rules run; those beyond 'paranoia' are logged and do not count."),
  threshold: score.optional().describe("Score from which a request is refused. 5 if absent: one critical hit."),
  answerThreshold: score.optional().describe("The same of an answer. 4 if absent."),
  variables: z
    .record(z.string().regex(/^[a-z0-9_.-]{1,64}$/i, { error: "expected a name, as in allowed_methods" }), z.string())
    .optional()
    .describe("What crs-setup.conf sets as tx.…: allowed_methods: GET HEAD POST PATCH."),
  exclude: exclude.optional(),
  answers: z
    .enum(["off", "heads", "bodies"])
    .optional()
    .describe("What of answers is searched: nothing (off, if absent), heads, or bodies as well."),
  searchBytesMax: sizeBytes
    .optional()
    .describe("Most bytes of values that are searched in one request. 256KiB if absent."),
  beyond: z
    .enum(["refuse", "pass"])
    .optional()
    .describe("What becomes of a request with more to search than that. refuse if absent."),
  mode: mode.optional(),
})
  .refine(({ paranoia: counted = 1, detectionParanoia: run = counted }) => run >= counted, {
    error: "expected at least the level of 'paranoia': rules that do not run count for nothing",
    path: ["detectionParanoia"],
  })
  .describe("Rules that look for attacks; 'detect' of routes names them.");

export type DetectorSettings = z.output<typeof detectorSchema>;

const names = z.array(z.string().min(1), { error: "expected names of 'detectors', as in [crs]" }).max(8);

/** `detect` of a route or of `defaults`. */
export const detectSchema = z
  .union(
    [
      names.describe("Names of detectors; an empty list for none."),
      object({
        by: names.min(1).describe("Names of detectors."),
        exclude: exclude.optional(),
        mode: mode.optional(),
      }),
    ],
    { error: "expected names of 'detectors', as in [crs], or { by: [crs], exclude: … }" },
  )
  .describe("Which detectors search requests, and answers where they say so.");

export type DetectSettings = z.output<typeof detectSchema>;
export type ExclusionSettings = z.output<typeof exclusion>;
