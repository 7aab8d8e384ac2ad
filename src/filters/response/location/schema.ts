import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { mode, object } from "../../../support/schema.ts";

export interface LocationSettings {
  /** Percent of callers for whom it is enforced. */
  readonly mode?: number | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly internal?: readonly string[] | undefined;
  readonly others?: "refuse" | "remove" | "pass" | undefined;
  readonly addresses?: "pass" | "remove" | undefined;
}

const NAME = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?";
const ALLOWED = new RegExp(
  String.raw`^(?:https?:\/\/(?:\*(?:\.${NAME}){2,}|${NAME}(?:\.${NAME})*|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?|(?!(?:https?|javascript|data|vbscript|file|blob):)[a-z][a-z0-9+.-]*:)$`,
);
const HOST = new RegExp(String.raw`^(?:\*\.)?${NAME}(?:\.${NAME})*$`);

export const locationSchema: z.ZodType<LocationSettings> = object(
  {
    mode: mode.optional(),
    allow: z
      .array(
        z.string().regex(ALLOWED, {
          error:
            "expected an origin in lower case (https://login.example.org, https://*.example.org) or the scheme of an app (com.example.app:)",
        }),
      )
      .max(DEFAULTS.locationOriginsMax)
      .optional()
      .describe("Where redirects of the service may lead besides the host that was asked. Nowhere if absent."),
    internal: z
      .array(
        z
          .string()
          .regex(HOST, { error: "expected a host in lower case, as in orders-app.example.net or *.example.net" }),
      )
      .max(DEFAULTS.locationOriginsMax)
      .optional()
      .describe(
        "Further hosts of the service's own side. Private addresses, localhost, names without a dot and those below .internal, .local, .svc, .cluster.local and the like are.",
      ),
    others: z
      .enum(["refuse", "remove", "pass"])
      .optional()
      .describe("What becomes of an answer that leads elsewhere: 502 (if absent), or it leaves without the header."),
    addresses: z
      .enum(["pass", "remove"])
      .optional()
      .describe("Whether other headers that hold a private address or an internal URL come off. pass if absent."),
  },
  "{ allow: [https://login.example.org] }",
).describe("Where Location, Content-Location and Refresh may lead. Internal hosts come off them, and off Link.");
