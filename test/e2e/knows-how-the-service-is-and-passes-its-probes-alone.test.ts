// Goal: who asks at the port for probes learns how postern and the service are, and gets nothing else of the service, however it
// asks; a service that is not well takes postern out of service where the policy says so. Method: a whole postern before a
// node:http service that notes all that reaches it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { type LivePostern, startLivePostern } from "../fixtures/live-postern.ts";
import { isThere, startProgram } from "../fixtures/program.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

const POLICY = `version: 1
service: orders
listeners:
  - { name: inbound, address: 127.0.0.1:8080, upstream: app }
upstreams:
  app:
    address: http://127.0.0.1:3000
    healthCheck: { path: /healthz, interval: 1s, healthyThreshold: 1, unhealthyThreshold: 1, whenUnhealthy: [notReady, refuse] }
admin:
  address: 127.0.0.1:9901
  probes: 127.0.0.1:0
  serviceProbes:
    - { path: /app/readyz, servicePath: "/ready?full=1" }
    - { path: /app/slow, servicePath: /slow, timeout: 200ms }
routes:
  - { path: /v1/orders, public: true }
`;

let postern: LivePostern;
let port: number;
const reached: string[] = [];
let statuses: Record<string, number>;

beforeAll(async () => {
  statuses = { "/healthz": 200 };
  const service = createServer((request, response) => {
    const url = request.url ?? "";
    reached.push(`${request.method} ${url} ${JSON.stringify(request.headers)}`);
    if (url === "/slow") return;
    const status = statuses[url.split("?")[0] ?? ""] ?? 200;
    response.writeHead(status, {
      "Set-Cookie": "session=1",
      "X-Database": "db.internal",
      Location: "http://db.internal/",
    });
    response.end(status === 204 ? undefined : "database db.internal: well");
  });
  onClose(() => service.closeAllConnections());
  postern = await startLivePostern({ "policy.yaml": POLICY }, await listen(service));
  port = Number(postern.daemon.probesAddress?.split(":").at(-1));
  await eventually(async () => (await get("/readyz")).startsWith("HTTP/1.1 200"));
});
afterAll(closeAll);

beforeEach(() => {
  statuses = { "/healthz": 200, "/ready": 200 };
});

/** All that comes back on a connection of its own. */
function send(text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("close", () => resolve(answer));
    socket.write(text);
  });
}

const get = (target: string, more = ""): Promise<string> =>
  send(`GET ${target} HTTP/1.1\r\nHost: 10.1.2.3:9902\r\n${more}\r\n`);

const admins = async (path: string): Promise<string> => (await fetch(`${postern.admin}${path}`)).text();

/** What reached the service beside its health checks. */
const others = (): readonly string[] => reached.filter((line) => !line.startsWith("GET /healthz "));

test("the service's status comes back, and nothing else of its answer", async () => {
  for (const status of [200, 503, 204, 302, 500]) {
    statuses["/ready"] = status;
    const answer = await eventually(async () => {
      const got = await get("/app/readyz", "User-Agent: kube-probe/1.34\r\nAccept: */*\r\nConnection: close\r\n");
      return got.startsWith(`HTTP/1.1 ${status} `) ? got : null;
    });
    expect(answer).not.toMatch(/db\.internal|session|location/i);
    // A strict proxy takes an answer that has no body and a length for none.
    if (status === 204) expect(answer).not.toMatch(/content-length/i);
    else expect(answer).toMatch(new RegExp(`\r\n\r\nthe service: ${status}\n$`));
  }
});

