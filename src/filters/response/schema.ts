import * as z from "zod";
import { headerName, object } from "../../support/schema.ts";
import { headerLines } from "../request/schema.ts";

export interface ResponseSettings {
  readonly removeHeaders?: readonly string[] | undefined;
  /** Names as the policy has them → values. */
  readonly setHeaders?: Readonly<Record<string, string>> | undefined;
  readonly securityHeaders?: "api" | "off" | undefined;
}

export const responseSchema: z.ZodType<ResponseSettings> = object({
  removeHeaders: z.array(headerName).optional().describe("Headers of the service that do not reach the client."),
  setHeaders: headerLines.optional().describe("Headers that are put on, in place of what the service sent."),
  securityHeaders: z
    .enum(["api", "off"])
    .optional()
    .describe("api puts on what browsers obey (nosniff, no-store, frame and referrer rules, HSTS). api if absent."),
}).describe("What of the answer reaches the client.");
