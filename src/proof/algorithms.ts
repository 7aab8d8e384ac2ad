/** Algorithms that a proof may be signed with: none with a secret, for its key is public (RFC 9449 section 4.3). */
export const PROOF_ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "Ed25519", "RS256", "PS256"] as const;

/** RFC 9421 section 3.3. */
export const SIGNATURE_ALGORITHMS = [
  "ed25519",
  "ecdsa-p256-sha256",
  "ecdsa-p384-sha384",
  "rsa-pss-sha512",
  "rsa-v1_5-sha256",
  "hmac-sha256",
] as const;

export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];
