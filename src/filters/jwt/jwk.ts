import { X509Certificate } from "node:crypto";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import { importPublic, importSecret, shownKid, type VerificationKey, verificationKey } from "./verification-key.ts";

/** Each key of a set, or what is wrong with it. */
export type Entries = readonly (VerificationKey | string)[];

type Members = Readonly<Record<string, unknown>>;

/** A JWK, a JWKS (RFC 7517), or an object of certificates by key id, as Google publishes Firebase's. */
export function* readEntries(document: unknown): Steps<Result<Entries, string>> {
  if (!isObject(document)) return err("expected a JWK or a JWKS");
  const { keys: set = [document] } = document;
  if (!Array.isArray(set)) return err("expected 'keys' to be a list of JWKs");
  if (document["keys"] === undefined && isCertificates(document)) return ok(yield* readCertificates(document));
  if (set.some((jwk) => isObject(jwk) && jwk["kty"] !== "oct" && "d" in jwk)) {
    return err("a private key; postern only needs the public one");
  }
  const entries: (VerificationKey | string)[] = [];
  for (const [at, jwk] of set.entries()) {
    yield;
    const key = isObject(jwk) && "kty" in jwk ? readJwk(jwk) : "an entry that is no JWK with 'kty'";
    if (key === null) continue;
    const name = isObject(jwk) && typeof jwk["kid"] === "string" ? `kid ${shownKid(jwk["kid"])}` : `key ${at + 1}`;
    entries.push(typeof key === "string" ? `${key} (${name})` : key);
  }
  return ok(entries);
}

/** Null for a key that is not for signatures, or of a type that postern does not know: a set may hold such (RFC 7517 section 5). */
function readJwk(jwk: Members): VerificationKey | string | null {
  const { kty, kid, alg, use, k, key_ops: operations } = jwk;
  // SPIFFE's bundles say what their keys sign (SPIFFE JWT-SVID section 5).
  if (use !== undefined && use !== "sig" && use !== "jwt-svid") return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return null;
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP" && kty !== "oct") return null;
  if (kid !== undefined && typeof kid !== "string") return "a 'kid' that is not text";
  const key = kty === "oct" ? importSecret(k) : importPublic({ key: { ...jwk }, format: "jwk" });
  return key === null ? `an unreadable ${kty} key` : verificationKey(kid ?? null, key, alg);
}

function isCertificates(document: Members): document is Readonly<Record<string, string>> {
  const values = Object.values(document);
  return values.length > 0 && values.every((text) => typeof text === "string" && text.includes("-----BEGIN CERT"));
}

function* readCertificates(certificates: Readonly<Record<string, string>>): Steps<Entries> {
  const entries: (VerificationKey | string)[] = [];
  for (const [kid, pem] of Object.entries(certificates)) {
    yield;
    const key = publicKeyOf(pem);
    entries.push(key === null ? `an unreadable certificate (kid ${shownKid(kid)})` : verificationKey(kid, key));
  }
  return entries;
}

function publicKeyOf(pem: string): VerificationKey["key"] | null {
  try {
    return new X509Certificate(pem).publicKey;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
