import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, headerName, object } from "../../support/schema.ts";

/** What a policy may pin. `none` is not a word of this language. */
export const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
  "HS256",
  "HS384",
  "HS512",
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

const text = z.string().min(1);

function oneOrMore(error: string) {
  return z.union([text.transform((one) => [one]), z.array(text).min(1, { error })], { error });
}

export const jwtSchema = object({
  type: z.literal("jwt"),
  /** Compared letter by letter with `iss`: no slash is added or taken off. */
  issuer: text,
  /** RFC 8725 section 3.9: without it, a token for another service would do. */
  audience: oneOrMore("expected the audience that tokens for this service have, or a list of them"),
  algorithms: z
    .array(z.enum(ALGORITHMS, { error: `expected one of ${ALGORITHMS.join(", ")}` }))
    .min(1, { error: "expected at least one algorithm, as in [RS256]" }),
  keys: oneOrMore("expected a file of public keys (PEM, JWK or JWKS), or a list of them"),
  /** Another header than Authorization holds the token alone, without a scheme. */
  header: headerName.default("authorization"),
  skew: durationMs
    .refine((ms) => ms <= DEFAULTS.clockSkewMsMax, { error: `expected at most ${DEFAULTS.clockSkewMsMax / 60_000}m` })
    .default(DEFAULTS.clockSkewMs),
  requiredClaims: z.array(text).default([]),
  /** The media type in `typ` (RFC 8725 section 3.11), as in at+jwt. */
  typ: text.optional(),
  /** The claim that names the caller, in place of sub, client_id, azp, cid. */
  principalClaim: text.optional(),
});

export type JwtSettings = z.infer<typeof jwtSchema>;
