import { createPublicKey, createSecretKey, hash, type KeyObject } from "node:crypto";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import { ALGORITHMS, type Algorithm } from "./algorithms.ts";

/** A key and everything it may verify: a token can choose among keys, never what a key is used for. */
export interface VerificationKey {
  /** Null for PEM, and for a JWK without one. */
  readonly kid: string | null;
  readonly algorithms: ReadonlySet<string>;
  readonly key: KeyObject;
  /** Equal where id, use and key are; says nothing of the key itself. */
  readonly fingerprint: string;
}

/** `alg`: the one algorithm that the publisher allows; undefined for all that the key's type serves. */
export function verificationKey(kid: string | null, key: KeyObject, alg?: unknown): VerificationKey {
  const algorithms = new Set([...algorithmsOf(key)].filter((name) => alg === undefined || alg === name));
  const material = key.type === "secret" ? key.export() : key.export({ type: "spki", format: "der" });
  const fingerprint = `${hash("sha256", material)} ${[...algorithms].join(",")} ${kid ?? ""}`;
  return { kid, key, algorithms, fingerprint };
}

/** The same key for those of its algorithms that the policy allows; null where there are none. */
export function limitedTo(key: VerificationKey, pinned: ReadonlySet<string>): VerificationKey | null {
  const algorithms = key.algorithms.intersection(pinned);
  return algorithms.size === 0 ? null : { ...key, algorithms };
}

/** What makes a key unfit to believe signatures of; null for nothing. */
export function weaknessOf({ kid, key }: VerificationKey): string | null {
  const weakness = findWeakness(key);
  return weakness === null || kid === null ? weakness : `${weakness} (kid ${shownKid(kid)})`;
}

export function shownKid(kid: string): string {
  return `'${excerpt(kid)}'`;
}

export function importPublic(source: Parameters<typeof createPublicKey>[0]): KeyObject | null {
  try {
    return createPublicKey(source);
  } catch {
    return null; // the error's text could hold parts of the file
  }
}

export function importSecret(k: unknown): KeyObject | null {
  return typeof k === "string" && /^[A-Za-z0-9_-]+$/.test(k) ? createSecretKey(k, "base64url") : null;
}

/**
 * What a key can verify by its type (RFC 7518 section 3). HMAC only with a secret key, which only a JWK of type `oct`
 * and the policy's `secret` give: a public key can never become an HMAC secret.
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
