import { createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { weakKey } from "../../message/weak-key.ts";
import { algorithmsOf } from "../../proof/message-signature.ts";
import { readPublicJwk } from "../../proof/public-jwk.ts";
import { thumbprint } from "../../proof/thumbprint.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { decodeText } from "../../support/text.ts";
import { callerPrincipal } from "../caller-principal.ts";
import type { CompileContext } from "../filter.ts";
import type { KeySettings } from "./schema.ts";
import type { SigningKey } from "./signing-key.ts";

/** RFC 2104 section 3: less than the hash weakens it. */
const SECRET_BYTES_MIN = 32;

/** The keys of an authenticator by their keyid, or null with a problem for each that is none. */
export function compileKeys(
  name: string,
  keys: readonly KeySettings[],
  context: CompileContext,
): ReadonlyMap<string, SigningKey> | null {
  const known = new Map<string, SigningKey>();
  let sound = true;
  for (const [at, settings] of keys.entries()) {
    const key = loadKey(settings, at, context);
    const compiled = key === null ? null : compileKey(name, settings, key, at, known, context);
    sound &&= compiled !== null;
  }
  return sound ? known : null;
}

function compileKey(
  name: string,
  settings: KeySettings,
  key: KeyObject,
  at: number,
  known: Map<string, SigningKey>,
  context: CompileContext,
): true | null {
  const able = algorithmsOf(key);
  const [algorithm = able[0]] =
    settings.algorithm === undefined ? [] : able.filter((one) => one === settings.algorithm);
  if (algorithm === undefined || (settings.algorithm !== undefined && algorithm !== settings.algorithm)) {
    const can = able.length === 0 ? "no algorithm of RFC 9421" : able.join(", ");
    context.problem(`a key for ${can}`, "keys", at);
    return null;
  }
  const keyid = settings.keyid ?? (key.type === "public" ? thumbprint({ ...key.export({ format: "jwk" }) }) : null);
  if (keyid === null) {
    context.problem("'keyid' is missing; a secret has no thumbprint", "keys", at);
    return null;
  }
  if (known.has(keyid)) {
    context.problem(`a second key with keyid '${keyid}'`, "keys", at);
    return null;
  }
  const { caller = keyid, scopes, roles } = settings;
  const principal = callerPrincipal(name, "signature", { name: caller, scopes, roles }, Number.POSITIVE_INFINITY);
  known.set(keyid, { key, algorithm, principal });
  return true;
}

function loadKey({ file, secret }: KeySettings, at: number, context: CompileContext): KeyObject | null {
  if ((file === undefined) === (secret === undefined)) {
    context.problem("expected either 'file' with a public key or 'secret'", "keys", at);
    return null;
  }
  if (secret !== undefined) {
    const bytes = context.secret(secret, "keys", at, "secret");
    if (bytes === null) return null;
    if (bytes.length >= SECRET_BYTES_MIN) return createSecretKey(bytes);
    context.problem(`a secret of ${bytes.length} bytes; expected at least ${SECRET_BYTES_MIN}`, "keys", at, "secret");
    return null;
  }
  const bytes = context.readFile(file ?? "", "keys", at, "file");
  if (bytes === null) return null;
  const text = decodeText(bytes);
  const key = text.ok ? readKey(text.value) : text;
  if (!key.ok) context.problem(`'${file}': ${key.error}`, "keys", at, "file");
  return key.ok ? key.value : null;
}

function readKey(text: string): Result<KeyObject, string> {
  if (text.includes("PRIVATE KEY-----")) return err("a private key; postern only needs the public one");
  if (!text.includes("-----BEGIN ")) return readJwk(text);
  try {
    const key = createPublicKey(text);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? DEFAULTS.rsaKeyBitsMin;
    if (bits < DEFAULTS.rsaKeyBitsMin) return err(`an RSA key of ${bits} bits; expected ${DEFAULTS.rsaKeyBitsMin}`);
    const weakness = weakKey(key);
    return weakness === null ? ok(key) : err(weakness);
  } catch {
    return err("no public key in PEM that can be read"); // the error's text could hold parts of the file
  }
}

function readJwk(text: string): Result<KeyObject, string> {
  try {
    const jwk = readPublicJwk(JSON.parse(text));
    return jwk.ok ? ok(jwk.value.key) : jwk;
  } catch {
    return err("neither PEM nor a JWK");
  }
}
