import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDevelopmentCa } from "./development-ca.ts";

const TOKEN_LIFETIME_SECONDS = 24 * 3600;

/** Writes what policies/quickstart.yaml names, and what its clients need, into a folder that only we can enter. */
export async function writeQuickstartFiles(folder: string, nowMs: number): Promise<void> {
  const ca = await createDevelopmentCa("postern quick start CA", nowMs, 2);
  const server = await ca.issue({
    commonName: "localhost",
    usage: "server",
    dnsNames: ["localhost"],
    addresses: ["127.0.0.1", "::1"],
  });
  const client = await ca.issue({
    commonName: "billing",
    usage: "client",
    uris: ["spiffe://example.org/ns/shop/sa/billing"],
  });
  const issuer = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const files = {
    "ca.pem": ca.certificate,
    "server.pem": server.certificate,
    "server.key": server.key,
    "client.pem": client.certificate,
    "client.key": client.key,
    "issuer.pem": issuer.publicKey.export({ type: "spki", format: "pem" }),
    "reader.token": token(issuer.privateKey, "reader", "orders:read", nowMs),
    "writer.token": token(issuer.privateKey, "writer", "orders:read orders:write", nowMs),
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
}

/** A token as an identity provider would give it. */
function token(key: KeyObject, subject: string, scope: string, nowMs: number): string {
  const issuedAt = Math.floor(nowMs / 1000);
  const signed = [
    { alg: "ES256", typ: "JWT" },
    {
      iss: "https://issuer.example.org/",
      aud: "orders",
      sub: subject,
      scope,
      iat: issuedAt,
      exp: issuedAt + TOKEN_LIFETIME_SECONDS,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  // RFC 7518 section 3.4: the two numbers side by side, not in DER.
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}
