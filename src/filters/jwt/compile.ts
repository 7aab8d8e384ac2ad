import { defineAuthenticator } from "../filter.ts";
import { compileBinding } from "../token-binding.ts";
import { JwtAuthenticator } from "./evaluate.ts";
import { openKeys } from "./open-keys.ts";
import { ID_CLAIMS } from "./principal.ts";
import { type JwtSettings, jwtSchema } from "./schema.ts";

export const jwtKind = defineAuthenticator<JwtSettings>({
  type: "jwt",
  schema: jwtSchema,
  *compile(name, settings, context) {
    const keys = yield* openKeys(name, settings, context);
    if (keys === null) return null;
    const { issuer, audience, algorithms, header, skew, requiredClaims, typ, principalClaim } = settings;
    const place = context.place();
    const rule = <T>(key: keyof JwtSettings, value: T) => ({ value, place: context.place(key) });
    return new JwtAuthenticator({
      name,
      binding: compileBinding(settings, header, skew, context),
      clock: context.clock,
      memory: context.memory,
      waiting: context.waiting,
      place,
      header,
      tokenBytesMax: settings.maxTokenBytes,
      algorithms: rule("algorithms", new Set<string>(algorithms)),
      typ: typ === undefined ? null : rule("typ", typ),
      keys: rule(keysKey(settings), keys),
      claims: {
        place,
        issuer: rule("issuer", issuer),
        audience: rule("audience", audience),
        requiredClaims: rule("requiredClaims", requiredClaims),
        skewMs: skew,
      },
      idClaims: principalClaim === undefined ? { value: ID_CLAIMS, place } : rule("principalClaim", [principalClaim]),
    });
  },
});

/** What of the policy says where the keys are. */
function keysKey({ keys, jwks, secret }: JwtSettings): keyof JwtSettings {
  if (keys !== undefined) return "keys";
  if (secret !== undefined) return "secret";
  return jwks === undefined ? "issuer" : "jwks";
}
