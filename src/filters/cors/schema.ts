import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, headerName, object, ofKind } from "../../support/schema.ts";
import { isSharedDomain } from "./shared-domains.ts";

/** Whose pages may read answers. All of it in lower case. */
export type OriginRule =
  | { readonly kind: "any" }
  /** As browsers send it, without a default port. */
  | { readonly kind: "exact"; readonly origin: string }
  /** `scheme://`, and `.example.org` or `.example.org:8443`: every name below. */
  | { readonly kind: "below"; readonly scheme: string; readonly suffix: string }
  /** `http://localhost:`: every port of it. */
  | { readonly kind: "ports"; readonly beginning: string };

export interface CorsSettings {
  readonly origins: readonly string[];
  readonly methods?: readonly string[] | undefined;
  readonly headers?: readonly string[] | undefined;
  readonly exposeHeaders?: readonly string[] | undefined;
  readonly credentials?: boolean | undefined;
  /** Milliseconds. */
  readonly maxAge?: number | undefined;
  readonly privateNetwork?: boolean | undefined;
  readonly others?: "pass" | "refuse" | undefined;
}

const NAME = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?";
const PORT = String.raw`(?::\d{1,5})?`;
const EXACT = new RegExp(String.raw`^[a-z][a-z0-9+.-]*:\/\/(?:\[[0-9a-f:.]+\]|${NAME}(?:\.${NAME})*)${PORT}$`);
const BELOW = new RegExp(String.raw`^(https?:\/\/)\*((?:\.${NAME}){2,}${PORT})$`);
const PORTS = /^(https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\*$/;

const EXPECTED =
  "expected an origin as browsers send it (https://app.example.org), every name below one (https://*.example.org), every port of this machine (http://localhost:*), or *";

/** Why a text is none of them, where a reason can be told; null for one that is. */
function faultOf(text: string): string | null {
  const [, , below = ""] = BELOW.exec(text) ?? [];
  const domain = below.slice(1).replace(/:\d+$/, "");
  if (isSharedDomain(domain)) return `anybody can have a name below ${domain}; expected one label more behind *.`;
  if (text === "*" || below !== "" || PORTS.test(text)) return null;
  if (text === "null") return "'null' is the origin of any sandboxed page of anybody; expected the origin of the page";
  if (/^https?:\/\/\*\.[^.]+$/.test(text))
    return "all names of a top-level domain are anybody's; expected at least two labels behind *.";
  if (text.includes("*")) return `* stands for all names below a domain, at the beginning; ${EXPECTED}`;
  if (text !== text.toLowerCase()) return `browsers send origins in lower case; ${EXPECTED}`;
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]+[/?#]/.test(text)) return `an origin ends behind the host and port; ${EXPECTED}`;
  return EXACT.test(text) ? null : EXPECTED;
}

/** Of a text that the schema took. */
export function originRule(text: string): OriginRule {
  if (text === "*") return { kind: "any" };
  const [, scheme = "", suffix = ""] = BELOW.exec(text) ?? [];
  if (scheme !== "") return { kind: "below", scheme, suffix };
  const [, beginning = ""] = PORTS.exec(text) ?? [];
  return beginning === "" ? { kind: "exact", origin: text } : { kind: "ports", beginning: `${beginning}:` };
}

const origin = z.string({ error: EXPECTED }).superRefine((text, context) => {
  const fault = faultOf(text);
  if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

const METHOD_EXPECTED = "expected a method in upper case, as in PATCH";
const names = z.array(headerName).max(DEFAULTS.corsNamesMax);

export const corsSchema: z.ZodType<CorsSettings> = object(
  {
    origins: z
      .array(origin, { error: ofKind("expected a list, as in [https://app.example.org]") })
      .min(1, { error: "expected at least one origin; without 'cors' no page of another origin reads answers" })
      .max(DEFAULTS.corsOriginsMax)
      .describe(
        "Whose pages may read answers: origins, https://*.example.org for every name below one, or * for anybody's.",
      ),
    methods: z
      .array(z.string({ error: METHOD_EXPECTED }).regex(/^[A-Z][A-Z0-9-]{0,31}$/, { error: METHOD_EXPECTED }))
      .min(1)
      .optional()
      .describe("Methods that pages may use. Those of the route if absent."),
    headers: names
      .optional()
      .describe(
        "Headers that pages may send beyond those of the route's credentials, of 'validate.headers' and Content-Type.",
      ),
    exposeHeaders: names
      .optional()
      .describe("Headers of answers that pages may read beyond those that postern sets itself."),
    credentials: z
      .boolean({ error: "expected true or false" })
      .optional()
      .describe("Whether pages may have the browser send cookies and client certificates. false if absent."),
    maxAge: durationMs.optional().describe("How long browsers may keep the answer to a preflight. 10m if absent."),
    privateNetwork: z
      .boolean({ error: "expected true or false" })
      .optional()
      .describe("Whether pages of the public internet may ask this service in a private network. false if absent."),
    others: z
      .enum(["pass", "refuse"])
      .optional()
      .describe(
        "What becomes of requests of other pages: pass, if absent, so that only reading the answer fails, or refuse.",
      ),
  },
  "{ origins: [https://app.example.org] }",
).describe("Which pages of other origins may call this from a browser (CORS); preflights are answered here.");
