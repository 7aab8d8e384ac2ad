import * as z from "zod";
import { parseClaimPath } from "../../attributes/claim-path.ts";
import { callUrl } from "../../calls/call-url.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, object, sizeBytes } from "../../support/schema.ts";
import { secretReference } from "../../support/secret.ts";
import { parseSocketAddress } from "../../support/socket-path.ts";
import { bindingShape } from "../binding-schema.ts";
import { tokenPlacesShape } from "../token-places.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { PROVIDERS, TENANT } from "./provider-names.ts";

const text = z.string().min(1);

/** Compared letter by letter, so that what a provider's page leaves open matches no token. */
const LEFT_OPEN = /[*{}<>]|^\s|\s$/;

const comparable = text.refine((value) => !LEFT_OPEN.test(value), {
  error:
    "expected the text as tokens have it: it is compared letter by letter, without *, {placeholders}, <placeholders> and blanks around it",
});

function oneOrMore(error: string) {
  return z.union([text.transform((one) => [one]), z.array(text).min(1, { error })], { error });
}

const audienceError = "expected the audience that tokens for this service have, or a list of them";
const audience = z.union([comparable.transform((one) => [one]), z.array(comparable).min(1, { error: audienceError })], {
  error: audienceError,
});

/** Entra's addresses for any tenant: its tokens name the tenant that they are of. */
const ANY_TENANT =
  /^https:\/\/(?:login\.microsoftonline\.com|sts\.windows\.net)\/(?:common|organizations|consumers)(?:\/|$)/;

const issuerText = text
  .refine((value) => !ANY_TENANT.test(value), {
    error: `tokens name the tenant that they are of, and none has this; expected the tenant's ID in it, or ${TENANT} and 'tenants'`,
  })
  .refine((value) => !LEFT_OPEN.test(value.replaceAll(TENANT, "")), {
    error: `expected the text as tokens have it: it is compared letter by letter, without *, blanks around it, <placeholders> and other {placeholders} than ${TENANT}`,
  });
const issuer = z.union([issuerText.transform((one) => [one]), z.array(issuerText).min(1).max(100)], {
  error: "expected what tokens have in iss, or a list of it",
});

const claimPath = text.superRefine((value, context) => {
  const path = parseClaimPath(value);
  if (!path.ok) context.addIssue({ code: "custom", message: path.error });
});
const claimPaths = z.union([claimPath.transform((one) => [one]), z.array(claimPath).max(16)], {
  error: "expected a claim, as in realm_access.roles, or a list of them",
});

const keysUrl = z.string().transform((value, context) => {
  const url = callUrl(value);
  if (url.ok) return url.value;
  context.issues.push({ code: "custom", message: url.error, input: value });
  return z.NEVER;
});

const jwks = z.union(
  [
    keysUrl.transform((url) => ({ url, ca: undefined, token: undefined, socket: undefined })),
    object({
      url: keysUrl.optional().describe("Where the keys are. Without it the issuer says so."),
      ca: text.optional().describe("PEM of the authorities of these endpoints, in place of the system's."),
      token: secretReference
        .optional()
        .describe("Bearer token that they ask for, as the API server of Kubernetes does; read anew for each call."),
      socket: z
        .string()
        .transform((value, context) => {
          const path = parseSocketAddress(value);
          if (path.ok) return path.value;
          context.issues.push({ code: "custom", message: path.error, input: value });
          return z.NEVER;
        })
        .optional()
        .describe(
          "With 'provider: spiffe', in place of 'url': the Unix socket of a SPIFFE agent (FetchJWTBundles), as in unix:/run/spire/agent.sock. Keys are those of the trust domain that 'subjects' name.",
        ),
    }),
  ],
  { error: "expected a URL, { url: URL, ca: FILE, token: { file: FILE } }, or { socket: unix:/… }" },
);

export const jwtSchema = object({
  type: z.literal("jwt").describe("A signed token (RFC 7519, RFC 9068)."),
  provider: z
    .enum(PROVIDERS, { error: `expected one of ${PROVIDERS.join(", ")}` })
    .optional()
    .describe("Whose tokens they are: what the policy does not say is then as that provider has it."),
  issuer: issuer
    .optional()
    .describe("The token's iss, letter by letter: no slash is added or taken off. A list where there are several."),
  tenants: z
    .array(comparable)
    .min(1)
    .max(100)
    .optional()
    .describe("Whose tokens are let in, where the issuer has a tenant in its name, as {tenantid}."),
  /** RFC 8725 section 3.9: without it, a token for another service would do. */
  audience: audience.describe("What tokens for this service have in aud, or a list of it."),
  algorithms: z
    .array(z.enum(ALGORITHMS, { error: `expected one of ${ALGORITHMS.join(", ")}` }))
    .min(1, { error: "expected at least one algorithm, as in [RS256]" })
    .optional()
    .describe("Algorithms of signatures; what the token says of its own counts only among these."),
  keys: oneOrMore("expected a file of public keys (PEM, JWK or JWKS), or a list of them")
    .optional()
    .describe(
      "File of the issuer's public keys (PEM, JWK or JWKS), or a list of files. Without keys, jwks and secret the issuer says where its keys are (OpenID Connect Discovery, RFC 8414).",
    ),
  jwks: jwks
    .optional()
    .describe("URL of the issuer's keys, in place of discovery; or how its endpoints are to be called."),
  secret: secretReference
    .optional()
    .describe("Secret of HS256, HS384 or HS512, at least as long as the hash. Whoever has it can make tokens."),
  ...tokenPlacesShape,
  skew: durationMs
    .refine((ms) => ms <= DEFAULTS.clockSkewMsMax, { error: `expected at most ${DEFAULTS.clockSkewMsMax / 60_000}m` })
    .default(DEFAULTS.clockSkewMs)
    .describe(`How far the issuer's clock may be off. ${DEFAULTS.clockSkewMs / 1000}s if absent.`),
  requiredClaims: z.array(text).default([]).describe("Claims that have to be there, besides iss, aud and exp."),
  scopesFrom: claimPaths
    .optional()
    .describe("Claims that hold scopes: a list, or a text with blanks. scope, scp and permissions if absent."),
  rolesFrom: claimPaths
    .optional()
    .describe("Claims that hold roles: a list, or one. roles if absent; * is every member."),
  groupsFrom: claimPaths.optional().describe("Claims that hold groups: a list, or one. groups if absent."),
  audienceFrom: claimPaths.optional().describe("Claims in place of aud, as client_id for Cognito."),
  subjects: z
    .array(text)
    .min(1)
    .max(100)
    .optional()
    .describe("Which sub may come in. * is what stands between two of / and :, ** is anything."),
  idTokens: z
    .boolean()
    .optional()
    .describe("ID tokens are let in too, which say who signed in at a client. false if absent."),
  typ: text
    .optional()
    .describe("Media type that the token's header has to name (RFC 8725 section 3.11), as in at+jwt."),
  /** Entra writes 150 groups into 9 KiB; a token also has to fit into the listener's maxHeadBytes. */
  maxTokenBytes: sizeBytes
    .refine((bytes) => bytes >= 1024 && bytes <= DEFAULTS.headBytesCeiling, { error: "expected 1KiB to 1MiB" })
    .default(DEFAULTS.tokenBytesMax)
    .describe(`Largest token. ${DEFAULTS.tokenBytesMax / 1024}KiB if absent.`),
  ...bindingShape,
  principalClaim: text.optional().describe("Claim that names the caller, in place of sub, client_id, azp, cid."),
});

export type JwtSettings = z.infer<typeof jwtSchema>;
