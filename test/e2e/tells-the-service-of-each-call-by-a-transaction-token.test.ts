// Goal: the service gets one token for each request that says who asks and what the call is about, and verifies it by postern's keys.
// Method: `postern run` as a process; jose as the service; forged tokens beside the real one.
import { createRemoteJWKSet, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
identity:
  token:
    profile: transaction
    audience: shop.example
    lifetime: 30s
    tctx: { order: path.orderId, method: request.method, tenant: jwt.tenant }
routes:
  - { path: "/orders/{orderId}", authenticate: [okta] }
  - { path: /orders, authenticate: [okta] }
  - { path: /public, public: true }
`;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy);
});

async function call(path: string, claims: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const { mint } = await theWorld();
  const token = await mint.token({ sub: "ann", scope: "orders:read", ...claims });
  const answer = await postern.call({ path, headers: { Authorization: `Bearer ${token}`, ...headers } });
  expect(answer.status).toBe(200);
  return String(service.arrived.at(-1)?.headers["txn-token"]);
}

async function verified(token: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${postern.admin}/identity/jwks`));
  return (await jwtVerify(token, keys, { audience: "shop.example", typ: "txntoken+jwt", algorithms: ["ES256"] }))
    .payload;
}

test("a token says who asks, from where, and what this call is about", async () => {
  const token = await call("/orders/4711", { tenant: "t1" });
  const payload = await verified(token);
  expect(payload).toEqual({
    iss: "postern:orders",
    aud: "shop.example",
    sub: "ann",
    scope: "orders:read",
    req_wl: "postern:orders",
    txn: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    iat: expect.any(Number) as number,
    exp: expect.any(Number) as number,
    tctx: { order: "4711", method: "GET", tenant: "t1" },
    rctx: { req_ip: "127.0.0.1", authn: "jwt" },
  });
  expect([30, 31]).toContain(Number(payload.exp) - Number(payload.iat));
  expect(decodeProtectedHeader(token)).toMatchObject({ typ: "txntoken+jwt", alg: "ES256" });
});

test("each call has its own, though the caller is the same", async () => {
  const [first, second] = [await verified(await call("/orders/1")), await verified(await call("/orders/2"))];
  expect(first["txn"]).not.toBe(second["txn"]);
  expect([first["tctx"], second["tctx"]]).toEqual([
    { order: "1", method: "GET" },
    { order: "2", method: "GET" },
  ]);
});

test("a route without the parameter says nothing of it", async () => {
  expect((await verified(await call("/orders")))["tctx"]).toEqual({ method: "GET" });
});

test("what a client shows as such a token does not arrive, in no spelling, nor on a public route", async () => {
  const forged = { "Txn-Token": "forged", txn_token: "forged", "TXN.Token": "forged" };
  expect((await verified(await call("/orders/1", {}, forged))).sub).toBe("ann");
  expect((await postern.call({ path: "/public", headers: forged })).status).toBe(200);
  expect(service.arrived.at(-1)?.headers["txn-token"]).toBeUndefined();
  expect(JSON.stringify(service.arrived)).not.toContain("forged");
});

test("a service that wants an access token does not take it for one", async () => {
  const token = await call("/orders/1");
  const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${postern.admin}/identity/jwks`));
  await expect(jwtVerify(token, keys, { audience: "shop.example", typ: "at+jwt" })).rejects.toThrow(/typ/);
});
