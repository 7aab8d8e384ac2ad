import { createPrivateKey, type KeyObject } from "node:crypto";
import { DEFAULTS } from "../../support/defaults.ts";
import { compileCall } from "../call-settings.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { ID_CLAIMS } from "../jwt/principal.ts";
import { compileBinding } from "../token-binding.ts";
import { compileTokenPlaces } from "../token-places.ts";
import { IntrospectionAuthenticator } from "./evaluate.ts";
import { type ClientAuthSettings, Introspector } from "./introspector.ts";
import { type IntrospectionSettings, introspectionSchema } from "./schema.ts";

export const introspectionKind = defineAuthenticator<IntrospectionSettings>({
  type: "introspection",
  schema: introspectionSchema,
  compile: (name, settings, context) => {
    const { endpoint, issuer, audience, clientId, requiredClaims, principalClaim } = settings;
    const bounds = { breaks: true, answerBytesMax: DEFAULTS.introspectionAnswerBytesMax };
    const call = compileCall(settings, [endpoint], context, bounds);
    const auth = clientAuth(settings, context);
    const places = compileTokenPlaces(settings, context);
    if (call === null || auth === null || places === null) return null;
    if (audience === undefined) {
      context.warning(
        "without 'audience', every token that the provider calls active is let in, for whichever service",
      );
    }
    const { cacheFor: cacheMs, cacheInactiveFor: inactiveCacheMs } = settings;
    const identity = JSON.stringify([endpoint.href, issuer, clientId, auth.settings.method, cacheMs, inactiveCacheMs]);
    const introspector = context.resource(
      "introspection",
      [identity, ...auth.inputs, ...call.inputs],
      (world) =>
        new Introspector(
          {
            name,
            endpoint,
            call: call.settings,
            issuer: issuer ?? endpoint.href,
            clientId,
            clientAuth: auth.settings,
            cacheMs,
            inactiveCacheMs,
          },
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
      requiredClaims: rule("requiredClaims", requiredClaims),
      idClaims: principalClaim === undefined ? { value: ID_CLAIMS, place } : rule("principalClaim", [principalClaim]),
    });
  },
});

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
