// Goal: with a server certificate from files, workloads get in by bundles of an agent and of an endpoint that is known by its own
// SPIFFE ID; JWT-SVIDs of another trust domain by that domain's keys alone.
// Method: a gRPC server on a Unix socket as the agent, a TLS server as the endpoint, `postern run` as a process.
import { afterEach, expect, test } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import { makeToken, rs256 } from "../filters/jwt-kit.ts";
import { signer } from "../filters/key-set-kit.ts";
import { createAuthority } from "../fixtures/authority.ts";
import { startBundleEndpoint } from "../fixtures/bundle-endpoint.ts";
import { eventually, type PolicyPorts, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { encodeJwtBundles, encodeX509Bundles, startSpiffeAgent } from "../fixtures/spiffe-agent.ts";

afterEach(closeAll);

const policy =
  (socket: string, url: string) =>
  ({ port, admin, app }: PolicyPorts): string =>
    `version: 1
service: orders
state: { directory: state }
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls:
      certificate: server.pem
      key: server.key
      clientCertificate:
        mode: optional
        trustBundles:
          example.org: { socket: "unix:${socket}" }
          partner.net: { url: "${url}", spiffeId: "spiffe://partner.net/spire/server", bootstrap: partner.pem }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  mesh: { type: client-certificate, spiffeIds: ["spiffe://example.org/**", "spiffe://partner.net/**"] }
  svids:
    type: jwt
    provider: spiffe
    audience: orders
    subjects: ["spiffe://partner.net/**"]
    jwks: { socket: "unix:${socket}" }
routes:
  - { path: /mesh, authenticate: [mesh] }
  - { path: /svids, authenticate: [svids] }
`;

test("workloads of both domains get in by their own domain's bundle, through its rotation too", async () => {
  const [own, partner, next] = [
    await createAuthority("example.org"),
    await createAuthority("partner.net"),
    await createAuthority("partner.net next"),
  ];
  const of = (authority: typeof own, id: string) =>
    authority.issue({ subject: "O=SPIRE", usage: "both", uris: [`spiffe://${id}`] });
  const agent = await startSpiffeAgent();
  const endpoint = await startBundleEndpoint(await of(partner, "partner.net/spire/server"));
  endpoint.publish(partner.certificate, next.certificate);
  const postern = await startPostern((await startService()).port, policy(agent.socketPath, endpoint.url), {
    "partner.pem": partner.certificate,
  });
  // Other authorities end the connections that were judged by those of before, also one that has just begun.
  const statusOf = (client: Issued) =>
    postern.call({ path: "/mesh", client }).then(
      ({ status }) => status,
      () => 0,
    );
  const becomes = (client: Issued, wanted: number) =>
    eventually(
      () => statusOf(client),
      (status) => status === wanted,
    );
  await becomes(await of(partner, "partner.net/shop"), 200);
  await becomes(await of(next, "partner.net/shop"), 200);
  await becomes(await of(own, "example.org/billing"), 401);
  agent.give(encodeX509Bundles({ "example.org": own.certificate }), "FetchX509Bundles");
  await becomes(await of(own, "example.org/billing"), 200);
  await becomes(await of(own, "partner.net/shop"), 401);
  await becomes(await of(partner, "example.org/billing"), 401);

  const [partnerKey, ownKey] = [signer("partner"), signer("own")];
  const jwks = (one: typeof ownKey) => JSON.stringify({ keys: [{ ...one.jwk, use: "jwt-svid" }] });
  agent.give(encodeJwtBundles({ "example.org": jwks(ownKey), "partner.net": jwks(partnerKey) }), "FetchJWTBundles");
  const show = async (by: typeof ownKey, sub: string) => {
    const claims = { sub, aud: "orders", exp: Math.floor(Date.now() / 1000) + 300 };
    const token = makeToken({ alg: "RS256", kid: by.kid }, claims, rs256(by.key));
    return postern.call({ path: "/svids", headers: { Authorization: `Bearer ${token}` } });
  };
  expect((await show(partnerKey, "spiffe://partner.net/shop")).status).toBe(200);
  expect(await show(ownKey, "spiffe://partner.net/shop")).toMatchObject({ status: 401, reason: "token_key_unknown" });
  expect(await show(ownKey, "spiffe://example.org/shop")).toMatchObject({ status: 401 });
  const { body } = await postern.admins("/readyz?verbose");
  expect(body).toContain("SPIFFE bundle partner.net: ready, 2 authorities");
  expect(body).toContain(`SPIFFE bundles unix:${agent.socketPath}: ready, 1 trust domain`);
  expect(body).toContain("SPIFFE JWT bundle partner.net: ready, 1 key");
}, 60_000);
