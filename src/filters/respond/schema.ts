import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { object } from "../../support/schema.ts";
import { headerLines } from "../request/schema.ts";

export interface RespondSettings {
  readonly status?: number | undefined;
  /** Names as the policy has them → values. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  readonly json?: unknown;
}

export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;

export interface RedirectSettings {
  readonly to: string;
  readonly status?: (typeof REDIRECT_STATUSES)[number] | undefined;
  readonly query?: "keep" | "drop" | undefined;
}

const STATUS_EXPECTED = "expected a final status from 200 to 599; redirects are 'redirect', and 304 needs a question";

export const respondSchema: z.ZodType<RespondSettings> = object(
  {
    status: z
      .int({ error: STATUS_EXPECTED })
      .min(200, { error: STATUS_EXPECTED })
      .max(599, { error: STATUS_EXPECTED })
      .refine((status) => status < 300 || status > 399, { error: STATUS_EXPECTED })
      .optional()
      .describe("Status of the answer. 200 if absent."),
    headers: headerLines.optional().describe("Its headers; Content-Type is text/plain or application/json if absent."),
    body: z.string().max(DEFAULTS.ownAnswerCharsMax).optional().describe("Its body, a text."),
    json: z.unknown().optional().describe("In place of 'body': a value that is written as JSON."),
  },
  "{ status: 503 } or { json: { status: ok } }",
).describe("What postern answers itself, once all checks have let the request through; the service is not asked.");

export const redirectSchema: z.ZodType<RedirectSettings> = object(
  {
    to: z
      .string()
      .max(2048)
      .describe(
        "Where to: a path, or a URL whose host is fixed, with {parameters} of the route's path and {attributes} behind it: https://new.example.org/orders/{id}; ** at the path's end is what ** of the route's path is.",
      ),
    status: z
      .literal(REDIRECT_STATUSES, { error: "expected 301, 302, 303, 307 or 308" })
      .optional()
      .describe("307 if absent: the method stays, and nobody remembers it. 308 is remembered for good."),
    query: z
      .enum(["keep", "drop"])
      .optional()
      .describe("Whether the client's query goes along, without its credentials. keep if absent and 'to' has none."),
  },
  "{ to: /v2/orders }",
).describe("Sends the client elsewhere, once all checks have let the request through; the service is not asked.");
