// Goal: each version has its own rules whatever carries the request: pages of other origins, WebSockets, calls of gRPC; pages that
// postern answers itself have no version, and who still uses the old one is told by version.
// Method: the real process over TLS, HTTP/1.1 and HTTP/2, real sockets behind it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { askH2 } from "../fixtures/h2-client.ts";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { handshake, type RawWebSocketService, startRawWebSocketService } from "../fixtures/web-socket.ts";

const ORIGIN = "https://app.example.org";
let service: Service;
let sockets: RawWebSocketService;
let postern: Postern;
let key: string;

beforeAll(async () => {
  service = await startService();
  sockets = await startRawWebSocketService();
  const state = mkdtempSync(join(tmpdir(), "postern-versions-e2e-"));
  onClose(() => rmSync(state, { recursive: true, force: true }));
  key = (await theWorld()).apiKey;
  postern = await startPostern(
    service.port,
    ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
state: { directory: "${state}" }
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
    upstream: app
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
  live: { address: "http://127.0.0.1:${sockets.port}" }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
resourceMetadata: { resource: "https://api.example.org/orders" }
versions: { from: [{ header: Api-Version }, { query: api-version }], default: '1' }
routes:
  - { path: /orders, version: '1', public: true, deprecated: { since: 2026-01-01 }, cors: { origins: ['${ORIGIN}'] } }
  - { path: /orders, version: '2', authenticate: [partners], cors: { origins: ['${ORIGIN}', 'https://new.example.org'] } }
  - { path: /live, version: '1', public: true, websocket: true, upstream: live }
  - { path: /live, version: '2', authenticate: [partners], websocket: true, upstream: live }
  - { path: /tokens, authenticate: [okta] }
`,
  );
});
afterAll(closeAll);

test("a page of another origin may send the version's header where every version lets it", async () => {
  const ask = (origin: string, names: string, path = "/orders") =>
    postern.call({
      method: "OPTIONS",
      path,
      headers: { Origin: origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": names },
    });
  const answer = await ask(ORIGIN, "api-version");
  expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([204, ORIGIN]);
  expect(answer.headers["access-control-allow-headers"]).toBe("api-version, content-type");
  expect((await ask("https://new.example.org", "api-version")).reason).toBe("origin_denied");
  const ofQuery = await ask("https://new.example.org", "x-api-key", "/orders?api-version=2");
  expect(ofQuery.headers["access-control-allow-headers"]).toBe("api-version, content-type, x-api-key");
  const read = await postern.call({ path: "/orders", headers: { Origin: ORIGIN, "Api-Version": "1" } });
  expect(read.headers["access-control-allow-origin"]).toBe(ORIGIN);
  expect(read.headers["vary"]).toMatch(/api-version/i);
});

test("a WebSocket is one version's, and the service is told which", async () => {
  const open = async (path: string, changes: Readonly<Record<string, string>> = {}): Promise<string> => {
    const client = await postern.raw();
    client.write(handshake(path, { Host: "localhost", ...changes }));
    await client.untilReceived("\r\n\r\n");
    return client.received.split(" ")[1] ?? "";
  };
  expect(await open("/live?api-version=2")).toBe("401");
  expect(await open("/live", { "Api-Version": "2" })).toBe("401");
  expect(await open("/live?api-version=1", { "Api-Version": "2" })).toBe("400");
  expect(sockets.received).toHaveLength(0);
  expect(await open("/live?api-version=2", { "X-Api-Key": key })).toBe("101");
  expect(await open("/live")).toBe("101");
  await eventually(() => sockets.received.length === 2);
  expect(sockets.received[0]).toMatch(/^GET \/live\?api-version=2 [\s\S]*\r\napi-version: 2\r\n/);
  expect(sockets.received[1]).toMatch(/^GET \/live HTTP[\s\S]*\r\napi-version: 1\r\n/);
});

test("calls of gRPC are refused in their own words, and requests over HTTP/2 as any", async () => {
  const session = postern.h2();
  const call = { ":method": "POST", ":path": "/orders", "content-type": "application/grpc", te: "trailers" };
  const refused = await askH2(session, { ...call, "api-version": "9" });
  expect([refused.status, refused.headers["grpc-status"]]).toEqual([200, "3"]);
  const twice = await askH2(session, { ":path": "/orders", "api-version": ["1", "2"] });
  expect([twice.status, JSON.parse(twice.body).reason]).toEqual([400, "version_ambiguous"]);
  const taken = await askH2(session, { ":path": "/orders", "api-version": "2", "x-api-key": key });
  expect(taken.status).toBe(200);
  expect(service.arrived.at(-1)?.headers["api-version"]).toBe("2");
});

test("a request of no version, or of one that there is not, is told of no end of another", async () => {
  const ask = (version: string, path = "/orders") => postern.call({ path, headers: { "Api-Version": version } });
  const refused = [await ask("9"), await ask("1", "/orders?api-version=2"), await ask("2")];
  expect(refused.map(({ status, headers }) => [status, headers["deprecation"]])).toEqual([
    [400, undefined],
    [400, undefined],
    [401, undefined],
  ]);
  expect((await ask("1")).headers["deprecation"]).toMatch(/^@/);
  const denied = await postern.call({ path: "/orders", headers: { "Api-Version": "9", Origin: ORIGIN } });
  expect(denied.headers["access-control-allow-origin"]).toBe(ORIGIN);
});

test("a page that postern answers itself has no version", async () => {
  const path = "/.well-known/oauth-protected-resource/orders";
  expect((await postern.call({ path, headers: { "Api-Version": "9" } })).status).toBe(200);
});

test("log, metrics and the list of who still asks tell the version", async () => {
  await postern.call({ path: "/orders?told" });
  await postern.call({ path: "/orders", headers: { "Api-Version": "8" } });
  const line = await postern.logged(({ event, reason }) => event === "request" && reason === "version_unknown");
  expect(line).toMatchObject({ route: "/orders", status: 400, rule: "versions" });
  expect(line).not.toHaveProperty("version");
  await postern.logged(
    ({ event, version, deprecated }) => event === "request" && version === "1" && deprecated === "served",
  );
  const { body } = await postern.admins("/metrics");
  expect(body).toMatch(/postern_deprecated_requests_total\{route="\/orders",version="1",outcome="served"\} [1-9]/);
  let output = "";
  const take = (text: string): void => {
    output += text;
  };
  const streams = { stdout: take, stderr: take, cwd: postern.folder, clock: systemClock };
  await main(["deprecated", "list", "--policy", "policy.yaml"], streams);
  expect(output).toMatch(/^\/orders version 1: [1-9]\d* served/);
});
