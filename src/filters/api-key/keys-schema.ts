import * as z from "zod";
import { object } from "../../support/schema.ts";

/** SHA-256 of nothing: a key that an empty header would present. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:\d{2})$/;

const sha256 = z
  .string({ error: "expected the key's SHA-256 in quotes" })
  .regex(/^[0-9a-f]{64}$/i, {
    error: "expected the SHA-256 of the key in 64 hexadecimal digits, as 'postern hash-key' prints it; never the key",
  })
  .transform((digits) => digits.toLowerCase())
  .refine((digits) => digits !== EMPTY_SHA256, { error: "this is the SHA-256 of an empty key" });

/** A day counts to its end, UTC: who reads 'not after Monday' expects Monday to work. */
const notAfterMs = z
  .string()
  .refine((text) => instantMs(text) !== null, {
    error: "expected a date or a time with its zone, as in 2027-01-01 or 2027-01-01T12:00:00Z",
  })
  .transform((text) => instantMs(text) ?? 0);

function instantMs(text: string): number | null {
  const day = DATE.test(text);
  if (!day && !INSTANT.test(text)) return null;
  const parsed = new Date(day ? `${text}T23:59:59.999Z` : text);
  if (Number.isNaN(parsed.getTime())) return null;
  // Date.parse takes February 30th for March 2nd.
  const dayOfMonth = new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate();
  return dayOfMonth === Number(text.slice(8, 10)) ? parsed.getTime() : null;
}

/** Not the usual `object`: an unknown key here may be an API key that somebody pasted, so it is not repeated. */
const key = z.strictObject(
  { sha256, notAfter: notAfterMs.optional() },
  { error: (issue) => (issue.code === "unrecognized_keys" ? "unknown key; expected sha256 and notAfter" : undefined) },
);

const caller = object({
  /** The principal's id: it stands in logs and goes to the service in a header. */
  name: z.string().regex(/^[\x21-\x7e]{1,128}$/, { error: "expected a name of 1 to 128 visible ASCII characters" }),
  /** RFC 6749 section 3.3 */
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: "expected a scope, without blanks or quotes" }))
    .optional(),
  attributes: z.record(z.string(), z.json()).optional(),
  keys: z.array(key).min(1, { error: "expected at least one key" }),
});

export const keysFileSchema = object({ callers: z.array(caller) });

export type KeysFile = z.infer<typeof keysFileSchema>;
