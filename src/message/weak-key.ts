import type { KeyObject, X509Certificate } from "node:crypto";

const RSA_EXPONENT_MIN = 3n;

/**
 * What makes a key worthless whoever holds it, or null. With an exponent of 1 a signature is the message itself, so that
 * anybody can sign; OpenSSL takes such a key for a good one.
 */
export function weakKey(key: KeyObject): string | null {
  const exponent = key.asymmetricKeyDetails?.publicExponent;
  return exponent !== undefined && exponent < RSA_EXPONENT_MIN ? `an RSA key with the exponent ${exponent}` : null;
}

/** The same of a certificate's key; of one that cannot be read OpenSSL says so itself. */
export function weakKeyOf(certificate: X509Certificate): string | null {
  try {
    return weakKey(certificate.publicKey);
  } catch {
    return null;
  }
}
