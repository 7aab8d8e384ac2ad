import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { headerName, object } from "../../support/schema.ts";

/** Where requests may name their version: one of the keys. */
export interface SourceSettings {
  readonly header?: string | undefined;
  readonly query?: string | undefined;
  readonly mediaType?: string | undefined;
}

export interface VersionsSettings {
  readonly from: readonly SourceSettings[];
  readonly default?: string | undefined;
}

const VERSION_EXPECTED =
  "expected a version in quotes, as in '2' or '2024-01-01': letters, digits, '.', '_' and '-', at most 64";

/** Of a route or a request. Numbers are none: 1.10 would be 1.1. */
export const versionName: z.ZodType<string, string> = z
  .string({ error: VERSION_EXPECTED })
  .max(DEFAULTS.versionNameCharsMax, { error: VERSION_EXPECTED })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: VERSION_EXPECTED });

/** `version` of a route: one, or several. */
export const routeVersion: z.ZodType<string | readonly string[]> = z.union(
  [versionName, z.array(versionName).min(1).max(DEFAULTS.routeVersionsMax)],
  { error: VERSION_EXPECTED },
);

const QUERY_EXPECTED = "expected the name of a parameter: letters, digits, '.', '_' and '-', as in api-version";
const MEDIA_EXPECTED =
  "expected the name of a parameter, as in version, or a media type with {version}, as in application/vnd.acme.v{version}+json";

/** A parameter's name, or a type whose beginning is long enough to be no other's. */
const MEDIA = /^(?:[A-Za-z0-9][A-Za-z0-9_-]*|[a-z]+\/[a-z0-9][a-z0-9.+-]{2,}\{version\}[a-z0-9.+-]*)$/;

const source: z.ZodType<SourceSettings> = object({
  header: headerName.optional().describe("A header, as in Api-Version."),
  query: z
    .string({ error: QUERY_EXPECTED })
    .max(DEFAULTS.versionNameCharsMax, { error: QUERY_EXPECTED })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: QUERY_EXPECTED })
    .optional()
    .describe("A parameter of the query, as in api-version."),
  mediaType: z
    .string({ error: MEDIA_EXPECTED })
    .max(128, { error: MEDIA_EXPECTED })
    .regex(MEDIA, { error: MEDIA_EXPECTED })
    .optional()
    .describe(
      "Accept and Content-Type: a parameter of theirs, as in version, or a type, as in application/vnd.acme.v{version}+json.",
    ),
}).superRefine((entry, context) => {
  const count = [entry.header, entry.query, entry.mediaType].filter((one) => one !== undefined).length;
  if (count !== 1) context.addIssue({ code: "custom", message: "expected one of: header, query, mediaType" });
});

export const versionsSchema: z.ZodType<VersionsSettings> = object({
  from: z
    .array(source)
    .min(1, { error: "expected at least one place where requests name their version" })
    .max(DEFAULTS.versionSourcesMax)
    .describe("Every place where the service looks for the version. Requests that name two are refused."),
  default: versionName
    .optional()
    .describe("The version of requests that name none; the service is told it. They are refused if absent."),
}).describe("Versions of the API that are not in the path; 'version' of a route says whose it is.");
