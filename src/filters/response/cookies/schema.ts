import * as z from "zod";
import { DEFAULTS } from "../../../support/defaults.ts";
import { object, ofNeither } from "../../../support/schema.ts";

export type SameSite = "Strict" | "Lax" | "None";

/** What cookies of some names leave with, at the least. */
export interface CookieRule {
  /** Exact names, or a beginning and `*`; all if absent. */
  readonly names?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
  /** `tls`: where TLS protects the client's connection to postern. */
  readonly secure?: boolean | "tls" | undefined;
  readonly httpOnly?: boolean | undefined;
  readonly sameSite?: SameSite | undefined;
  readonly partitioned?: boolean | undefined;
}

export type CookiesSettings = CookieRule | readonly CookieRule[];

const { cookieRulesMax, cookieNamesMax } = DEFAULTS;

const cookieName = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/, {
  error: "expected the name of a cookie, or its beginning and *, as in session_*",
});

const names = z
  .array(cookieName)
  .min(1, { error: "expected at least one name" })
  .max(cookieNamesMax, { error: `expected at most ${cookieNamesMax} names` });

const flag = z.boolean({ error: "expected true or false" });

const rule = object({
  names: names
    .optional()
    .describe("Cookies that it is for, by name; a * at the end stands for any rest. All if absent."),
  except: names.optional().describe("Cookies that it is not for."),
  secure: z
    .union([flag, z.literal("tls")], { error: "expected true, false or tls" })
    .optional()
    .describe(
      "true: browsers send them over TLS alone. tls: the same, said only where the client's connection has TLS. As the service says, if absent.",
    ),
  httpOnly: flag.optional().describe("true: no script of a page reads them. As the service says, if absent."),
  sameSite: z
    .enum(["Strict", "Lax", "None"])
    .optional()
    .describe("How far requests of other sites carry them, at most; a stricter word of the service stays."),
  partitioned: flag
    .optional()
    .describe("true: each site that embeds the service has cookies of its own. As the service says, if absent."),
});

export const cookiesSchema: z.ZodType<CookiesSettings> = z
  .union(
    [
      rule,
      z
        .array(rule)
        .min(1, { error: "expected at least one rule" })
        .max(cookieRulesMax, { error: `expected at most ${cookieRulesMax} rules` }),
    ],
    { error: ofNeither("expected a rule, as in { secure: true, httpOnly: true, sameSite: Lax }, or a list of them") },
  )
  .describe(
    "Flags that cookies of the service leave with: a rule, or a list of which the first holds that is for a cookie's name.",
  );
