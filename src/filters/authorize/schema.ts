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
  scopes: someOf(scope).optional(),
  roles: z
    .union([
      someOf(role).transform((has): RoleRule => ({ claim: null, has })),
      object({ claim: claimPath, has: someOf(role) }),
    ])
    .optional(),
  claims: z
    .record(
      claimPath,
      z.union([claimValue.transform((value) => [value]), someOf(claimValue)], {
        error: "expected a string, number or boolean, or a list of those that are allowed",
      }),
    )
    .optional(),
  spiffeId: z.union([spiffeId.transform((id) => [id]), someOf(spiffeId)]).optional(),
  get any() {
    return someOf(rule).optional();
  },
  get all() {
    return someOf(rule).optional();
  },
};

const rule: z.ZodType<AuthorizeRule> = z.lazy(() => object(ruleShape));

export const authorizeSchema: z.ZodType<AuthorizeSettings> = z.lazy(() =>
  object({ ...ruleShape, any: someOf(rule).optional(), all: someOf(rule).optional(), mode: mode.optional() }),
);
