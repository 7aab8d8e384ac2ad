import { hash } from "node:crypto";

/** Members that make a key what it is, in the order in which they are hashed (RFC 7638 section 3.2, RFC 8037 section 2). */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  EC: ["crv", "kty", "x", "y"],
  OKP: ["crv", "kty", "x"],
  RSA: ["e", "kty", "n"],
};

/** SHA-256 thumbprint of a public JWK in base64url (RFC 7638); null where it is none. */
export function thumbprint(jwk: Readonly<Record<string, unknown>>): string | null {
  const members = REQUIRED[String(jwk["kty"])];
  if (members === undefined) return null;
  const entries = members.map((name) => [name, jwk[name]] as const);
  if (entries.some(([, value]) => typeof value !== "string")) return null;
  return hash("sha256", JSON.stringify(Object.fromEntries(entries)), "base64url");
}

/** RFC 9449 section 4.2: `ath`, the hash of an access token as it stands in the request. */
export function tokenHash(token: string): string {
  return hash("sha256", token, "base64url");
}
