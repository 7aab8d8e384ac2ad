import * as z from "zod";
import { canonicalName } from "../../message/distinguished-name.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { callerName, validityShape } from "../caller-schema.ts";
import type { KnownKeys } from "../secret-file-faults.ts";
import { canonicalSerial } from "./serial.ts";

/**
 * The schemas of a file of what is revoked. Every text is ours and none repeats anything of the file, which the policy may
 * name by mistake.
 */

const SERIAL_EXPECTED = "expected a serial number in quotes, in hexadecimal as OpenSSL prints it: '0A:1B' or '0A1B'";
const ISSUER_EXPECTED = "expected the name of an authority, as in 'CN=ca,O=example'";

function text(what: string): z.ZodType<string, string> {
  const error = `expected ${what} of 1 to ${DEFAULTS.revokedTextMax} characters, in quotes where it looks like a number`;
  return z.string({ error }).min(1, { error }).max(DEFAULTS.revokedTextMax, { error });
}

/** A text that a parser gives one spelling. */
function spelling(parse: (text: string) => string | null, error: string): z.ZodType<string, string> {
  return z
    .string({ error })
    .refine((one) => parse(one) !== null, { error })
    .transform((one) => parse(one) ?? "");
}

const authenticator = z.string({ error: "expected the name of an authenticator" }).min(1).max(64).optional();
const until = validityShape.notAfter;
const tokenShape = { issuer: text("an issuer").optional(), authenticator, until };
const sessionShape = { ...tokenShape, issuedBefore: validityShape.notBefore };

/** One list of the file: what its plain entries are, and its mappings, whose first key has the same. */
function list<S extends z.ZodRawShape>(key: string, value: z.ZodType<string, string>, more: S) {
  const entry = z.strictObject({ [key]: value, ...more }, { error: `expected a text, or a mapping with ${key}` });
  const keys = Object.keys(entry.shape);
  return { key, value, entry, knownKeys: new Map([[2, keys]]) as KnownKeys };
}

export const REVOKED_LISTS = {
  jti: list("jti", text("a token's jti"), tokenShape),
  sub: list("sub", text("a sub"), sessionShape),
  sid: list("sid", text("a sid"), sessionShape),
  serials: list("serial", spelling(canonicalSerial, SERIAL_EXPECTED), {
    issuer: spelling(canonicalName, ISSUER_EXPECTED).optional(),
    until,
  }),
  callers: list("caller", callerName, { authenticator, until }),
} as const;

export type RevokedKind = keyof typeof REVOKED_LISTS;

export const REVOKED_KINDS = Object.keys(REVOKED_LISTS) as RevokedKind[];

// An array of anything would be gone through item by item, all 100,000 at a stretch.
const someList = z.custom<readonly unknown[]>(Array.isArray, { error: "expected a list" }).optional();

/** The file less the entries of its lists. */
export const revokedFileSchema = z.strictObject(
  { jti: someList, sub: someList, sid: someList, serials: someList, callers: someList },
  { error: `expected a mapping with any of ${REVOKED_KINDS.join(", ")}` },
);

export const FILE_KEYS: KnownKeys = new Map([[0, REVOKED_KINDS]]);
