// Goal: a listener with the identity of a SPIFFE agent serves when the agent gives one, rotates with it, and outlives its outage.
// Method: a real gRPC server on a Unix socket as the agent, `postern run` as a process, a new connection for every request.
import { X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";
import { eventually, type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";
import { type AgentSvid, encodeResponse, type SpiffeAgent, startSpiffeAgent } from "../fixtures/spiffe-agent.ts";

const ID = "spiffe://example.org/orders";

let root: Authority;
let partner: Authority;
let billing: Issued;
let shop: Issued;
beforeAll(async () => {
  root = await createAuthority("example.org");
  partner = await createAuthority("partner.net");
  billing = await root.issue({ subject: "O=SPIRE", usage: "client", uris: ["spiffe://example.org/billing"] });
  shop = await partner.issue({ subject: "O=SPIRE", usage: "client", uris: ["spiffe://partner.net/shop"] });
});
afterEach(closeAll);

async function svid(): Promise<AgentSvid> {
  const issued = await root.issue({ subject: "O=SPIRE", usage: "both", uris: [ID], dnsNames: ["localhost"] });
  return { spiffeId: ID, ...issued, bundle: root.certificate };
}

const policy =
  (agent: SpiffeAgent) =>
  ({ port, admin, app }: PolicyPorts): string =>
    `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls:
      spiffe: { socket: "unix:${agent.socketPath}" }
      clientCertificate: { mode: optional }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  mesh: { type: client-certificate, spiffeIds: ["spiffe://example.org/**", "spiffe://partner.net/**"] }
routes:
  - path: /mesh
    authenticate: [mesh]
`;

interface Visit {
  readonly status: number;
  readonly serial: string;
  readonly error: string;
}

function visit(port: number, { certificate, key }: Issued): Promise<Visit> {
  return new Promise((resolve) => {
    const ca = root.certificate;
    const socket = connect({ port, host: "127.0.0.1", ca, servername: "localhost", cert: certificate, key });
    let serial = "";
    let answer = "";
    let error = "";
    socket.once("secureConnect", () => {
      serial = socket.getPeerX509Certificate()?.serialNumber ?? "";
      socket.write("GET /mesh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    });
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", (fault: NodeJS.ErrnoException) => {
      error = fault.code ?? fault.message;
    });
    socket.on("close", () => resolve({ status: Number(answer.slice(9, 12)), serial, error }));
  });
}

const serialOf = ({ certificate }: AgentSvid): string => new X509Certificate(certificate).serialNumber;
const isReady = async (postern: Postern): Promise<number> => (await postern.admins("/readyz")).status;

async function start(agent: SpiffeAgent): Promise<Postern> {
  return startPostern((await startService()).port, policy(agent));
}

test("nobody is served and nothing is ready before the agent has given an identity, and then both are", async () => {
  const agent = await startSpiffeAgent();
  const postern = await start(agent);
  expect(await isReady(postern)).toBe(503);
  expect(await visit(postern.port, billing)).toMatchObject({ status: 0, serial: "" });
  await postern.logged((line) => line["event"] === "connection_refused" && line["reason"] === "certificate_pending");
  const first = await svid();
  agent.give(encodeResponse([first], { "partner.net": partner.certificate }));
  await eventually(
    () => isReady(postern),
    (status) => status === 200,
  );
  await eventually(
    () => visit(postern.port, billing),
    ({ status }) => status === 200,
  );
  expect(await visit(postern.port, shop)).toMatchObject({ status: 200, serial: serialOf(first) });
  const forged = await partner.issue({ subject: "O=x", usage: "client", uris: ["spiffe://example.org/billing"] });
  expect((await visit(postern.port, forged)).status).toBe(401);
  const { body } = await postern.admins("/metrics");
  expect(body).toMatch(/postern_certificate_expiry_timestamp_seconds\{[^}]*agent\.sock/);
}, 60_000);

test("no request fails while the identity rotates, nor while the agent is away", async () => {
  const agent = await startSpiffeAgent();
  const sets = [await svid(), await svid(), await svid()];
  agent.give(encodeResponse(sets.slice(0, 1)));
  const postern = await start(agent);
  await eventually(
    () => visit(postern.port, billing),
    ({ status }) => status === 200,
  );
  const failures: Visit[] = [];
  const seen = new Map<string, number>();
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const one = await visit(postern.port, billing);
      if (one.status !== 200) failures.push(one);
      seen.set(one.serial, (seen.get(one.serial) ?? 0) + 1);
    }
  };
  const clients = Promise.all([client(), client(), client()]);
  for (const set of sets) {
    agent.give(encodeResponse([set]));
    await eventually(
      () => Promise.resolve(seen.get(serialOf(set)) ?? 0),
      (count) => count >= 5,
    );
  }
  agent.stop();
  await postern.logged((line) => line["event"] === "resource" && line["state"] === "stale");
  const [last] = sets.slice(-1) as [AgentSvid];
  const before = seen.get(serialOf(last)) ?? 0;
  await eventually(
    () => Promise.resolve(seen.get(serialOf(last)) ?? 0),
    (count) => count >= before + 20,
  );
  // An edit of the policy asks nobody anew and loses nothing.
  postern.write("policy.yaml", `${policy(agent)(postern)}  - path: /public\n    public: true\n`);
  await eventually(
    () => Promise.resolve(postern.log.filter((line) => line["event"] === "reload" && line["result"] === "ok").length),
    (count) => count >= sets.length + 1,
  );
  expect(await isReady(postern)).toBe(200);
  const [back] = [await svid()];
  agent.give(encodeResponse([back]));
  await agent.start();
  await eventually(
    () => Promise.resolve(seen.get(serialOf(back)) ?? 0),
    (count) => count >= 5,
  );
  isOver = true;
  await clients;
  expect(failures).toEqual([]);
}, 120_000);

test("a bundle from which an authority is gone ends the trust in its clients", async () => {
  const agent = await startSpiffeAgent();
  const one = await svid();
  agent.give(encodeResponse([one], { "partner.net": partner.certificate }));
  const postern = await start(agent);
  await eventually(
    () => visit(postern.port, shop),
    ({ status }) => status === 200,
  );
  agent.give(encodeResponse([one]));
  await eventually(
    () => visit(postern.port, shop),
    ({ status }) => status === 401,
  );
  expect((await visit(postern.port, billing)).status).toBe(200);
}, 60_000);

test("the service is shown the same identity, renewed with it, where the policy says so", async () => {
  const agent = await startSpiffeAgent();
  const service = await root.issue({ subject: "CN=app", usage: "server", dnsNames: ["localhost"] });
  const seen: string[] = [];
  const tls = { cert: service.certificate, key: service.key, ca: root.certificate };
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (incoming, response) => {
    seen.push((incoming.socket as TLSSocket).getPeerX509Certificate()?.serialNumber ?? "none");
    response.end("ok");
  });
  const app = await listen(server);
  const both = [await svid(), await svid()] as const;
  const text = (ports: PolicyPorts): string =>
    policy(agent)(ports).replace(
      /app: .*/,
      `app: { address: "https://localhost:${app}", tls: { ca: root.pem, spiffe: { socket: "unix:${agent.socketPath}" } } }`,
    );
  agent.give(encodeResponse([both[0]]));
  const postern = await startPostern(app, text, { "root.pem": root.certificate });
  for (const one of both) {
    agent.give(encodeResponse([one]));
    await eventually(
      async () => {
        const { status } = await visit(postern.port, billing);
        return status === 200 ? seen.at(-1) : "";
      },
      (serial) => serial === serialOf(one),
    );
  }
  expect(new Set(seen)).toEqual(new Set(both.map(serialOf)));
}, 60_000);
