import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, headerName, object, sizeBytes } from "../../support/schema.ts";

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

/** Compared letter by letter, so that what a provider's page leaves open matches no token. */
const comparable = text.refine((value) => value !== "*" && !/[{}]/.test(value), {
  error: "expected the text as tokens have it: it is compared letter by letter, without * and {placeholders}",
});

function oneOrMore(error: string) {
  return z.union([text.transform((one) => [one]), z.array(text).min(1, { error })], { error });
}

const audienceError = "expected the audience that tokens for this service have, or a list of them";
const audience = z.union([comparable.transform((one) => [one]), z.array(comparable).min(1, { error: audienceError })], {
  error: audienceError,
});

export const jwtSchema = object({
  type: z.literal("jwt"),
  /** Compared letter by letter with `iss`: no slash is added or taken off. */
  issuer: comparable,
  /** RFC 8725 section 3.9: without it, a token for another service would do. */
  audience,
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
  /** Entra writes 150 groups into 9 KiB; a token also has to fit into the listener's maxHeadBytes. */
  maxTokenBytes: sizeBytes
    .refine((bytes) => bytes >= 1024 && bytes <= DEFAULTS.headBytesCeiling, { error: "expected 1KiB to 1MiB" })
    .default(DEFAULTS.tokenBytesMax),
  /** The claim that names the caller, in place of sub, client_id, azp, cid. */
  principalClaim: text.optional(),
});

export type JwtSettings = z.infer<typeof jwtSchema>;
