import * as z from "zod";
import { headerName, object } from "../../support/schema.ts";

export interface RequestIdSettings {
  readonly header?: string | undefined;
  readonly from?: "anybody" | "trustedProxies" | "nobody" | undefined;
  readonly traceContext?: boolean | undefined;
}

export const requestIdSchema: z.ZodType<RequestIdSettings> = object({
  header: headerName.optional().describe("Header that holds the id, both ways. X-Request-Id if absent."),
  from: z
    .enum(["anybody", "trustedProxies", "nobody"])
    .optional()
    .describe("Whose ids and traces are passed on: anybody's, if absent, those of trusted proxies, or nobody's."),
  traceContext: z
    .boolean({ error: "expected true or false" })
    .optional()
    .describe(
      "Whether 'traceparent' (W3C) is checked, logged, passed on, and made where there is none. true if absent.",
    ),
}).describe("An id by which a request can be followed: to the service, to the client, and in the log.");
