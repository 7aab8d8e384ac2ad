import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, object } from "../../support/schema.ts";
import { secretReference } from "../../support/secret.ts";
import { bindingShape } from "../binding-schema.ts";
import { callShape, callUrlSchema } from "../call-settings.ts";
import { tokenPlacesShape } from "../token-places.ts";

const text = z.string().min(1);
const textOrList = z.union([text.transform((one) => [one]), z.array(text).min(1)], {
  error: "expected a text, or a list of at least one",
});

const cacheTime = (ceilingMs: number, defaultMs: number) =>
  durationMs.refine((ms) => ms <= ceilingMs, { error: `expected at most ${ceilingMs / 60_000}m` }).default(defaultMs);

/** RFC 7662: the provider says of each token whether it is good. */
export const introspectionSchema = object({
  type: z.literal("introspection").describe("A token of which its provider says whether it is good (RFC 7662)."),
  endpoint: callUrlSchema.describe("The provider's introspection endpoint."),
  ...callShape,
  clientId: text.describe("What postern is called at the provider."),
  clientSecret: secretReference.optional().describe("Its secret there."),
  clientAuth: z
    .enum(["basic", "post", "privateKey", "mtls"], { error: "expected one of basic, post, privateKey, mtls" })
    .optional()
    .describe(
      "How postern authenticates there: basic or post with 'clientSecret', privateKey with a signed assertion (RFC 7523), mtls with 'certificate' and 'key' (RFC 8705). basic if absent.",
    ),
  clientKey: secretReference.optional().describe("Private key for clientAuth: privateKey, PEM (PKCS #8)."),
  issuer: text.optional().describe("What the answer has to have in iss, where it has one."),
  audience: textOrList.optional().describe("What the answer has to have in aud, or a list of it."),
  ...tokenPlacesShape,
  requiredClaims: z.array(text).default([]).describe("Members that the answer has to have, besides active."),
  principalClaim: text.optional().describe("Member that names the caller, in place of sub, client_id, azp, cid."),
  ...bindingShape,
  cacheFor: cacheTime(DEFAULTS.introspectionCacheMsMax, DEFAULTS.introspectionCacheMs).describe(
    `How long a good answer is believed, at most until the token's end: a revoked token is refused this much later. ${DEFAULTS.introspectionCacheMs / 1000}s if absent.`,
  ),
  cacheInactiveFor: cacheTime(DEFAULTS.introspectionCacheMsMax, DEFAULTS.introspectionInactiveCacheMs).describe(
    `How long a token that is not active is refused without asking again. ${DEFAULTS.introspectionInactiveCacheMs / 1000}s if absent.`,
  ),
});

export type IntrospectionSettings = z.infer<typeof introspectionSchema>;
