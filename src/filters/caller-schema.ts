import * as z from "zod";
import { INSTANT_EXPECTED, instantMs } from "../support/instant.ts";

/**
 * What files of callers say of one: keys files and users files. Every text is ours and none repeats anything of the file,
 * for any of it may be a key or password in clear.
 */

const NAME_EXPECTED = "expected a name of 1 to 128 visible ASCII characters";
const SCOPE_EXPECTED = "expected a scope, without blanks or quotes";
const ROLE_EXPECTED = "expected the name of a role";

function instant(endOfDay: boolean): z.ZodType<number, string> {
  return z
    .string({ error: INSTANT_EXPECTED })
    .refine((text) => instantMs(text, endOfDay) !== null, { error: INSTANT_EXPECTED })
    .transform((text) => instantMs(text, endOfDay) ?? 0);
}

/** Unix milliseconds. A day counts whole, UTC: who reads 'not after Monday' expects Monday to work. */
export const validityShape = { notBefore: instant(false).optional(), notAfter: instant(true).optional() };

/** The principal's id: it stands in logs and goes to the service in a header. */
export const callerName = z.string({ error: NAME_EXPECTED }).regex(/^[\x21-\x7e]{1,128}$/, { error: NAME_EXPECTED });

export const limitName = z.string({ error: "expected the name of a limit of the policy" }).min(1).max(64);

export const planName = z.string({ error: "expected the name of a plan of the policy" }).min(1).max(64);

export const callerShape = {
  name: callerName,
  /** RFC 6749 section 3.3 */
  scopes: z
    .array(z.string({ error: SCOPE_EXPECTED }).regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: SCOPE_EXPECTED }), {
      error: "expected a list of scopes",
    })
    .optional(),
  roles: z
    .array(z.string({ error: ROLE_EXPECTED }).min(1, { error: ROLE_EXPECTED }), { error: "expected a list of roles" })
    .optional(),
  claims: z
    .record(z.string(), z.json(), { error: "expected a mapping of names to values" })
    .refine((claims) => !Object.hasOwn(claims, "roles"), { error: "roles stand in 'roles', beside 'claims'" })
    .optional(),
  limit: limitName.optional(),
  plan: planName.optional(),
};

/** What a caller of such a file may do, and within which limit of the policy. */
export interface CallerFacts {
  readonly name: string;
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly limit?: string | undefined;
  readonly plan?: string | undefined;
}
