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
  removeHeaders: z.array(headerName).optional(),
  setHeaders: headerLines.optional(),
  securityHeaders: z.enum(["api", "off"]).optional(),
});
