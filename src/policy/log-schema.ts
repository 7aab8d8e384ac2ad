import * as z from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { durationMs, object, sizeBytes } from "../support/schema.ts";
import { DENIAL_FIELDS, NOTE_FIELDS, USUAL_FIELDS } from "../telemetry/access-fields.ts";
import { auditShape, shareRatio } from "./record-schema.ts";

/** Without `id` nobody finds the decision of a line. */
const REMOVABLE = [USUAL_FIELDS, DENIAL_FIELDS, NOTE_FIELDS].flatMap((table) =>
  Object.keys(table).filter((name) => name !== "id"),
);

const NAME_EXPECTED = "expected a name: a letter, then letters, digits, '_', '.' or '-', at most 64";

const fieldName = z.enum(REMOVABLE, { error: "expected the name of a field, as docs/log-fields.md has it" });

export const logFieldsShape = {
  add: z
    .record(
      z.string().regex(/^[A-Za-z][\w.-]{0,63}$/, { error: NAME_EXPECTED }),
      z.string({ error: "expected the name of an attribute, as in jwt.tenant" }),
    )
    .refine((added) => Object.keys(added).length <= DEFAULTS.logFieldsAddedMax, {
      error: `expected at most ${DEFAULTS.logFieldsAddedMax} fields`,
    })
    .optional()
    .describe(
      "Further fields: name → the attribute that it says, as in tenant: jwt.tenant. None that may be a secret.",
    ),
  remove: z.array(fieldName).optional().describe("Fields that are left out, as in [policyHash, withheld]."),
  only: z.array(fieldName).min(1).optional().describe("The fields that there are besides id, in place of 'remove'."),
};

export const logFileShape = {
  path: z.string().min(1).describe("The file, in a folder that nobody else may write."),
  maxBytes: sizeBytes
    .refine((bytes) => bytes >= DEFAULTS.logFileBytesMin, { error: "expected at least 64KiB" })
    .optional()
    .describe("Size from which on it is renamed to PATH.1, and that to PATH.2. It is never renamed if absent."),
  keep: z
    .int()
    .min(1)
    .max(DEFAULTS.logFilesKeptMax)
    .optional()
    .describe("How many of those are kept, beside 'maxBytes'. 5 if absent."),
  mode: z
    .enum(["0600", "0640"], { error: "expected '0600' or '0640', in quotes" })
    .optional()
    .describe("Who may read a file that is made: '0600' this user, '0640' its group, too. '0600' if absent."),
};

export const logShape = {
  access: z.enum(["all", "denied", "off"]).optional().describe("Which requests get an access line. all if absent."),
  fields: object(logFieldsShape).optional().describe("Which fields the line of a request has. All if absent."),
  preset: z
    .enum(["ecs", "otel"])
    .optional()
    .describe(
      "What fields are called in JSON: as Elastic Common Schema has them, or OpenTelemetry. Postern's own names if absent.",
    ),
  sample: shareRatio
    .refine((ratio) => ratio > 0, { error: "expected a share, as in 10%; 'access: denied' logs none" })
    .optional()
    .describe(
      "Which share of requests that went well gets a line, as in 10%. Denials, failures, and what would have been denied or was found always do. All if absent.",
    ),
  slow: durationMs
    .refine((ms) => ms > 0, { error: "expected a time of more than 0" })
    .optional()
    .describe("Requests that take as long get a line in any case but 'access: off'."),
  denialsPerSecond: z
    .int()
    .min(1)
    .max(DEFAULTS.logDenialsPerSecondMax)
    .optional()
    .describe(
      "Most lines a second of requests that were refused or failed; the others are counted in one. 1000 if absent.",
    ),
  file: object(logFileShape)
    .optional()
    .describe("File for the lines of requests, in place of standard output, and for those of the process, beside it."),
  audit: object(auditShape)
    .optional()
    .describe("Chain of lines that shows when one is changed or removed (docs/logging.md). None if absent."),
};
