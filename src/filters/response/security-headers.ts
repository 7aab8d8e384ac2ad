import * as z from "zod";
import type { HeaderLine } from "../../decision/verdict.ts";
import { object } from "../../support/schema.ts";
import { headerValue } from "../request/schema.ts";

/** What a policy may say of them: `off`, or a value of its own in place of the profile's. */
const NAMES = [
  "Cache-Control",
  "Content-Security-Policy",
  "Cross-Origin-Embedder-Policy",
  "Cross-Origin-Opener-Policy",
  "Cross-Origin-Resource-Policy",
  "Permissions-Policy",
  "Referrer-Policy",
  "Strict-Transport-Security",
  "X-Frame-Options",
] as const;

type Profile = "api" | "pages";
type OwnValues = { readonly [Name in (typeof NAMES)[number]]?: string | undefined };
export type SecurityHeadersSettings = Profile | "off" | (OwnValues & { readonly profile?: Profile | undefined });

/** Compiled: lines that are put on. */
export interface SecurityHeaders {
  /** In place of what the service sent. */
  readonly set: readonly HeaderLine[];
  /** Where the service sent none of that name. */
  readonly defaults: readonly HeaderLine[];
  /** The same, over TLS alone (RFC 6797 section 7.2). */
  readonly secureDefaults: readonly HeaderLine[];
}

/** Always, whatever the service says: there is no reason to let a browser guess. */
const SET: readonly HeaderLine[] = [["x-content-type-options", "nosniff"]];

const SECURE = "strict-transport-security";

const PROFILES: Readonly<Record<Profile, Readonly<Record<string, string>>>> = {
  /** Right for answers that no browser shows as a page; a service that serves pages sends its own. */
  api: {
    "cache-control": "no-store, no-cache, must-revalidate",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    [SECURE]: "max-age=31536000",
  },
  /** For pages as Swagger UI and Redoc are: scripts of the service itself, styles and pictures also from within. */
  pages: {
    "cache-control": "private, no-cache",
    "content-security-policy":
      "default-src 'self'; base-uri 'none'; font-src 'self' data:; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    [SECURE]: "max-age=31536000",
  },
};

const ownValue = headerValue.describe("A value in place of the profile's, or off.");

export const securityHeadersSchema: z.ZodType<SecurityHeadersSettings> = z
  .union([
    z.enum(["api", "pages", "off"]),
    object({
      profile: z.enum(["api", "pages"]).optional().describe("Whose values hold for the others. api if absent."),
      ...(Object.fromEntries(NAMES.map((name) => [name, ownValue.optional()])) as Record<
        (typeof NAMES)[number],
        z.ZodOptional<typeof ownValue>
      >),
    }),
  ])
  .describe(
    "What browsers obey (nosniff, no-store, frame, referrer and resource rules, HSTS). api, if absent, for answers that no browser shows; pages for documentation; off; or a profile with values of your own.",
  );

/** `replaced`: names in lower case that the policy sets anyway. */
export function compileSecurityHeaders(
  settings: SecurityHeadersSettings = "api",
  replaced: ReadonlySet<string>,
): SecurityHeaders {
  if (settings === "off") return { set: [], defaults: [], secureDefaults: [] };
  if (settings === "api" && replaced.size === 0) {
    usual ??= linesOf("api", replaced);
    return usual;
  }
  return linesOf(settings, replaced);
}

/** Of most routes. */
let usual: SecurityHeaders | null = null;

function linesOf(settings: Exclude<SecurityHeadersSettings, "off">, replaced: ReadonlySet<string>): SecurityHeaders {
  const { profile = "api", ...own } = typeof settings === "string" ? { profile: settings } : settings;
  const values = new Map(Object.entries(PROFILES[profile]));
  for (const [name, value] of Object.entries<string | undefined>(own)) {
    if (value === "off") values.delete(name.toLowerCase());
    else if (value !== undefined) values.set(name.toLowerCase(), value);
  }
  const lines = [...values].filter(([name]) => !replaced.has(name));
  return {
    set: SET.filter(([name]) => !replaced.has(name)),
    defaults: lines.filter(([name]) => name !== SECURE),
    secureDefaults: lines.filter(([name]) => name === SECURE),
  };
}
