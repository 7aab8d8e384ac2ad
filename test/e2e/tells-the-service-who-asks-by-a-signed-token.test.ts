import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, expect, test } from "vitest";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

function policy(ports: PolicyPorts): string {
  return `${policyHead(ports)}
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
identity:
  token: { audience: orders-service, claims: { tenant: jwt.tenant, "https://shop.example/plan": jwt.plan.name } }
routes:
  - { path: /orders, authenticate: [okta] }
  - { path: /public, public: true }
`;
}

test("the service verifies the caller by postern's keys, and what a client claims of itself does not arrive", async () => {
  const { mint } = await theWorld();
  const service = await startService();
  const postern = await startPostern(service.port, policy);
  const token = await mint.token({ sub: "ann", scope: "orders:read", tenant: "t1", plan: { name: "gold" } });
  const forged = { "X-Identity-Token": "forged", "x-identity_token": "forged" };
  const headers = { Authorization: `Bearer ${token}`, ...forged };
  expect((await postern.call({ path: "/orders", headers })).status).toBe(200);
  expect((await postern.call({ path: "/public", headers: forged })).status).toBe(200);

  const [known, nobody] = service.arrived;
  const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${postern.admin}/identity/jwks`));
  const options = { issuer: "postern:orders", audience: "orders-service", typ: "at+jwt" };
  const { payload } = await jwtVerify(String(known?.headers["x-identity-token"]), keys, options);
  expect(payload).toMatchObject({
    sub: "ann",
    scope: "orders:read",
    tenant: "t1",
    "https://shop.example/plan": "gold",
  });
  expect(nobody?.headers["x-identity-token"]).toBeUndefined();
  expect(JSON.stringify(service.arrived)).not.toContain("forged");
  expect(JSON.stringify(service.arrived)).not.toContain(token);
  const published = (await postern.admins("/identity/jwks")).body;
  expect(published).not.toContain('"d"');

  // An edit elsewhere keeps the keys.
  postern.write("policy.yaml", policy(postern).replace("/public,", "/open,"));
  await postern.logged(({ event, result }) => event === "reload" && result === "ok");
  expect((await postern.admins("/identity/jwks")).body).toBe(published);
});
