// Goal: a request that its caller signed reaches the service as it was signed, and nobody on the way can use or change it.
// Method: a real process over TLS, HTTP/1.1 and HTTP/2; RFC 9421 signatures made here, byte by byte.
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const key = generateKeyPairSync("ed25519");

const policy = (ports: PolicyPorts) => `${policyHead(ports)}
authenticators:
  machines:
    type: signature
    keys: [{ keyid: k1, file: k1.pem, caller: billing, scopes: ["orders:write"] }]
    covers: ["@method", "@target-uri", content-digest, x-tenant]
routes:
  - { path: "/orders/{id}", methods: [GET, POST], authenticate: [machines], authorize: { scopes: ["orders:write"] } }
`;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  const pem = key.publicKey.export({ type: "spki", format: "pem" }).toString();
  postern = await startPostern(service.port, policy, { "k1.pem": pem });
});
afterAll(closeAll);

/** Headers of a signed request. */
function signed(method: string, path: string, body: string, tenant = "acme"): Record<string, string> {
  const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  const parts: [string, string][] = [
    ["@method", method],
    ["@target-uri", `https://localhost${path}`],
    ["x-tenant", tenant],
  ];
  if (body !== "") parts.push(["content-digest", digest]);
  const names = parts.map(([name]) => `"${name}"`).join(" ");
  const input = `(${names});created=${Math.floor(Date.now() / 1000)};keyid="k1";nonce="${randomUUID()}"`;
  const base = [...parts.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${input}`].join("\n");
  return {
    ...(body === "" ? {} : { "Content-Digest": digest }),
    "X-Tenant": tenant,
    "Signature-Input": `sig=${input}`,
    Signature: `sig=:${sign(null, Buffer.from(base), key.privateKey).toString("base64")}:`,
  };
}

const post = (path: string, headers: Record<string, string>, body: string) =>
  postern.call({ method: "POST", path, headers, body });

test("a signed request passes as its caller's, with and without a body", async () => {
  const body = '{"sku":"a"}';
  expect(await post("/orders/1?x=%7e", signed("POST", "/orders/1?x=%7e", body), body)).toMatchObject({ status: 200 });
  expect(service.arrived.at(-1)).toMatchObject({ body, url: "/orders/1?x=%7e" });
  expect(service.arrived.at(-1)?.headers["x-postern-principal"]).toBe("billing");
  const path = "/orders/%41";
  expect(await postern.call({ path, headers: signed("GET", path, "") })).toMatchObject({ status: 200 });
  expect(service.arrived.at(-1)?.url).toBe("/orders/A");
});

test("the same over HTTP/2, whose names are in lower case", async () => {
  const lines = Object.entries(signed("POST", "/orders/2", "a")).map(([name, value]) => [name.toLowerCase(), value]);
  const headers = { ":method": "POST", ":path": "/orders/2", ...Object.fromEntries(lines) };
  const session = postern.h2();
  expect(await askH2(session, headers, "a")).toMatchObject({ status: 200 });
  expect(await askH2(session, headers, "a")).toMatchObject({ status: 401 });
});

test("what was changed on the way, or is shown again, gets nothing", async () => {
  const heard = signed("POST", "/orders/3", "a");
  const before = service.arrived.length;
  expect(await post("/orders/3", heard, "b")).toMatchObject({ status: 401, reason: "proof_digest_mismatch" });
  expect(await post("/orders/4", heard, "a")).toMatchObject({ status: 401, reason: "proof_signature_invalid" });
  expect(await post("/orders/3", { ...heard, "X-Tenant": "other" }, "a")).toMatchObject({
    status: 401,
    reason: "proof_signature_invalid",
  });
  expect(service.arrived.length).toBe(before);
  expect(await post("/orders/3", { ...heard, X_Tenant: "other" }, "a")).toMatchObject({ status: 200 });
  expect(service.arrived.at(-1)?.headers).not.toHaveProperty("x_tenant");
  expect(await post("/orders/3", heard, "a")).toMatchObject({ status: 401, reason: "proof_replayed" });
});

test("who shows nothing learns what has to be signed", async () => {
  const answer = await postern.call({ path: "/orders/5" });
  expect(answer).toMatchObject({ status: 401, reason: "credentials_missing" });
  expect(answer.headers["accept-signature"]).toBe(
    'sig=("@method" "@target-uri" "content-digest" "x-tenant");created;keyid',
  );
  expect(answer.headers["www-authenticate"]).toBe('Signature realm="orders"');
});
