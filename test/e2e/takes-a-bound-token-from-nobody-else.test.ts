// Goal: a token that is bound to a key or a certificate is of no use to whoever found it, with the requests of its owner beside it.
// Method: real proofs of jose and real certificates over TLS, HTTP/1.1 and HTTP/2; what an eavesdropper has is shown again.
import { randomUUID, X509Certificate } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const policy = (ports: PolicyPorts) => `${policyHead(ports, { asksForCertificate: true })}
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
  wallet:
    { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json, bound: dpop, dpop: { nonce: true } }
routes:
  - { path: /orders, methods: [GET, POST], authenticate: [okta] }
  - { path: /wallet, methods: [GET], authenticate: [wallet] }
`;

let service: Service;
let postern: Postern;
let own: { key: CryptoKey; jwk: JWK; token: string };

beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy);
  const { mint } = await theWorld();
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = await exportJWK(publicKey);
  own = { key: privateKey, jwk, token: await mint.token({ cnf: { jkt: await calculateJwkThumbprint(jwk) } }) };
});
afterAll(closeAll);

async function proof(path: string, more: Record<string, unknown> = {}): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", Buffer.from(own.token));
  const claims = {
    jti: randomUUID(),
    htm: "GET",
    htu: `https://localhost${path}`,
    ath: Buffer.from(hash).toString("base64url"),
  };
  return new SignJWT({ ...claims, ...more })
    .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk: own.jwk as Required<JWK> })
    .setIssuedAt()
    .sign(own.key);
}

const show = (path: string, text: string, method = "GET") =>
  postern.call({ path, method, headers: { Authorization: `DPoP ${own.token}`, DPoP: text } });

test("the owner gets through, and neither token nor proof reaches the service", async () => {
  expect(await show("/orders?page=2", await proof("/orders"))).toMatchObject({ status: 200 });
  expect(service.arrived.at(-1)?.headers).not.toHaveProperty("dpop");
  expect(service.arrived.at(-1)?.headers).not.toHaveProperty("authorization");
});

test("the same over HTTP/2", async () => {
  const session = postern.h2();
  const headers = { ":path": "/orders", authorization: `DPoP ${own.token}`, dpop: await proof("/orders") };
  expect(await askH2(session, headers)).toMatchObject({ status: 200 });
  expect(await askH2(session, headers)).toMatchObject({ status: 401 });
});

test("who has heard it all gets nothing: not as Bearer, not again, not for another method or place", async () => {
  const heard = await proof("/orders");
  const bearer = await postern.call({
    path: "/orders",
    headers: { Authorization: `Bearer ${own.token}`, DPoP: heard },
  });
  expect(bearer).toMatchObject({ status: 401, reason: "proof_missing" });
  expect(await show("/orders", heard)).toMatchObject({ status: 200 });
  const before = service.arrived.length;
  expect(await show("/orders", heard)).toMatchObject({ status: 401, reason: "proof_replayed" });
  const next = await proof("/orders");
  expect(await show("/orders", next, "POST")).toMatchObject({ status: 401, reason: "proof_mismatch" });
  expect(await show("/wallet", next)).toMatchObject({ status: 401, reason: "proof_mismatch" });
  expect(service.arrived.length).toBe(before);
});

test("a reload forgets no proof", async () => {
  const heard = await proof("/orders");
  expect(await show("/orders", heard)).toMatchObject({ status: 200 });
  const hash = (await postern.admins("/policy")).body;
  postern.write("policy.yaml", `${policy(postern)}# changed\n`);
  await expect.poll(async () => (await postern.admins("/policy")).body, { timeout: 30_000 }).not.toBe(hash);
  expect(await show("/orders", heard)).toMatchObject({ status: 401, reason: "proof_replayed" });
});

test("a client learns its nonce from the first answer and is let in with it", async () => {
  const first = await show("/wallet", await proof("/wallet"));
  expect(first).toMatchObject({ status: 401, reason: "proof_nonce_invalid" });
  expect(first.headers["www-authenticate"]).toMatch(
    /^DPoP realm="orders", algs="ES256 EdDSA Ed25519", error="use_dpop_nonce"$/,
  );
  const nonce = first.headers["dpop-nonce"];
  expect(await show("/wallet", await proof("/wallet", { nonce }))).toMatchObject({ status: 200 });
});

test("a token bound to a certificate passes on connections of that certificate alone", async () => {
  const { pki, mint } = await theWorld();
  const print = new X509Certificate(pki.client.certificate).fingerprint256.replaceAll(":", "");
  const token = await mint.token({ cnf: { "x5t#S256": Buffer.from(print, "hex").toString("base64url") } });
  const ask = (client: typeof pki.client | null) =>
    postern.call({ path: "/orders", headers: { Authorization: `Bearer ${token}` }, client });
  expect(await ask(pki.client)).toMatchObject({ status: 200 });
  expect(await ask(null)).toMatchObject({ status: 401, reason: "proof_missing" });
  expect(await ask(pki.server)).toMatchObject({ status: 401, reason: "proof_mismatch" });
});
