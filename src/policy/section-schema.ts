import * as z from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { headerName, object, ofNeither } from "../support/schema.ts";
import { fileName, parsed } from "./certificate-schema.ts";
import { parsePage, parseResource } from "./resource-setting.ts";
import { timeoutMs } from "./schema.ts";

/** The sections that few policies have, and that are loaded with the first that has one. */

const contextClaims = z
  .record(z.string().min(1).max(64), z.string({ error: "expected the name of an attribute, as in path.orderId" }))
  .refine((claims) => Object.keys(claims).length <= DEFAULTS.identityClaimsMax, {
    error: `expected at most ${DEFAULTS.identityClaimsMax} claims`,
  });

export const includeSchema = z
  .union([fileName, z.array(fileName).min(1).max(DEFAULTS.includedFilesMax)], {
    error: ofNeither("expected the names of files, as in [routes/*.yaml]"),
  })
  .describe(
    "Further files of the policy, relative to it; '*' and '?' in the last part of a name, as in routes/*.yaml. Their lists, as routes, are appended in the order of their names, their mappings united.",
  );

export const identityShape = {
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]+$/, { error: "expected a name of letters, digits and dashes, as in X-User" }),
      z.string({ error: "expected the name of an attribute, as in principal.id" }),
    )
    .optional()
    .describe(
      "Header → the attribute that it says, as in X-Tenant: jwt.tenant. No client's header of that name passes.",
    ),
  token: object({
    profile: z
      .enum(["accessToken", "transaction"], { error: "expected accessToken or transaction" })
      .optional()
      .describe(
        "Its shape: accessToken (RFC 9068, if absent), one for a caller; or transaction (draft-ietf-oauth-transaction-tokens), one for each request, which services hand on.",
      ),
    header: headerName
      .optional()
      .describe("Header that holds it. X-Identity-Token if absent, with 'profile: transaction' Txn-Token."),
    audience: z.string().min(1).describe("Its aud: the service; of a transaction the trust domain."),
    issuer: z.string().min(1).optional().describe("Its iss. postern:SERVICE if absent."),
    lifetime: timeoutMs
      .refine((ms) => ms >= DEFAULTS.identityTokenMsMin && ms <= DEFAULTS.identityTokenMsMax, {
        error: "expected 5s to 1h",
      })
      .optional()
      .describe("How long it is good, and never longer than the caller's credential. 60s if absent."),
    claims: z
      .record(z.string().min(1).max(64), z.string({ error: "expected the name of an attribute, as in jwt.tenant" }))
      .refine((claims) => Object.keys(claims).length <= DEFAULTS.identityClaimsMax, {
        error: `expected at most ${DEFAULTS.identityClaimsMax} claims`,
      })
      .optional()
      .describe("Further claims: name → attribute of the caller, as in tenant: jwt.tenant."),
    tctx: contextClaims
      .optional()
      .describe("Of a transaction: what the call is about, name → attribute, as in order: path.orderId."),
    rctx: contextClaims
      .optional()
      .describe(
        "Of a transaction: who makes it and from where, name → attribute. req_ip: client.address and authn: principal.type if absent.",
      ),
  })
    .optional()
    .describe(
      "The caller as a signed token (RFC 9068 shape, ES256), so that the service has to trust no header. Keys: /identity/jwks of the admin port.",
    ),
};

export type TokenEntry = NonNullable<z.output<typeof identityShape.token>>;

export const resourceMetadataShape = {
  resource: parsed(parseResource).describe(
    "The service as its clients know it, letter by letter: https://api.example.org/orders. Its metadata is at /.well-known/oauth-protected-resource/orders there.",
  ),
  name: z.string().min(1).max(DEFAULTS.resourceNameCharactersMax).optional().describe("What it is called, for people."),
  documentation: parsed(parsePage).optional().describe("URL of a page for its developers."),
};

export const geoShape = {
  countries: fileName
    .optional()
    .describe("Database of countries in MaxMind's format, as GeoLite2-Country.mmdb or one of cities. It is watched."),
  networks: fileName
    .optional()
    .describe("Database of autonomous systems in MaxMind's format, as GeoLite2-ASN.mmdb. It is watched."),
};

export const revokedSchema = fileName.describe(
  "YAML file of what is refused from now on: jti, sub, sid, serials, callers. Every change of it counts at once.",
);
