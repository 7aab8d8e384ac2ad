// Goal: certificates are swapped in place: new connections see the new one, old ones live on, a broken pair changes nothing.
// Method: overwrite certificate and key of a running process; look at what the handshake shows.
import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import { connect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import {
  eventually,
  ORDER_SCHEMA,
  ordersPolicy,
  type PolicyPorts,
  startOrders,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

test("a rotated certificate is served to new connections while an old connection lives on", async () => {
  const { pki } = await theWorld();
  const { postern } = await startOrders();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await postern.call({ path: "/public", agent })).status).toBe(200);
  const port = Object.values(agent.freeSockets).flat()[0]?.localPort;
  const served = () =>
    new Promise<string>((done, failed) => {
      const socket = connect(
        { port: postern.port, host: "127.0.0.1", ca: pki.ca.certificate, servername: "localhost" },
        () => {
          done(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
          socket.destroy();
        },
      );
      socket.once("error", failed);
    });
  const before = await served();
  const next = await pki.ca.issue({
    commonName: "localhost",
    usage: "server",
    dnsNames: ["localhost"],
    addresses: ["127.0.0.1"],
  });
  // For a moment the certificate does not fit the key; that state must never be served.
  postern.write("server.pem", next.certificate);
  postern.write("server.key", next.key);
  const wanted = new X509Certificate(next.certificate).fingerprint256;
  const seen = new Set<string>();
  await eventually(
    async () => {
      const fingerprint = await served();
      seen.add(fingerprint);
      return fingerprint;
    },
    (fingerprint) => fingerprint === wanted,
  );
  expect([...seen].filter((fingerprint) => fingerprint !== before && fingerprint !== wanted)).toEqual([]);
  expect((await postern.call({ path: "/public", agent })).status).toBe(200);
  expect(Object.values(agent.freeSockets).flat()[0]?.localPort).toBe(port);
  const { body } = await postern.admins("/metrics");
  expect(body).toContain("postern_certificate_expiry_timestamp_seconds");
  agent.destroy();
});

test("a client that is revoked loses its open keep-alive connection with the next policy", async () => {
  const { pki } = await theWorld();
  const files = { "order.json": ORDER_SCHEMA, "crl.pem": await pki.ca.revoke([], Date.now()) };
  const policy = (ports: PolicyPorts) => ordersPolicy(ports).replace("ca: ca.pem", "ca: ca.pem, crl: crl.pem");
  const postern = await startPostern((await startService()).port, policy, files);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () => postern.call({ path: "/mesh", client: pki.client, agent });
  expect((await ask()).status).toBe(200);
  postern.write("crl.pem", await pki.ca.revoke([pki.client.certificate], Date.now()));
  // The kept-alive connection may close in the very moment in which it is used again.
  const closing = () => ask().catch(() => ({ status: 0 }));
  await eventually(closing, ({ status }) => status === 401);
  expect(await ask()).toMatchObject({ status: 401, reason: "certificate_revoked" });
  agent.destroy();
});

test("trust does not outlive a listener's name: revoked and renamed in one edit, the open connection ends", async () => {
  const { pki } = await theWorld();
  const files = {
    "order.json": ORDER_SCHEMA,
    "none.pem": await pki.ca.revoke([], Date.now()),
    "revoked.pem": await pki.ca.revoke([pki.client.certificate], Date.now()),
  };
  const policy = (crl: string) => (ports: PolicyPorts) =>
    ordersPolicy(ports).replace("ca: ca.pem", `ca: ca.pem, crl: ${crl}`);
  const postern = await startPostern((await startService()).port, policy("none.pem"), files);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () => postern.call({ path: "/mesh", client: pki.client, agent });
  expect((await ask()).status).toBe(200);
  const renamed = policy("revoked.pem")(postern)
    .replace("name: inbound", "name: renamed")
    .replaceAll(/\bapp\b/g, "other");
  postern.write("policy.yaml", renamed);
  const closing = () => ask().catch(() => ({ status: 0 }));
  const { status } = await eventually(closing, (answer) => answer.status !== 200 && answer.status !== 0);
  expect(status).toBe(401);
  agent.destroy();
});