test("honest probes of every make are answered", async () => {
  await eventually(async () => (await get("/app/readyz")).startsWith("HTTP/1.1 200"));
  expect(await send("GET /app/readyz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 .*the service: 200\n$/s);
  const head = await send("HEAD /app/readyz HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s);
  expect(await get("/livez")).toMatch(/^HTTP\/1\.1 200 .*ok\n$/s);
  expect(await get("/readyz?verbose")).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nready\n$/s);
  const pair = await Promise.all(Array.from({ length: 20 }, () => get("/app/readyz")));
  expect(new Set(pair.map((one) => one.slice(0, 12)))).toEqual(new Set(["HTTP/1.1 200"]));
});

test("a service that does not answer in its time is 503", async () => {
  expect(await get("/app/slow")).toMatch(/^HTTP\/1\.1 503 .*the service: 503\n$/s);
});

test("nothing else of the service is reached, and nothing of the request reaches it", async () => {
  reached.length = 0;
  const targets = [
    "/",
    "/ready",
    "/ready?full=1",
    "/healthz/../v1/orders",
    "/v1/orders",
    "/slow",
    "/app/readyz/",
    "/app/readyz?x=1",
    "/app/readyz?",
    "/app/readyz;a=b",
    "/app/readyz#x",
    "/app/%72eadyz",
    "/app%2Freadyz",
    "//app/readyz",
    "/app//readyz",
    "/app/./readyz",
    "/x/../app/readyz",
    "/APP/READYZ",
    "/app\\readyz",
    "app/readyz",
    "http://127.0.0.1:3000/v1/orders",
    "http://10.1.2.3/app/readyz",
    "*",
    "/__proto__",
    "/constructor",
  ];
  for (const target of targets) {
    expect(await get(target), target).toMatch(/^HTTP\/1\.1 40[04] /);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY"]) {
    const answer = await send(`${method} /app/readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    expect(answer, method).toMatch(/^HTTP\/1\.1 40[05] /);
  }
  // A tunnel and another protocol are not opened.
  expect(await send("CONNECT 127.0.0.1:3000 HTTP/1.1\r\nHost: a\r\n\r\n")).not.toMatch(/^HTTP\/1\.1 200/);
  expect(
    await get(
      "/app/readyz",
      "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    ),
  ).not.toMatch(/^HTTP\/1\.1 101/);
  expect(others().filter((line) => !line.startsWith("GET /ready?full=1 "))).toEqual([]);
  reached.length = 0;
  await eventually(async () => {
    const more = [
      "X-HTTP-Method-Override: DELETE",
      "X-Original-URL: /v1/orders",
      "X-Rewrite-URL: /v1/orders",
      "X-Forwarded-For: 127.0.0.1",
      "Forwarded: for=127.0.0.1",
      "Authorization: Bearer secret",
      "Cookie: a=b",
      "Range: bytes=0-1",
      "Expect: 200-ok",
      "",
    ].join("\r\n");
    await get("/app/readyz", more);
    // A request behind the first on the same connection, and one hidden in a body.
    await send(
      "GET /app/readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nGET /v1/orders HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/orders HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    return others().length > 0;
  });
  const { host } = JSON.parse(others()[0]?.split(" ").slice(2).join(" ") ?? "{}");
  const plain = `GET /ready?full=1 ${JSON.stringify({ host, "user-agent": "postern-health" })}`;
  expect(new Set(others())).toEqual(new Set([plain]));
});

test("a flood at the port is a question or two to the service", async () => {
  reached.length = 0;
  await Promise.all(Array.from({ length: 50 }, () => get("/app/readyz")));
  expect(others().length).toBeLessThanOrEqual(2);
});

test("a service that is not well takes postern out of service, and its requests are refused at once", async () => {
  expect((await fetch(`${postern.url}/v1/orders`)).status).toBe(200);
  statuses["/healthz"] = 500;
  await eventually(async () => (await get("/readyz")).startsWith("HTTP/1.1 503"));
  expect(await get("/readyz?verbose")).toMatch(/\r\n\r\nnot ready\nupstream_unhealthy\n$/);
  expect(await get("/livez")).toMatch(/^HTTP\/1\.1 200 /);
  const verbose = await admins("/readyz?verbose");
  expect(verbose).toMatch(/^not ready\nupstream_unhealthy: the service fails its health checks; /);
  expect(verbose).toMatch(/^health check app: failing, unhealthy, 0 of 1 good answers in a row, .*: status 500$/m);
  reached.length = 0;
  const refused = await fetch(`${postern.url}/v1/orders`);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await refused.json()).toMatchObject({ reason: "upstream_unhealthy", status: 503 });
  expect(others()).toEqual([]);
  expect(postern.sink.lines.find(({ reason }) => reason === "upstream_unhealthy")).toMatchObject({
    source: "upstream",
    seen: "upstream app is unhealthy: status 500",
    policy: expect.stringMatching(/policy\.yaml:8:\d+$/),
  });
  expect(await admins("/metrics")).toContain("\npostern_upstreams_unhealthy 1\n");
  expect(postern.sink.events("resource").at(-1)).toMatchObject({
    level: "error",
    kind: "health check",
    name: "app",
    before: "ready",
    state: "failing",
    fault: "status 500",
  });
  statuses["/healthz"] = 200;
  await eventually(async () => (await get("/readyz")).startsWith("HTTP/1.1 200"));
  expect((await fetch(`${postern.url}/v1/orders`)).status).toBe(200);
});

test("a load balancer that asks at the port sends requests elsewhere as long as postern is not ready", async ({
  skip,
}) => {
  if (!isThere("haproxy")) skip("haproxy is not installed");
  const [front, nobody] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), "postern-haproxy-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  const server = postern.url.replace("http://", "");
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  timeout check 5s
listen through
  bind 127.0.0.1:${front}
  option httpchk GET /readyz
  server postern ${server} check port ${port} inter 100ms fall 1 rise 1
  server elsewhere 127.0.0.1:${nobody} backup
`,
  );
  const status = async () =>
    (await fetch(`http://127.0.0.1:${front}/v1/orders`, { headers: { connection: "close" } })).status;
  await startProgram(
    ["haproxy", "-db", "-f", join(folder, "haproxy.cfg")],
    async () => (await status().catch(() => 0)) > 0,
  );
  await eventually(async () => (await status()) === 200);
  statuses["/healthz"] = 500;
  // 503 of the backup that nobody listens at; postern's own refusal has another body.
  await eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${front}/v1/orders`);
    return answer.status === 503 && !(await answer.text()).includes("upstream_unhealthy");
  });
  statuses["/healthz"] = 200;
  await eventually(async () => (await status()) === 200);
});

test("a reload that leaves the check alone asks nobody anew, and is never unready", async () => {
  await eventually(async () => (await get("/readyz")).startsWith("HTTP/1.1 200"));
  const tries = () => postern.daemon.status.resources.find(({ kind }) => kind === "health check")?.tries.ok ?? 0;
  const before = await eventually(() => (tries() > 1 ? tries() : null));
  postern.write("policy.yaml", `${POLICY}log: { access: denied }\n`);
  postern.daemon.reload();
  await postern.daemon.reloadSettled();
  expect(postern.daemon.status.generation).toBe(2);
  expect(await admins("/readyz")).toBe("ready\n");
  expect(tries()).toBeGreaterThanOrEqual(before);
});

test("who mends a check that asked for the wrong page waits for no interval", async () => {
  statuses["/typo"] = 404;
  const healthCheck = (path: string): string =>
    `healthCheck: { path: ${path}, interval: 1h, unhealthyThreshold: 1, whenUnhealthy: [notReady, refuse] }`;
  const write = async (path: string): Promise<void> => {
    postern.write("policy.yaml", POLICY.replace(/healthCheck: .*/, healthCheck(path)));
    postern.daemon.reload();
    await postern.daemon.reloadSettled();
  };
  const status = async (): Promise<number> => (await fetch(`${postern.url}/v1/orders`)).status;
  await write("/typo");
  await eventually(async () => (await status()) === 503);
  await write("/healthz");
  await eventually(async () => (await status()) === 200);
  expect(await admins("/readyz")).toBe("ready\n");
});
