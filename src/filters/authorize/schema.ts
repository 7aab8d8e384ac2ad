import * as z from "zod";
import { mode, object } from "../../support/schema.ts";
import { parseClaimPath } from "./claim-path.ts";

/** One rule; every key it has must hold. */
export interface AuthorizeRule {
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: RoleRule | undefined;
  readonly claims?: Readonly<Record<string, readonly ClaimValue[]>> | undefined;
  readonly spiffeId?: readonly string[] | undefined;
  readonly any?: readonly AuthorizeRule[] | undefined;
  readonly all?: readonly AuthorizeRule[] | undefined;
}

export interface AuthorizeSettings extends AuthorizeRule {
  readonly mode?: number | undefined;
}

/** `claim` null: the claims `roles` and `groups`. */
export interface RoleRule {
  readonly claim: string | null;
  readonly has: readonly string[];
}

export type ClaimValue = string | number | boolean;

const ANY = "Rules of which one has to hold.";
const ALL = "Rules of which each has to hold.";
const EMPTY = "expected at least one; an empty list would ask for nothing";

function someOf<Item extends z.ZodType>(item: Item): z.ZodArray<Item> {
  return z.array(item).min(1, { error: EMPTY });
}

/** RFC 6749 section 3.3; without quote and backslash it fits into a challenge as it is. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: "expected a scope: visible ASCII, no spaces" });
const role = z.string().min(1, { error: "expected the name of a role" });

const claimPath = z.string().superRefine((text, context) => {
  const parsed = parseClaimPath(text);
  if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.error });
});
const claimValue = z.union([z.string(), z.number(), z.boolean()], { error: "expected a string, number or boolean" });

/** SPIFFE-ID sections 2.1 and 2.2, or all IDs below one. No dot segments: nothing can be read as another path. */
const spiffeId = z.string().regex(/^spiffe:\/\/[a-z0-9._-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*(?:\/\*\*)?$/, {
  error: "expected a SPIFFE ID, as in spiffe://example.org/ns/shop/sa/billing, or all below it with /** at the end",
});

const ruleShape = {
  scopes: someOf(scope).optional().describe("Scopes of the caller's token or API key; it has to have all of them."),
  roles: z
    .union([
      someOf(role).transform((has): RoleRule => ({ claim: null, has })),
      object({
        claim: claimPath.describe("Path of the claim that lists roles, as in realm_access.roles."),
        has: someOf(role).describe("Roles of which the caller has to have all."),
      }),
    ])
    .optional()
    .describe(
      "Roles of which the caller has to have all, in its claims 'roles' and 'groups' or in the one that is named.",
    ),
  claims: z
    .record(
      claimPath,
      z.union([claimValue.transform((value) => [value]), someOf(claimValue)], {
        error: "expected a string, number or boolean, or a list of those that are allowed",
      }),
    )
    .optional()
    .describe("Claims of the token: path → the value, or a list of values of which it has to have one."),
  spiffeId: z
    .union([spiffeId.transform((id) => [id]), someOf(spiffeId)])
    .optional()
    .describe("SPIFFE ID of the client certificate, or a list of those that will do; /** at the end: all below it."),
  get any() {
    return someOf(rule).optional().describe(ANY);
  },
  get all() {
    return someOf(rule).optional().describe(ALL);
  },
};

const rule: z.ZodType<AuthorizeRule> = z.lazy(() => object(ruleShape));

export const authorizeSchema: z.ZodType<AuthorizeSettings> = z.lazy(() =>
  object({
    ...ruleShape,
    any: someOf(rule).optional().describe(ANY),
    all: someOf(rule).optional().describe(ALL),
    mode: mode.optional(),
  }).describe("What a known caller must have. All keys that are there have to hold."),
);
