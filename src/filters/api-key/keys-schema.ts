import * as z from "zod";
import { type CallerFacts, callerName, callerShape, limitName, planName, validityShape } from "../caller-schema.ts";
import type { KnownKeys } from "../secret-file-faults.ts";

/**
 * The schemas of a keys file. Every text is ours and none repeats anything of the file: an unknown key may be an API
 * key that somebody pasted, and a file that the policy names by mistake may be any.
 */

/** SHA-256 of nothing: a key that an empty header would present. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export const keyDigest = z
  .string({ error: "expected the key's SHA-256 in quotes" })
  .regex(/^[0-9a-f]{64}$/i, {
    error: "expected the SHA-256 of the key in 64 hexadecimal digits, as 'postern hash-key' prints it; never the key",
  })
  .transform((digits) => digits.toLowerCase())
  .refine((digits) => digits !== EMPTY_SHA256, { error: "this is the SHA-256 of an empty key" });

export const keySchema = z.strictObject(
  {
    sha256: keyDigest,
    name: callerName.optional(),
    ...validityShape,
    limit: limitName.optional(),
    plan: planName.optional(),
  },
  { error: "expected a mapping with sha256, as 'postern hash-key' prints it; never the key" },
);

/** A caller less its keys, which are judged one by one: a file may hold 100,000. */
export const callerSchema = z.strictObject(
  {
    ...callerShape,
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
export interface Caller extends CallerFacts {
  readonly keys: readonly z.output<typeof keySchema>[];
}

export const KNOWN_KEYS: KnownKeys = new Map([
  [0, Object.keys(keysFileSchema.shape)],
  [2, Object.keys(callerSchema.shape)],
  [4, Object.keys(keySchema.shape)],
]);
