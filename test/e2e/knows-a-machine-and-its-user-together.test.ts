// Goal: where a route wants a certificate and a token, neither alone is enough; where anybody may come, bad credentials are
// still refused. Method: real handshakes with and without a client's certificate, and signed tokens.
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyHead } from "../fixtures/policy-head.ts";
import { type Postern, type Service, startPostern, startService, theWorld, type World } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

let world: World;
let service: Service;
let postern: Postern;
beforeAll(async () => {
  world = await theWorld();
  service = await startService();
  postern = await startPostern(
    service.port,
    (ports) => `${policyHead(ports, { asksForCertificate: true })}
identity: { headers: { X-User: principal.id, X-Subject: certificate.spiffeId } }
authenticators:
  mesh: { type: client-certificate, trustDomain: example.org }
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
  guest: { type: anonymous, scopes: ['catalog:read'] }
routes:
  - { path: /payments, authenticate: { all: [mesh, okta] } }
  - { path: /catalog, authenticate: [okta, guest], authorize: { scopes: ['catalog:read'] } }
`,
  );
});

async function call(path: string, token: string | null, certificate: keyof World["pki"] | null) {
  const client = certificate === null ? null : (world.pki[certificate] as World["pki"]["client"]);
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  return postern.call({ path, headers, client });
}

test("a certificate and a token together let their user in, and the service learns of both", async () => {
  const answer = await call("/payments", await world.mint.token(), "client");
  expect(answer.status).toBe(200);
  const { headers } = service.arrived.at(-1) ?? {};
  expect(headers?.["x-user"]).toBe("alice");
  expect(headers?.["x-subject"]).toBe("spiffe://example.org/ns/shop/sa/billing");
  expect(headers?.authorization).toBeUndefined();
});

test("either alone, or a bad one beside a good one, is refused with what was wrong", async () => {
  const token = await world.mint.token();
  const expired = await world.mint.token({ exp: 1_000 });
  const before = service.arrived.length;
  for (const [shown, certificate, reason] of [
    [null, null, "credentials_missing"],
    [token, null, "certificate_missing"],
    [null, "client", "credentials_missing"],
    [token, "strangerClient", "certificate_issuer_unknown"],
    [token, "expiredClient", "certificate_expired"],
    [expired, "client", "token_expired"],
  ] as const) {
    const answer = await call("/payments", shown, certificate);
    expect([answer.status, answer.reason], `${certificate}`).toEqual([401, reason]);
  }
  expect(service.arrived.length).toBe(before);
});

test("whoever shows nothing is let in as anonymous where that is the last choice, and told of to nobody", async () => {
  expect((await call("/catalog", null, null)).status).toBe(200);
  const { headers } = service.arrived.at(-1) ?? {};
  expect(headers?.["x-user"]).toBeUndefined();
  const line = await postern.logged(({ event, principal }) => event === "request" && principal === "anonymous");
  expect(line["authenticator"]).toBe("guest");
  // A certificate is none of this route's credentials.
  expect((await call("/catalog", null, "client")).status).toBe(200);
});

test("a bad token, or one in the wrong place, makes nobody anonymous; a good one is its user's with its own scopes", async () => {
  const expired = await world.mint.token({ exp: 1_000 });
  expect((await call("/catalog", expired, null)).reason).toBe("token_expired");
  expect((await call("/catalog?access_token=eyJh.eyJh.eyJh", null, null)).reason).toBe("credentials_missing");
  expect((await call("/catalog", await world.mint.token(), null)).reason).toBe("scope_missing");
  expect((await call("/catalog", await world.mint.token({ scope: "catalog:read" }), null)).status).toBe(200);
  expect(service.arrived.at(-1)?.headers["x-user"]).toBe("alice");
});
