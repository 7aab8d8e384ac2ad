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

/** The provider says of each token whether it is good: RFC 7662, or as the API server of Kubernetes does. */
export const introspectionSchema = object({
  type: z.literal("introspection").describe("A token of which its provider says whether it is good (RFC 7662)."),
  protocol: z
    .enum(["oauth", "tokenReview"], { error: "expected oauth or tokenReview" })
    .optional()
    .describe(
      "How it is asked: oauth as RFC 7662 has it, tokenReview as the API server of Kubernetes is asked about tokens of service accounts. oauth if absent.",
    ),
  endpoint: callUrlSchema
    .optional()
    .describe("The provider's introspection endpoint. With tokenReview that of the pod's own cluster if absent."),
  ...callShape,
  token: secretReference
    .optional()
    .describe(
      "With tokenReview: bearer token that postern shows the API server, read anew for each question. With tokenReview that of the pod's own service account if absent; it needs the cluster role system:auth-delegator.",
    ),
  clientId: text.optional().describe("What postern is called at the provider; with tokenReview there is none."),
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
  subjects: z
    .array(text)
    .min(1)
    .max(100)
    .optional()
    .describe(
      "Which sub may come in, with tokenReview which user. * is what stands between two of / and :, ** is anything.",
    ),
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
