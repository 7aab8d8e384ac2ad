import * as z from "zod";

/**
 * The schemas of a keys file. Every text is ours and none repeats anything of the file: an unknown key may be an API
 * key that somebody pasted, and a file that the policy names by mistake may be any.
 */

/** SHA-256 of nothing: a key that an empty header would present. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:\d{2})$/;

const NOT_AFTER_EXPECTED = "expected a date or a time with its zone, as in 2027-01-01 or 2027-01-01T12:00:00Z";
const NAME_EXPECTED = "expected a name of 1 to 128 visible ASCII characters";
const SCOPE_EXPECTED = "expected a scope, without blanks or quotes";

export const keyDigest = z
  .string({ error: "expected the key's SHA-256 in quotes" })
  .regex(/^[0-9a-f]{64}$/i, {
    error: "expected the SHA-256 of the key in 64 hexadecimal digits, as 'postern hash-key' prints it; never the key",
  })
  .transform((digits) => digits.toLowerCase())
  .refine((digits) => digits !== EMPTY_SHA256, { error: "this is the SHA-256 of an empty key" });

/** A day counts to its end, UTC: who reads 'not after Monday' expects Monday to work. */
const notAfterMs = z
  .string({ error: NOT_AFTER_EXPECTED })
  .refine((text) => instantMs(text) !== null, { error: NOT_AFTER_EXPECTED })
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

export const keySchema = z.strictObject(
  { sha256: keyDigest, notAfter: notAfterMs.optional() },
  { error: "expected a mapping with sha256, as 'postern hash-key' prints it; never the key" },
);

/** The principal's id: it stands in logs and goes to the service in a header. */
export const callerName = z.string({ error: NAME_EXPECTED }).regex(/^[\x21-\x7e]{1,128}$/, { error: NAME_EXPECTED });

/** A caller less its keys, which are judged one by one: a file may hold 100,000. */
export const callerSchema = z.strictObject(
  {
    name: callerName,
    /** RFC 6749 section 3.3 */
    scopes: z
      .array(z.string({ error: SCOPE_EXPECTED }).regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: SCOPE_EXPECTED }), {
        error: "expected a list of scopes",
      })
      .optional(),
    attributes: z.record(z.string(), z.json(), { error: "expected a mapping of names to values" }).optional(),
    keys: z
      .array(z.unknown(), { error: "expected a list of keys, each with its sha256" })
      .min(1, { error: "expected at least one key" }),
  },
  { error: "expected a mapping with the name and keys of a caller" },
);

/** The file less its callers. */
export const keysFileSchema = z.strictObject(
  { callers: z.array(z.unknown(), { error: "expected a list of callers, each with name and keys" }) },
  { error: "expected a mapping with 'callers'" },
);

/** One caller of a keys file. */
export interface Caller extends Omit<z.output<typeof callerSchema>, "keys"> {
  readonly keys: readonly z.output<typeof keySchema>[];
}

/** The keys that a mapping of the file may have, by how deep it stands: the file, `callers[0]`, `callers[0].keys[0]`. */
export const KNOWN_KEYS: ReadonlyMap<number, readonly string[]> = new Map([
  [0, Object.keys(keysFileSchema.shape)],
  [2, Object.keys(callerSchema.shape)],
  [4, Object.keys(keySchema.shape)],
]);
