import { createPrivateKey, type KeyObject } from "node:crypto";
import type { CallSettings } from "../../calls/call.ts";
import type { ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { compileCall } from "../call-settings.ts";
import { endpointToken } from "../endpoint-token.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { ID_CLAIMS } from "../jwt/principal.ts";
import { subjectMatcher } from "../jwt/subject-patterns.ts";
import { compileBinding } from "../token-binding.ts";
import { compileTokenPlaces } from "../token-places.ts";
import { IntrospectionAuthenticator } from "./evaluate.ts";
import { Introspector } from "./introspector.ts";
import { type ClientAuthSettings, OAuthIntrospection } from "./oauth.ts";
import type { Protocol } from "./protocol.ts";
import { type IntrospectionSettings, introspectionSchema } from "./schema.ts";
import { TOKEN_REVIEWS, TokenReview } from "./token-review.ts";

export const introspectionKind = defineAuthenticator<IntrospectionSettings>({
  type: "introspection",
  schema: introspectionSchema,
  compile: (name, settings, context) => {
    const { issuer, audience, subjects, requiredClaims, principalClaim } = settings;
    const compiled = settings.protocol === "tokenReview" ? reviewing(settings, context) : oauth(settings, context);
    const places = compileTokenPlaces(settings, context);
    if (compiled === null || places === null) return null;
    const { cacheFor: cacheMs, cacheInactiveFor: inactiveCacheMs } = settings;
    const introspector = context.resource(
      "introspection",
      [...compiled.inputs, JSON.stringify([cacheMs, inactiveCacheMs])],
      (world) =>
        new Introspector(
          { name, call: compiled.call, protocol: compiled.protocol(world), cacheMs, inactiveCacheMs },
          world,
        ),
    );
    const place = context.place();
    const rule = <T>(key: keyof IntrospectionSettings, value: T) => ({ value, place: context.place(key) });
    return new IntrospectionAuthenticator({
      name,
      binding: compileBinding(settings, places.hasScheme, DEFAULTS.clockSkewMs, context),
      clock: context.clock,
      place,
      places,
      introspector,
      waiting: context.waiting,
      timeoutMs: settings.timeout,
      issuer: issuer === undefined ? null : rule("issuer", issuer),
      audience: audience === undefined ? null : rule("audience", audience),
      subjects:
        subjects === undefined
          ? null
          : rule("subjects", { fits: subjectMatcher(subjects), words: subjects.slice(0, 4).join(" or ") }),
      requiredClaims: rule("requiredClaims", requiredClaims),
      idClaims: principalClaim === undefined ? { value: ID_CLAIMS, place } : rule("principalClaim", [principalClaim]),
    });
  },
});

/** Whom to call and in which protocol, and what both are made of. */
interface CompiledProtocol {
  readonly call: CallSettings;
  readonly protocol: (world: ResourceWorld) => Protocol;
  readonly inputs: readonly (string | Buffer)[];
}

const BOUNDS = { breaks: true, answerBytesMax: DEFAULTS.introspectionAnswerBytesMax };

function oauth(settings: IntrospectionSettings, context: CompileContext): CompiledProtocol | null {
  const { endpoint, issuer, audience, clientId, token } = settings;
  if (endpoint === undefined) context.problem("'endpoint' is missing; expected the URL where the provider is asked");
  if (clientId === undefined) context.problem("'clientId' is missing; expected what postern is called at the provider");
  if (token !== undefined) context.problem("only with 'protocol: tokenReview'; expected 'clientSecret'", "token");
  const call = compileCall(settings, endpoint === undefined ? [] : [endpoint], context, BOUNDS);
  const auth = clientAuth(settings, context);
  if (endpoint === undefined || clientId === undefined || token !== undefined) return null;
  if (call === null || auth === null) return null;
  if (audience === undefined) {
    context.warning(
      "audience_unchecked",
      "without 'audience', every token that the provider calls active is let in, for whichever service",
    );
  }
  const identity = JSON.stringify([endpoint.href, issuer, clientId, auth.settings.method]);
  const asked = { endpoint, issuer: issuer ?? endpoint.href, clientId, clientAuth: auth.settings };
  return {
    call: call.settings,
    protocol: () => new OAuthIntrospection(asked),
    inputs: ["oauth", identity, ...auth.inputs, ...call.inputs],
  };
}

const OAUTH_KEYS = ["clientId", "clientSecret", "clientAuth", "clientKey", "issuer", "bound", "dpop"] as const;
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

function reviewing(written: IntrospectionSettings, context: CompileContext): CompiledProtocol | null {
  const stray = OAUTH_KEYS.filter((key) => written[key] !== undefined);
  for (const key of stray) context.problem("an API server of Kubernetes has no such thing; only with oauth", key);
  const { audience } = written;
  if (audience === undefined) {
    context.problem("'audience' is missing; without it every token of the cluster would do, for whichever service");
  }
  const isOwnCluster = written.endpoint === undefined;
  const endpoint = written.endpoint ?? new URL(TOKEN_REVIEWS);
  const token = written.token ?? (isOwnCluster ? { file: `${SERVICE_ACCOUNT}/token` } : undefined);
  const ca = written.ca ?? (isOwnCluster ? `${SERVICE_ACCOUNT}/ca.crt` : undefined);
  const call = compileCall({ ...written, ca }, [endpoint], context, BOUNDS);
  const hasToken = token === undefined || context.secret(token, "token") !== null;
  if (call === null || !hasToken || audience === undefined || stray.length > 0) return null;
  const own = endpointToken(token, context, "token");
  return {
    call: call.settings,
    protocol: (world) => new TokenReview({ endpoint, token: own(world), audiences: audience }),
    inputs: ["tokenReview", JSON.stringify([endpoint.href, audience.toSorted(), token ?? null]), ...call.inputs],
  };
}

interface CompiledAuth {
  readonly settings: ClientAuthSettings;
  readonly inputs: readonly (string | Buffer)[];
}

function clientAuth(settings: IntrospectionSettings, context: CompileContext): CompiledAuth | null {
  const { clientAuth: method = "basic", clientSecret, clientKey, certificate } = settings;
  if (method === "mtls") {
    if (certificate !== undefined) return { settings: { method }, inputs: [] };
    context.problem("clientAuth: mtls shows a certificate; expected 'certificate' and 'key'", "clientAuth");
    return null;
  }
  if (method === "privateKey") {
    if (clientKey === undefined) {
      context.problem("clientAuth: privateKey signs; expected 'clientKey'", "clientAuth");
      return null;
    }
    const pem = context.secret(clientKey, "clientKey");
    const key = pem === null ? null : signingKey(pem);
    if (pem !== null && key === null) {
      context.problem("expected a private key in PEM: RSA of 2048 bits or more, EC P-256 or Ed25519", "clientKey");
    }
    return pem === null || key === null ? null : { settings: { method, key }, inputs: [pem] };
  }
  if (clientSecret === undefined) {
    context.problem("'clientSecret' is missing; expected { file: NAME } or { env: NAME }, or another 'clientAuth'");
    return null;
  }
  const secret = context.secret(clientSecret, "clientSecret");
  return secret === null ? null : { settings: { method, secret: secret.toString("utf8") }, inputs: [secret] };
}

/** Which key signs by which algorithm of RFC 7518; null for what is none of them. */
function signingKey(pem: Buffer): CryptoKey | null {
  try {
    const key = createPrivateKey(pem);
    const algorithm = algorithmOf(key);
    return algorithm === null ? null : key.toCryptoKey(algorithm, false, ["sign"]);
  } catch {
    return null; // the error's text could hold parts of the file
  }
}

type SigningAlgorithm = Parameters<KeyObject["toCryptoKey"]>[0];

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): SigningAlgorithm | null {
  if (type === "rsa" && (details?.modulusLength ?? 0) >= DEFAULTS.rsaKeyBitsMin) {
    return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  }
  if (type === "ec" && details?.namedCurve === "prime256v1") return { name: "ECDSA", namedCurve: "P-256" };
  return type === "ed25519" ? { name: "Ed25519" } : null;
}
