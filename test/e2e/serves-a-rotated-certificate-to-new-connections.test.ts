// Goal: certificates are swapped in place: new connections see the new one, old ones live on, a broken pair changes nothing.
// Method: overwrite certificate and key of a running process; look at what the handshake shows.
import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import { connect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { eventually, ORDER_SCHEMA, ordersPolicy, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

test("a rotated certificate is served to new connections while an old connection lives on", async () => {
  const { pki } = await theWorld();
  const postern = await startPostern((await startService()).port, ordersPolicy, { "order.json": ORDER_SCHEMA });
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
