// Goal: a partner's workloads get in by the bundle that its endpoint publishes, also when the endpoint is away at the start.
// Method: a bundle endpoint over TLS, `postern run` as a process, real handshakes.
import { X509Certificate } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { createAuthority } from "../fixtures/authority.ts";
import { eventually, type PolicyPorts, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { startProvider } from "../fixtures/provider.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const policy =
  (url: string) =>
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
      clientCertificate: { mode: optional, trustBundles: { partner.net: { url: "${url}", ca: ca.pem } } }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  mesh: { type: client-certificate, trustDomain: partner.net }
routes:
  - path: /mesh
    authenticate: [mesh]
`;

test("a partner's workload is let in by the bundle of its endpoint, and by nothing before there is one", async () => {
  const { pki } = await theWorld();
  const [partner, other] = [await createAuthority("partner.net"), await createAuthority("other")];
  const wishes = { subject: "O=SPIRE", usage: "client", uris: ["spiffe://partner.net/shop"] } as const;
  const [shop, forged] = [await partner.issue(wishes), await other.issue(wishes)];
  const endpoint = await startProvider(pki);
  const postern = await startPostern((await startService()).port, policy(`${endpoint.origin}/bundle`));
  // Other authorities end the connections that were judged by those of before, also one that has just begun.
  const statusOf = (client: typeof shop) =>
    postern.call({ path: "/mesh", client }).then(
      ({ status }) => status,
      () => 0,
    );
  expect([await statusOf(shop), await statusOf(forged)]).toEqual([401, 401]);
  const raw = new X509Certificate(partner.certificate).raw.toString("base64");
  endpoint.answers.set("/bundle", { keys: [{ kty: "EC", use: "x509-svid", x5c: [raw] }], spiffe_refresh_hint: 600 });
  await eventually(
    () => statusOf(shop),
    (status) => status === 200,
  );
  expect(await statusOf(forged)).toBe(401);
  const { body } = await postern.admins("/readyz?verbose");
  expect(body).toContain("SPIFFE bundle partner.net: ready, 1 authority");
}, 60_000);
