import { afterAll, expect, test } from "vitest";
import { eventually, type PolicyPorts, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterAll(closeAll);

function policy({ port, admin, app }: PolicyPorts, path: string): string {
  return `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}", readyWithExpiredCertificate: false }
routes: [{ path: "${path}", public: true }]
`;
}

test("an expired certificate stops neither the start nor an edit; a new one that is expired is refused", async () => {
  const { pki } = await theWorld();
  const { port: app } = await startService();
  const old = await pki.ca.issue({ commonName: "old", usage: "server", notAfterMs: Date.now() - 1_000 });
  const files = { "server.pem": old.certificate, "server.key": old.key };
  const postern = await startPostern(app, (ports) => policy(ports, "/one"), files);
  const expired = /the certificate of CN=old expired at .*; it was in force and stays so/;
  await postern.logged((line) => line["event"] === "warning" && expired.test(String(line["msg"])));
  expect((await postern.admins("/readyz")).status).toBe(503);
  expect((await postern.admins("/metrics")).body).toMatch(/postern_certificate_expiry_timestamp_seconds{[^}]*CN=old/);

  const reloads = (result: string) =>
    postern.log.filter((line) => line["event"] === "reload" && line["result"] === result);
  postern.write("policy.yaml", policy(postern, "/two"));
  await eventually(
    async () => reloads("ok").length,
    (count) => count === 1,
  );

  const worse = await pki.ca.issue({ commonName: "worse", usage: "server", notAfterMs: Date.now() - 1_000 });
  postern.write("server.key", worse.key);
  postern.write("server.pem", worse.certificate);
  await postern.logged((line) => line["result"] === "refused" && /CN=worse expired at/.test(String(line["problems"])));

  postern.write("server.key", pki.server.key);
  postern.write("server.pem", pki.server.certificate);
  const ready = () => postern.admins("/readyz");
  await eventually(ready, ({ status }) => status === 200);
  expect((await postern.call({ path: "/two" })).status).toBe(200);
});
