import { type KeyObject, sign } from "node:crypto";

const LIFETIME_SECONDS = 24 * 3600;

/** A token (JWS, ES256) as an identity provider would give it, for a day. `key`: private, P-256. */
export function signToken(key: KeyObject, claims: Readonly<Record<string, unknown>>, nowMs: number): string {
  const issuedAt = Math.floor(nowMs / 1000);
  const header = { alg: "ES256", typ: "JWT", kid: TOKEN_KEY_ID };
  const signed = [header, { ...claims, iat: issuedAt, exp: issuedAt + LIFETIME_SECONDS }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  // RFC 7518 section 3.4: the two numbers side by side, not in DER.
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

const TOKEN_KEY_ID = "development";

/** The key set (RFC 7517) by which such tokens are verified. `key`: public, P-256. */
export function keySetOf(key: KeyObject): string {
  const jwk = { ...key.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: TOKEN_KEY_ID };
  return `${JSON.stringify({ keys: [jwk] }, null, 2)}\n`;
}
