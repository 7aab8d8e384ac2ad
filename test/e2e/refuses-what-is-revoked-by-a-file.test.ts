// Goal: what a file calls revoked is refused as soon as the file says so: tokens and certificates that were good before and
// are remembered as that, and streams that last; and a file with one bad line changes nothing.
// Method: a real process over TLS; real tokens, certificates of two authorities with one serial number, a real provider.

import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Agent } from "node:https";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Issued } from "../../src/cli/development-ca.ts";
import { createAuthority } from "../fixtures/authority.ts";
import { eventually } from "../fixtures/eventually.ts";
import { startOidc } from "../fixtures/oidc.ts";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

afterEach(closeAll);

const OKTA = `{ type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }`;

const policy =
  (authenticators: string, routes: string, tls = "") =>
  ({ port, admin, app }: PolicyPorts): string =>
    `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key${tls} }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators: { ${authenticators} }
routes: [${routes}]
revoked: revoked.yaml
`;

const NOBODY = { "revoked.yaml": "jti: []\n" };

interface Credentials {
  readonly token?: string;
  readonly client?: Issued;
  readonly path?: string;
}

async function ask(postern: Postern, { token, client, path = "/orders" }: Credentials): Promise<string> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const { status, reason } = await postern.call({ path, headers, ...(client === undefined ? {} : { client }) });
  return `${status} ${reason ?? ""}`.trim();
}

const becomes = (postern: Postern, credentials: Credentials, wanted: string) =>
  eventually(async () => (await ask(postern, credentials)) === wanted);

test("a token that is remembered as good is refused by its jti, and let in again when the file says so no more", async () => {
  const { mint } = await theWorld();
  const postern = await startPostern(
    (await startService()).port,
    policy(`okta: ${OKTA}`, "{ path: /orders, authenticate: [okta] }"),
    NOBODY,
  );
  const [stolen, mine] = [
    { token: await mint.token({ jti: "stolen-1" }) },
    { token: await mint.token({ jti: "mine" }) },
  ];
  for (let times = 0; times < 3; times++) expect(await ask(postern, stolen)).toBe("200");
  postern.write("revoked.yaml", "jti:\n  - stolen-1\n");
  await becomes(postern, stolen, "401 credential_revoked");
  expect(await ask(postern, mine)).toBe("200");
  const line = await postern.logged(({ reason }) => reason === "credential_revoked");
  expect(line).toMatchObject({ rule: "jti[0]", seen: "jti is revoked" });
  expect(line["policy"]).toMatch(/revoked\.yaml:2:5$/);
  expect((await postern.admins("/metrics")).body).toMatch(
    /^postern_requests_total\{.*reason="credential_revoked".*\} \d+$/m,
  );
  // A list that is half read must not let anybody in.
  postern.write("revoked.yaml", "jti:\n  - stolen-2\n  - 17\n");
  await postern.logged(({ event, result }) => event === "reload" && result !== "ok");
  expect(await ask(postern, stolen)).toBe("401 credential_revoked");
  // Logout everywhere: what was given out before is refused, and a new login passes.
  const nowSeconds = Math.floor(Date.now() / 1000);
  const old = { token: await mint.token({ iat: nowSeconds - 900 }) };
  const fresh = { token: await mint.token({ iat: nowSeconds }) };
  expect(await ask(postern, old)).toBe("200");
  const since = new Date((nowSeconds - 60) * 1000).toISOString();
  postern.write("revoked.yaml", `sub:\n  - { sub: alice, issuedBefore: ${since} }\n`);
  await becomes(postern, old, "401 credential_revoked");
  expect(await ask(postern, fresh)).toBe("200");
}, 90_000);

