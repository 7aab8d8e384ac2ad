import { DEFAULTS } from "../../support/defaults.ts";
import type { Result } from "../../support/result.ts";
import { decodeText } from "../../support/text.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { compileBinding } from "../token-binding.ts";
import { JwtAuthenticator } from "./evaluate.ts";
import { KeyRing } from "./key-ring.ts";
import { type KeyFile, readKeys, type VerificationKey } from "./keys.ts";
import { ID_CLAIMS } from "./principal.ts";
import { type JwtSettings, jwtSchema } from "./schema.ts";

export const jwtKind = defineAuthenticator<JwtSettings>({
  type: "jwt",
  schema: jwtSchema,
  compile: (name, settings, context) => {
    const keys = loadKeys(settings, context);
    if (keys === null) return null;
    const { issuer, audience, algorithms, header, skew, requiredClaims, typ, principalClaim } = settings;
    const place = context.place();
    const rule = <T>(key: keyof JwtSettings, value: T) => ({ value, place: context.place(key) });
    return new JwtAuthenticator({
      name,
      binding: compileBinding(settings, header, skew, context),
      clock: context.clock,
      memory: context.memory,
      place,
      header,
      tokenBytesMax: settings.maxTokenBytes,
      algorithms: rule("algorithms", new Set<string>(algorithms)),
      typ: typ === undefined ? null : rule("typ", typ),
      keys: rule("keys", new KeyRing(keys)),
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

function readKeyFile(bytes: Buffer, pinned: ReadonlySet<string>): Result<KeyFile, string> {
  const text = decodeText(bytes);
  return text.ok ? readKeys(text.value, pinned) : text;
}

/** The keys of all files, or null with a problem for every file that gives none. */
function loadKeys(settings: JwtSettings, context: CompileContext): readonly VerificationKey[] | null {
  const pinned = new Set<string>(settings.algorithms);
  const keys: VerificationKey[] = [];
  let sound = true;
  for (const file of settings.keys) {
    const bytes = context.readFile(file, "keys");
    const read = bytes === null ? null : readKeyFile(bytes, pinned);
    if (read?.ok) keys.push(...read.value.keys);
    else sound = false;
    if (read?.ok === false) context.problem(`'${file}': ${read.error}`, "keys");
    if (read?.ok) for (const fault of read.value.leftOut) context.warning(`'${file}': left out ${fault}`, "keys");
  }
  if (keys.length <= DEFAULTS.tokenKeysMax) return sound ? keys : null;
  context.problem(`${keys.length} keys; expected at most ${DEFAULTS.tokenKeysMax}`, "keys");
  return null;
}
