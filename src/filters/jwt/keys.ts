import { createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { ALGORITHMS, type Algorithm } from "./schema.ts";

/** A key and everything it may verify: a token can choose among keys, never what a key is used for. */
export interface VerificationKey {
  /** Null for PEM, and for a JWK without one. */
  readonly kid: string | null;
  readonly algorithms: ReadonlySet<string>;
  readonly key: KeyObject;
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** What a key file gives: keys that serve, and what is wrong with those of them that are left out. */
export interface KeyFile {
  readonly keys: readonly VerificationKey[];
  readonly leftOut: readonly string[];
}

/**
 * Content of a key file → its keys that serve one of `pinned`, or what is wrong with it, without its content. A key that
 * nobody can use, or that is too weak, is left out of its set: a provider that publishes one keeps the others.
 */
export function readKeys(text: string, pinned: ReadonlySet<string>): Result<KeyFile, string> {
  const read = text.includes("-----BEGIN ") ? readPem(text) : readJson(text);
  if (!read.ok) return read;
  const keys: VerificationKey[] = [];
  const leftOut: string[] = [];
  for (const entry of read.value) {
    const fault = typeof entry === "string" ? entry : faultOf(entry);
    if (fault !== null) leftOut.push(fault);
    if (typeof entry === "string" || fault !== null) continue;
    const served = entry.algorithms.intersection(pinned);
    if (served.size > 0) keys.push({ ...entry, algorithms: served });
  }
  if (keys.length > 0) return ok({ keys, leftOut });
  const [fault] = leftOut;
  if (fault !== undefined) return err(fault);
  return err(
    `no key for ${[...pinned].join(", ")}; a key serves the algorithms of its type, and of its 'alg' and 'use'`,
  );
}

function faultOf({ kid, key }: VerificationKey): string | null {
  const weakness = findWeakness(key);
  return weakness === null || kid === null ? weakness : `${weakness} (kid ${shownKid(kid)})`;
}

function shownKid(kid: string): string {
  return `'${excerpt(kid)}'`;
}

function readPem(text: string): Result<VerificationKey[], string> {
  const keys: VerificationKey[] = [];
  for (const [block, label = ""] of text.matchAll(PEM_BLOCK)) {
    if (label.includes("PRIVATE KEY")) return err("a private key; postern only needs the public one");
    if (label === "CERTIFICATE") return err("a certificate; expected its key: openssl x509 -pubkey -noout");
    if (label !== "PUBLIC KEY" && label !== "RSA PUBLIC KEY") return err("expected PUBLIC KEY blocks");
    const key = importPublic(block);
    if (key === null) return err("a PUBLIC KEY block that cannot be read");
    keys.push({ kid: null, key, algorithms: algorithmsOf(key) });
  }
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (keys.length > 0 && keys.length < begun) return err(`${keys.length} of ${begun} PEM blocks; the file is cut`);
  return keys.length > 0 ? ok(keys) : err("no PEM block that can be read");
}

/** Each key of the set, or what is wrong with it. */
function readJson(text: string): Result<(VerificationKey | string)[], string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return err("neither PEM nor JSON; expected public keys in PEM, a JWK or a JWKS");
  }
  if (!isObject(parsed)) return err("expected a JWK or a JWKS");
  const { keys: set = [parsed] } = parsed;
  if (!Array.isArray(set)) return err("expected 'keys' to be a list of JWKs");
  if (set.some((jwk) => isObject(jwk) && jwk["kty"] !== "oct" && "d" in jwk)) {
    return err("a private key; postern only needs the public one");
  }
  const keys: (VerificationKey | string)[] = [];
  for (const [at, jwk] of set.entries()) {
    const key = isObject(jwk) && "kty" in jwk ? readJwk(jwk) : "an entry that is no JWK with 'kty'";
    if (key === null) continue;
    const name = isObject(jwk) && typeof jwk["kid"] === "string" ? `kid ${shownKid(jwk["kid"])}` : `key ${at + 1}`;
    keys.push(typeof key === "string" ? `${key} (${name})` : key);
  }
  return ok(keys);
}

/** Null for a key that is not for signatures, or of a type that postern does not know: a set may hold such (RFC 7517 section 5). */
function readJwk(jwk: Record<string, unknown>): VerificationKey | string | null {
  const { kty, kid, alg, use, k, key_ops: operations } = jwk;
  if (use !== undefined && use !== "sig") return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return null;
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP" && kty !== "oct") return null;
  if (kid !== undefined && typeof kid !== "string") return "a 'kid' that is not text";
  const key = kty === "oct" ? importSecret(k) : importPublic({ key: jwk, format: "jwk" });
  if (key === null) return `an unreadable ${kty} key`;
  const algorithms = [...algorithmsOf(key)].filter((name) => alg === undefined || alg === name);
  return { kid: kid ?? null, key, algorithms: new Set(algorithms) };
}

function importPublic(source: Parameters<typeof createPublicKey>[0]): KeyObject | null {
  try {
    return createPublicKey(source);
  } catch {
    return null; // the error's text could hold parts of the file
  }
}

function importSecret(k: unknown): KeyObject | null {
  return typeof k === "string" && /^[A-Za-z0-9_-]+$/.test(k) ? createSecretKey(k, "base64url") : null;
}

/**
 * What a key can verify by its type (RFC 7518 section 3). HMAC only with a secret key, which only a JWK of type `oct`
 * gives: a public key can never become an HMAC secret.
 */
function algorithmsOf(key: KeyObject): ReadonlySet<Algorithm> {
  const named = (test: (algorithm: Algorithm) => boolean): ReadonlySet<Algorithm> => new Set(ALGORITHMS.filter(test));
  if (key.type === "secret") return named((name) => name.startsWith("HS") && secretBits(key) >= Number(name.slice(2)));
  switch (key.asymmetricKeyType) {
    case "rsa":
      return named((name) => name.startsWith("RS") || name.startsWith("PS"));
    case "ec":
      return named((name) => name === EC_ALGORITHMS.get(key.asymmetricKeyDetails?.namedCurve ?? ""));
    case "ed25519":
      return named((name) => name === "EdDSA" || name === "Ed25519");
    default:
      return new Set();
  }
}

const EC_ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ["prime256v1", "ES256"],
  ["secp384r1", "ES384"],
  ["secp521r1", "ES512"],
]);

function findWeakness(key: KeyObject): string | null {
  if (key.type === "secret") return secretBits(key) < 256 ? "an HMAC secret of less than 256 bits" : null;
  const { modulusLength: bits, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (bits === undefined) return null;
  if (bits < DEFAULTS.rsaKeyBitsMin) return `an RSA key of ${bits} bits; expected at least ${DEFAULTS.rsaKeyBitsMin}`;
  // With the exponent 1 a signature is its own message: anybody can make one.
  if (publicExponent !== undefined && publicExponent < 3n) return `an RSA key with the exponent ${publicExponent}`;
  return null;
}

function secretBits(key: KeyObject): number {
  return (key.symmetricKeySize ?? 0) * 8;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
