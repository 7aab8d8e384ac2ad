import { randomBytes } from "node:crypto";
import { PROOF_STATE, ProofState } from "../../proof/proof-state.ts";
import { callerPrincipal } from "../caller-principal.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { HmacAuthenticator } from "./evaluate.ts";
import { PRESETS } from "./presets.ts";
import { type SignatureSettings, signatureSchema } from "./schema.ts";
import { readSigns } from "./signed-text.ts";

/** Shorter secrets can be found by whoever has one signed request. */
const SECRET_BYTES_ADVISED = 16;

export const signatureKind = defineAuthenticator<SignatureSettings>({
  type: "signature",
  schema: signatureSchema,
  compile: (name, settings, context) => {
    const { scheme, hmac, caller, scopes, roles } = settings;
    if (scheme !== "hmac" && hmac !== undefined) {
      context.problem(`'hmac' describes what 'scheme: ${scheme}' has already; expected 'scheme: hmac'`, "hmac");
      return null;
    }
    const rules = scheme === "hmac" ? hmac : PRESETS[scheme];
    if (rules === undefined) {
      context.problem("'hmac' is missing; expected how it is signed", "scheme");
      return null;
    }
    const signed = readSigns(rules.signs, rules.timestamp !== undefined);
    if (!signed.ok) context.problem(signed.error, "hmac", "signs");
    if (rules.timestamp !== undefined && "element" in rules.timestamp && rules.element === undefined) {
      context.problem("'element' of the time wants one of the signature, too", "hmac", "timestamp");
    }
    const secrets = readSecrets(settings, context);
    if (!signed.ok || secrets === null) return null;
    const state = context.resource(PROOF_STATE, [], (world) => new ProofState(world, randomBytes(32)));
    return new HmacAuthenticator({
      name,
      service: context.service,
      clock: context.clock,
      place: context.place(),
      rules,
      signed: signed.value,
      secrets,
      ageMsMax: settings.maxAge,
      bodyBytesMax: settings.maxBody,
      bodies: context.memory.bodies,
      window: settings.replay === "allow" ? null : state.window,
      principal: callerPrincipal(name, "signature", { name: caller ?? name, scopes, roles }, Number.POSITIVE_INFINITY),
    });
  },
});

function readSecrets({ secret }: SignatureSettings, context: CompileContext): readonly Buffer[] | null {
  const secrets = secret.flatMap((reference, at) => {
    const bytes = context.secret(reference, "secret", ...(secret.length > 1 ? [at] : []));
    if (bytes !== null && bytes.length < SECRET_BYTES_ADVISED) {
      context.warning(
        `a secret of ${bytes.length} bytes can be found by trying; expected ${SECRET_BYTES_ADVISED} or more`,
        "secret",
      );
    }
    return bytes === null ? [] : [bytes];
  });
  return secrets.length === secret.length ? secrets : null;
}
