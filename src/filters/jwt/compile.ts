import { defineAuthenticator } from "../filter.ts";
import { compileBinding } from "../token-binding.ts";
import { compileTokenPlaces } from "../token-places.ts";
import { textsFrom } from "./claim-texts.ts";
import { JwtAuthenticator } from "./evaluate.ts";
import { openKeys } from "./open-keys.ts";
import { ID_CLAIMS } from "./principal.ts";
import { expand, settingsFaults } from "./providers.ts";
import { type JwtSettings, jwtSchema } from "./schema.ts";
import { subjectMatcher } from "./subject-patterns.ts";

export const jwtKind = defineAuthenticator<JwtSettings>({
  type: "jwt",
  schema: jwtSchema,
  *compile(name, written, context) {
    const faults = settingsFaults(written);
    for (const [text, key] of faults) context.problem(text, ...(key === null ? [] : [key]));
    const settings = expand(written);
    // What is wrong with a file is told along with the rest.
    const isReady = faults.length === 0 || (written.keys !== undefined && settings.algorithms.length > 0);
    const keys = isReady ? yield* openKeys(name, settings, context) : null;
    const places = compileTokenPlaces(settings, context);
    if (keys === null || places === null || faults.length > 0) return null;
    const { audience, algorithms, skew, requiredClaims, typ, principalClaim, subjects } = settings;
    const place = context.place();
    const rule = <T>(key: keyof JwtSettings, value: T) => ({ value, place: context.place(key) });
    return new JwtAuthenticator({
      name,
      binding: compileBinding(settings, places.hasScheme, skew, context),
      clock: context.clock,
      memory: context.memory,
      waiting: context.waiting,
      place,
      places,
      tokenBytesMax: settings.maxTokenBytes,
      algorithms: rule("algorithms", new Set<string>(algorithms)),
      typ: typ === undefined ? null : rule("typ", typ),
      keys: rule(keysKey(settings), keys),
      claims: {
        place,
        issuer: rule("issuer", new Set(settings.issuers)),
        audience: rule("audience", audience),
        requiredClaims: rule("requiredClaims", requiredClaims),
        audienceFrom: settings.audienceFrom,
        readAudience: textsFrom(settings.audienceFrom, false),
        subjects:
          subjects === undefined
            ? null
            : rule("subjects", { fits: subjectMatcher(subjects), words: subjects.slice(0, 4).join(" or ") }),
        idTokens: settings.idTokens ? null : place,
        skewMs: skew,
      },
      principal: {
        idClaims: principalClaim === undefined ? { value: ID_CLAIMS, place } : rule("principalClaim", [principalClaim]),
        readScopes: textsFrom(settings.scopesFrom, true),
        readRoles: textsFrom(settings.rolesFrom, false),
        readGroups: textsFrom(settings.groupsFrom, false),
      },
    });
  },
});

/** What of the policy says where the keys are. */
function keysKey({ keys, jwks, secret }: Pick<JwtSettings, "keys" | "jwks" | "secret">): keyof JwtSettings {
  if (keys !== undefined) return "keys";
  if (secret !== undefined) return "secret";
  return jwks === undefined ? "issuer" : "jwks";
}
