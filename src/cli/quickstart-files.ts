import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDevelopmentCa } from "./development-ca.ts";
import { signToken } from "./development-token.ts";

/** What policies/quickstart.yaml asks of a token. */
const CLAIMS = { iss: "https://issuer.example.org/", aud: "orders" };

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
  const token = (sub: string, scope: string) => signToken(issuer.privateKey, { ...CLAIMS, sub, scope }, nowMs);
  const files = {
    "ca.pem": ca.certificate,
    "server.pem": server.certificate,
    "server.key": server.key,
    "client.pem": client.certificate,
    "client.key": client.key,
    "issuer.pem": issuer.publicKey.export({ type: "spki", format: "pem" }),
    "reader.token": token("reader", "orders:read"),
    "writer.token": token("writer", "orders:read orders:write"),
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
}
