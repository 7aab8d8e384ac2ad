import { beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import {
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
    upstream: app
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators: { partners: { type: api-key, query: key, keys: keys.yaml } }
defaults: { response: { setHeaders: { X-Env: prod } } }
routes:
  - path: /status
    public: true
    respond: { json: { status: ok }, headers: { X-Own: 'yes', Server: hidden } }
    cors: { origins: ['https://app.example.org'] }
  - path: /old/{id}
    authenticate: [partners]
    redirect: { to: 'https://new.example.org/orders/{id}', status: 308 }
  - { path: /late, public: true, responseTimeout: 50ms }
  - { path: /stuck, public: true, streamIdleTimeout: 50ms }
  - { path: /endless, public: true, streamMaxDuration: 200ms }
  - { path: /orders, public: true, responseTimeout: 20s }
`;

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService(({ url }, response) => {
    if (url === "/late") return true;
    if (url === "/stuck" || url === "/endless") {
      response.writeHead(200);
      response.write("begun");
      return true;
    }
    return false;
  });
  postern = await startPostern(service.port, policy);
});

async function overH2(path: string, more: Record<string, string> = {}) {
  return askH2(postern.h2(), { ":path": path, ...more });
}

test("a canned answer has the route's headers, and the service is not asked", async () => {
  const before = service.arrived.length;
  const found = await postern.call({ path: "/status", headers: { Origin: "https://app.example.org" } });
  expect([found.status, found.body]).toEqual([200, '{"status":"ok"}']);
  expect(found.headers).toMatchObject({
    "content-type": "application/json",
    "content-length": "15",
    "x-own": "yes",
    "x-env": "prod",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store, no-cache, must-revalidate",
    "access-control-allow-origin": "https://app.example.org",
  });
  expect(found.headers["server"]).toBeUndefined();
  const head = await postern.call({ method: "HEAD", path: "/status" });
  expect([head.status, head.body, head.headers["content-length"]]).toEqual([200, "", "15"]);
  const posted = await postern.call({ method: "POST", path: "/status", body: "x".repeat(100_000) });
  expect(posted.status).toBe(200);
  const second = await overH2("/status");
  expect([second.status, second.headers["x-env"]]).toEqual([200, "prod"]);
  expect(service.arrived).toHaveLength(before);
  const line = await postern.logged(({ path, status }) => path === "/status" && status === 200);
  expect(line["upstreamMs"]).toBeUndefined();
});

test("a redirect comes behind the checks, and takes no credential along", async () => {
  const { apiKey } = await theWorld();
  const refused = await postern.call({ path: "/old/7?x=1" });
  expect([refused.status, refused.headers["location"]]).toEqual([401, undefined]);
  const found = await postern.call({ path: `/old/a%20b?key=${apiKey}&x=1` });
  expect([found.status, found.headers["location"]]).toEqual([308, "https://new.example.org/orders/a%20b?x=1"]);
  const second = await overH2(`/old/7?key=${apiKey}`, {
    ":authority": "evil.example",
    "x-forwarded-host": "evil.example",
  });
  expect([second.status, second.headers["location"]]).toEqual([308, "https://new.example.org/orders/7"]);
});

test("a route's own times end what its service leaves open", async () => {
  const late = await postern.call({ path: "/late" });
  expect([late.status, late.reason]).toEqual([504, "upstream_response_timeout"]);
  for (const [path, reason] of [
    ["/stuck", "stream_idle_timeout"],
    ["/endless", "stream_duration_exceeded"],
  ] as const) {
    await expect(postern.call({ path })).rejects.toThrow();
    await postern.logged((line) => line["path"] === path && line["reason"] === reason);
  }
  expect((await postern.call({ path: "/orders" })).status).toBe(200);
});