test("what the provider said of an opaque token is remembered for an hour, and does not help", async () => {
  const { pki } = await theWorld();
  const oidc = await startOidc(pki);
  const opaque = `{ type: introspection, endpoint: "${oidc.issuer}/token/introspection", ca: ca.pem,
    clientId: ${oidc.clientId}, clientSecret: { file: secrets/idp }, issuer: "${oidc.issuer}",
    audience: "https://orders.example", cacheFor: 1h }`;
  const postern = await startPostern(
    (await startService()).port,
    policy(`opaque: ${opaque}`, "{ path: /orders, authenticate: [opaque] }"),
    { ...NOBODY, "secrets/idp": `${oidc.clientSecret}\n` },
  );
  const credentials = { token: await oidc.token("orders:read") };
  expect(await ask(postern, credentials)).toBe("200");
  postern.write("revoked.yaml", `callers: [{ caller: ${oidc.clientId}, authenticator: opaque }]\n`);
  await becomes(postern, credentials, "401 credential_revoked");
}, 90_000);

test("a WebSocket whose token is revoked is closed, and that of another token is not", async () => {
  const { pki, mint } = await theWorld();
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(String(data))));
  const port = await listen(server);
  onClose(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  });
  const postern = await startPostern(
    port,
    policy(`okta: ${OKTA}`, "{ path: /chat, authenticate: [okta], websocket: true }"),
    NOBODY,
  );
  const open = async (jti: string) => {
    const socket = new WebSocket(`wss://127.0.0.1:${postern.port}/chat`, {
      agent: new Agent({ ca: pki.ca.certificate, servername: "localhost" }),
      headers: { Host: "localhost", Authorization: `Bearer ${await mint.token({ jti })}` },
    });
    onClose(() => socket.terminate());
    socket.on("error", () => {});
    await once(socket, "open");
    return socket;
  };
  const [stolen, mine] = [await open("stolen"), await open("mine")];
  const closed = once(stolen, "close");
  postern.write("revoked.yaml", "jti: [stolen]\n");
  const [code, reason] = (await closed) as [number, Buffer];
  expect([code, String(reason)]).toEqual([1008, "stream_denied"]);
  const line = await postern.logged(({ reason: why }) => why === "stream_denied");
  expect(line).toMatchObject({ rule: "jti[0]", seen: "credential_revoked: jti is revoked" });
  const answer = once(mine, "message");
  mine.send("still here");
  expect(String((await answer)[0])).toBe("still here");
}, 90_000);

test("a certificate is refused by its number and issuer on the connection that it opened, another authority's is not", async () => {
  const [one, two] = [await createAuthority("one"), await createAuthority("two")];
  const serial = "0a1b2c3d4e5f";
  const issue = (authority: typeof one, name: string) =>
    authority.issue({ subject: `CN=${name}`, usage: "client", serialNumber: serial });
  const clients = { one: await issue(one, "a"), two: await issue(two, "b") };
  expect(new X509Certificate(clients.one.certificate).serialNumber).toBe(serial.toUpperCase());
  const postern = await startPostern(
    (await startService()).port,
    policy(
      "mesh: { type: client-certificate }",
      "{ path: /orders, authenticate: [mesh] }",
      ", clientCertificate: { mode: required, ca: clients.pem }",
    ),
    { "revoked.yaml": "serials: []\n", "clients.pem": one.certificate + two.certificate },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  onClose(() => agent.destroy());
  const call = (client: Issued) =>
    postern.call({ path: "/orders", client, agent }).then(
      ({ status, reason }) => `${status} ${reason ?? ""}`.trim(),
      // A kept-alive connection may close in the very moment in which it is used again.
      () => "closed",
    );
  await eventually(async () => (await call(clients.one)) === "200");
  await eventually(async () => (await call(clients.two)) === "200");
  postern.write("revoked.yaml", "serials:\n  - { serial: '0A:1B:2C:3D:4E:5F', issuer: 'CN = one' }\n");
  await eventually(async () => (await call(clients.one)) === "401 credential_revoked");
  await eventually(async () => (await call(clients.two)) === "200");
  postern.write("revoked.yaml", "serials: ['serial=0A1B2C3D4E5F']\n");
  await eventually(async () => (await call(clients.two)) === "401 credential_revoked");
}, 90_000);
