import * as z from "zod";
import { durationMs, mode, object } from "../../support/schema.ts";

/** One authenticator by its name, or a group within the list. */
export type Term = string | Group;

export interface Group {
  readonly any?: readonly Term[] | undefined;
  readonly all?: readonly Term[] | undefined;
}

const error = "expected names of authenticators, as in [mesh, okta], or { all: [mesh, okta] }";
const EMPTY = "expected at least one authenticator";
const TWO = "expected at least two: one alone needs no 'all'";
const ANY = "Names of authenticators; a caller that one of them knows is let in. The last may be of type anonymous.";
const ALL = "Names of authenticators; each has to know the caller, and the last one says who it is.";

const AUDIENCE = "expected what tokens for this route have in aud, as in https://api.example.org/orders, or a list";

const audience = z.string().min(1, { error: AUDIENCE });
const name = z.string().min(1, { error });
const names = z.array(name);

/** Of names alone: who has to know the caller is to be seen at a glance. */
const innerGroup = z.union(
  [
    object({ any: names.min(1, { error: EMPTY }).describe(ANY) }),
    object({ all: names.min(2, { error: TWO }).describe(ALL) }),
  ],
  { error: "expected { any: [okta, entra] } or { all: [mesh, okta] }, of names alone" },
);
const terms = z.array(z.union([name, innerGroup], { error }));
const anyTerms = terms.min(1, { error: EMPTY });

/** Any one of the named authenticators will do, or each of them has to. */
export const authenticateSchema = z
  .union(
    [
      anyTerms,
      object({
        any: anyTerms.describe(ANY).optional(),
        all: terms.min(2, { error: TWO }).describe(ALL).optional(),
        acr: z
          .array(
            z
              .string()
              .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: "expected an acr value, without blanks or quotes" }),
          )
          .min(1, { error: "expected at least one acr value" })
          .optional()
          .describe(
            "Authentication context classes of which the token's 'acr' has to be one; else the client is asked to step up.",
          ),
        maxAge: durationMs
          .refine((ms) => ms >= 1_000, { error: "expected at least 1s" })
          .optional()
          .describe("How long ago the user may have authenticated, by the token's 'auth_time'."),
        audience: z
          .union([audience.transform((one) => [one]), z.array(audience).min(1, { error: AUDIENCE })], {
            error: AUDIENCE,
          })
          .optional()
          .describe(
            "What a token has to have in aud on this route, as its resource (RFC 8707), or a list of which one will do; beside what its authenticator asks for.",
          ),
        mode: mode.optional(),
      }).refine(({ any, all }) => (any === undefined) !== (all === undefined), {
        error: "expected either 'any' or 'all'",
      }),
    ],
    { error },
  )
  .describe("Authenticators of which any one has to know the caller, or with 'all' each of them.");

export type AuthenticateSettings = z.infer<typeof authenticateSchema>;
