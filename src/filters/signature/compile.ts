import { randomBytes } from "node:crypto";
import { PROOF_STATE, ProofState } from "../../proof/proof-state.ts";
import type { ReplayWindow } from "../../proof/replay-window.ts";
import { callerPrincipal } from "../caller-principal.ts";
import { type Authenticator, type CompileContext, defineAuthenticator } from "../filter.ts";
import { HmacAuthenticator } from "./evaluate.ts";
import { MessageSignatureAuthenticator } from "./message.ts";
import { compileKeys } from "./message-keys.ts";
import { openAgents } from "./open-agents.ts";
import { MESSAGE_PRESETS, PRESETS } from "./presets.ts";
import { type SignatureSettings, signatureSchema } from "./schema.ts";
import { readSigns } from "./signed-text.ts";

/** Shorter secrets can be found by whoever has one signed request. */
const SECRET_BYTES_ADVISED = 16;

export const signatureKind = defineAuthenticator<SignatureSettings>({
  type: "signature",
  schema: signatureSchema,
  compile: (name, settings, context) => {
    const { scheme } = settings;
    const isMessage = scheme === "http" || scheme === "webBotAuth";
    const foreign = (isMessage ? HMAC_KEYS : MESSAGE_KEYS).find((key) => settings[key] !== undefined);
    if (foreign !== undefined) {
      const other = isMessage ? "github, stripe, slack and hmac" : "http and webBotAuth";
      context.problem(`'${foreign}' is of the schemes ${other}, and this one is ${scheme}`, foreign);
      return null;
    }
    return isMessage ? compileMessage(name, scheme, settings, context) : compileHmac(name, scheme, settings, context);
  },
});

const MESSAGE_KEYS = ["keys", "agents", "covers", "tag", "nonce"] as const;
const HMAC_KEYS = ["secret", "hmac", "caller", "scopes", "roles"] as const;

function windowOf({ replay }: SignatureSettings, context: CompileContext): ReplayWindow | null {
  const state = context.resource(PROOF_STATE, [], (world) => new ProofState(world, randomBytes(32)));
  return replay === "allow" ? null : state.window;
}

function compileMessage(
  name: string,
  scheme: keyof typeof MESSAGE_PRESETS,
  settings: SignatureSettings,
  context: CompileContext,
): Authenticator | null {
  const preset = MESSAGE_PRESETS[scheme];
  const covers = settings.covers ?? preset.covers;
  if (settings.agents !== undefined && scheme !== "webBotAuth") {
    context.problem("agents say who they are by Web Bot Auth; expected 'scheme: webBotAuth'", "agents");
    return null;
  }
  if (settings.keys === undefined && settings.agents === undefined) {
    const more = scheme === "webBotAuth" ? ", or 'agents'" : "";
    context.problem(`'keys' is missing; expected the keys of those who sign${more}`);
    return null;
  }
  if (scheme === "http" && !covers.includes("content-digest")) {
    context.warning(
      "body_unsigned",
      "bodies need not be signed: whoever is between may change them; expected content-digest",
      "covers",
    );
  }
  const keys = compileKeys(name, settings.keys ?? [], context);
  const agents = settings.agents === undefined ? null : openAgents(name, settings.agents, context);
  if (keys === null || (agents === null && settings.agents !== undefined)) return null;
  return new MessageSignatureAuthenticator({
    name,
    service: context.service,
    clock: context.clock,
    place: context.place(),
    keys,
    agents,
    waiting: context.waiting,
    covers: covers.map(componentText),
    coversIfThere: preset.coversIfThere.map(componentText),
    tag: settings.tag ?? preset.tag,
    needsNonce: settings.nonce === "required",
    needsExpires: preset.needsExpires,
    ageMsMax: settings.maxAge,
    bodyBytesMax: settings.maxBody,
    bodies: context.memory.bodies,
    window: windowOf(settings, context),
  });
}

/** `@query-param;name="id"` → `"@query-param";name="id"`. */
function componentText(component: string): string {
  const [name = "", ...parameters] = component.split(";");
  return [`"${name}"`, ...parameters].join(";");
}

function compileHmac(
  name: string,
  scheme: keyof typeof PRESETS | "hmac",
  settings: SignatureSettings,
  context: CompileContext,
): Authenticator | null {
  const { hmac, caller, scopes, roles } = settings;
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
    window: windowOf(settings, context),
    principal: callerPrincipal(name, "signature", { name: caller ?? name, scopes, roles }, Number.POSITIVE_INFINITY),
  });
}

function readSecrets({ secret }: SignatureSettings, context: CompileContext): readonly Buffer[] | null {
  if (secret === undefined) {
    context.problem("'secret' is missing; expected { file: NAME } or { env: NAME }");
    return null;
  }
  const secrets = secret.flatMap((reference, at) => {
    const bytes = context.secret(reference, "secret", ...(secret.length > 1 ? [at] : []));
    if (bytes !== null && bytes.length < SECRET_BYTES_ADVISED) {
      context.warning(
        "secret_weak",
        `a secret of ${bytes.length} bytes can be found by trying; expected ${SECRET_BYTES_ADVISED} or more`,
        "secret",
      );
    }
    return bytes === null ? [] : [bytes];
  });
  return secrets.length === secret.length ? secrets : null;
}
