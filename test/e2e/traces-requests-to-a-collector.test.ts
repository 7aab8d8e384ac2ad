import { request } from "node:http";
import { beforeAll, describe, expect, test } from "vitest";
import { type Collector, type ReadSpan, startCollector } from "../fixtures/collector.ts";
import { freePort } from "../fixtures/free-port.ts";
import { askH2 } from "../fixtures/h2-client.ts";
import { eventually, type Postern, type Service, startPostern, startService, theWorld } from "../fixtures/postern.ts";

const PARENT = "b7ad6b7169203331";
const SECRETS = {
  query: "query-s3cr3t-81723",
  cookie: "cookie-s3cr3t-81723",
  token: "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
  path: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJiIn0.c2lnbmF0dXJl",
  agent: "agent-s3cr3t-81723",
};

let collector: Collector;
let service: Service;
let postern: Postern;
let outside: number;
let apiKey: string;
let traces = 0;

/** Another trace each time, by which its spans are found. */
function newTrace(): string {
  traces++;
  return String(traces).padStart(32, "a");
}

beforeAll(async () => {
  collector = await startCollector();
  service = await startService();
  outside = await freePort();
  ({ apiKey } = await theWorld());
  postern = await startPostern(
    service.port,
    ({ port, admin, app }) => `version: 1
service: orders
listeners:
  - name: edge
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
    trustedProxies: [127.0.0.0/8]
    upstream: app
  - { name: outside, address: "127.0.0.1:${outside}", upstream: app }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
tracing:
  collector:
    url: http://127.0.0.1:${collector.port}
    compression: gzip
    headers: { Authorization: { file: secrets/otel } }
  sample: off
  propagators: [tracecontext, b3, b3multi]
  attributes: { deployment.environment.name: test }
routes:
  - { path: "/orders/{orderId}", methods: [GET], authenticate: [partners], authorize: { scopes: [orders:read] } }
  - { path: "/reports", methods: [GET], authenticate: [partners], authorize: { scopes: [reports:read] } }
  - { path: "/reset/{token}", methods: [GET], public: true }
`,
    { "secrets/otel": "Api-Token collector-secret\n" },
  );
});

const spansOf = (trace: string): readonly ReadSpan[] => collector.spans.filter(({ traceId }) => traceId === trace);
const spanOf = (trace: string, kind: number): Promise<ReadSpan> =>
  collector.found((span) => span.traceId === trace && span.kind === kind);
const arrivedLast = () => service.arrived.at(-1)?.headers ?? {};
const sampled = (trace: string) => ({ traceparent: `00-${trace}-${PARENT}-01`, tracestate: "vendor=1" });

function askOutside(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((done, failed) => {
    const call = request({ host: "127.0.0.1", port: outside, path, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on("end", () => done(answer.statusCode ?? 0));
    });
    call.on("error", failed);
    call.end();
  });
}

describe("a request of a trace that a trusted proxy has recorded", () => {
  const expected = (version: string) => ({
    "http.request.method": "GET",
    "url.scheme": "https",
    "url.path": "/orders/7",
    "http.route": "/orders/{orderId}",
    "server.address": "localhost",
    "client.address": "192.0.2.7",
    "network.peer.address": "127.0.0.1",
    "network.protocol.version": version,
    "http.response.status_code": 200,
    "postern.decision.id": expect.stringMatching(/^[\w-]+$/),
    "postern.listener": "edge",
    "postern.policy.hash": expect.stringMatching(/^[0-9a-f]{16}$/),
  });

  async function isTold(trace: string, version: string, server: ReadSpan): Promise<void> {
    const { "server.port": _, ...attributes } = server.attributes;
    expect(attributes).toEqual(expected(version));
    expect(server).toMatchObject({
      name: "GET /orders/{orderId}",
      parentSpanId: PARENT,
      traceState: "vendor=1",
      links: [],
    });
    expect(server.flags & 0x3ff).toBe(0x301);
    expect(server.status?.code ?? 0).toBe(0);
    const client = await spanOf(trace, 3);
    expect(client).toMatchObject({ name: "GET", parentSpanId: server.spanId, events: [] });
    expect(client.attributes).toEqual({
      "http.request.method": "GET",
      "server.address": "127.0.0.1",
      "server.port": service.port,
      "url.full": `http://127.0.0.1:${service.port}/orders/7`,
      "network.protocol.version": "1.1",
      "http.response.status_code": 200,
      "postern.upstream": "app",
    });
    // The service is told the call's own span, in each form.
    const { spanId } = client;
    expect(arrivedLast()).toMatchObject({
      traceparent: `00-${trace}-${spanId}-01`,
      tracestate: "vendor=1",
      b3: `${trace}-${spanId}-1`,
      "x-b3-traceid": trace,
      "x-b3-spanid": spanId,
      "x-b3-sampled": "1",
    });
    // Times are in order, phases within the span, the call within it too.
    expect(server.events.map(({ name }) => name)).toEqual([
      "postern.authenticate",
      "postern.authorize",
      "postern.forward",
      "postern.respond",
    ]);
    const times = server.events.map(({ timeUnixNano }) => BigInt(timeUnixNano));
    const nearly = 1_000n; // a floating-point number of milliseconds has no more to give
    for (const [at, time] of [...times, BigInt(server.endTimeUnixNano)].entries()) {
      expect(time + nearly).toBeGreaterThanOrEqual(times[at - 1] ?? BigInt(server.startTimeUnixNano));
    }
    expect(BigInt(client.startTimeUnixNano) + nearly).toBeGreaterThanOrEqual(BigInt(server.startTimeUnixNano));
  }

  test("is two spans over HTTP/1.1, field by field", async () => {
    const trace = newTrace();
    const headers = { ...sampled(trace), "X-Api-Key": apiKey, "X-Forwarded-For": "192.0.2.7" };
    expect((await postern.call({ path: "/orders/7", headers })).status).toBe(200);
    const server = await spanOf(trace, 2);
    await isTold(trace, "1.1", server);
    expect(server.resource).toEqual({
      "service.name": "orders-postern",
      "service.instance.id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      "deployment.environment.name": "test",
    });
    expect(collector.calls[0]).toMatchObject({
      url: "/v1/traces",
      headers: {
        authorization: "Api-Token collector-secret",
        "content-type": "application/x-protobuf",
        "content-encoding": "gzip",
      },
    });
    expect(await postern.logged(({ traceId }) => traceId === trace)).toMatchObject({ status: 200 });
  });

  test("and over HTTP/2", async () => {
    const trace = newTrace();
    const headers = { ...sampled(trace), "x-api-key": apiKey, "x-forwarded-for": "192.0.2.7" };
    expect((await askH2(postern.h2(), { ":path": "/orders/7", ...headers })).status).toBe(200);
    await isTold(trace, "2", await spanOf(trace, 2));
  });
});

test("nobody from outside has a request recorded, here or at the service", async () => {
  const trace = newTrace();
  const forms = [
    sampled(trace),
    { b3: `${trace}-${PARENT}-d` },
    { "X-B3-TraceId": trace, "X-B3-SpanId": PARENT, "X-B3-Flags": "1", "X-B3-Sampled": "1" },
  ];
  for (const headers of forms) {
    expect(await askOutside("/orders/7", { ...headers, "X-Api-Key": apiKey })).toBe(200);
    expect(arrivedLast()["traceparent"]).toMatch(new RegExp(`^00-${trace}-(?!${PARENT})[0-9a-f]{16}-00$`));
    expect(arrivedLast()).toMatchObject({ "x-b3-sampled": "0", b3: expect.stringMatching(/-0$/) });
    expect(arrivedLast()).not.toHaveProperty("x-b3-flags");
  }
  const later = newTrace();
  await postern.call({ path: "/orders/7", headers: { ...sampled(later), "X-Api-Key": apiKey } });
  await spanOf(later, 3);
  expect(spansOf(trace)).toEqual([]);
});

test("a denial is recorded all the same, with its reason and its line", async () => {
  const trace = newTrace();
  const headers = { traceparent: `00-${trace}-${PARENT}-00`, "X-Api-Key": apiKey };
  expect(await askOutside("/reports", headers)).toBe(403);
  const server = await spanOf(trace, 2);
  expect(server.attributes).toMatchObject({
    "http.response.status_code": 403,
    "http.route": "/reports",
    "postern.reason": "scope_missing",
    "postern.rule": "routes[1].authorize.scopes",
    "postern.policy.place": expect.stringMatching(/policy\.yaml:\d+:\d+$/),
  });
  expect(server.attributes).not.toHaveProperty("error.type");
  expect(server.status?.code ?? 0).toBe(0);
  expect(spansOf(trace)).toHaveLength(1);
});

test("an invalid traceparent begins a trace anew", async () => {
  for (const traceparent of ["", "00-x", `00-${"0".repeat(32)}-${PARENT}-01`, `00-${newTrace()}-${PARENT}-01-more`]) {
    const headers = { traceparent, tracestate: "vendor=1", "X-Api-Key": apiKey };
    expect((await postern.call({ path: "/orders/7", headers })).status).toBe(200);
    expect(arrivedLast()["traceparent"]).toMatch(/^00-(?!0{32}|aaaa)[0-9a-f]{32}-[0-9a-f]{16}-02$/);
    expect(arrivedLast()).not.toHaveProperty("tracestate");
  }
});

test("nothing secret is in what a collector gets", async () => {
  const trace = newTrace();
  const path = `/reset/${SECRETS.path}?token=${SECRETS.query}`;
  const headers = {
    ...sampled(trace),
    Authorization: SECRETS.token,
    Cookie: SECRETS.cookie,
    "User-Agent": SECRETS.agent,
  };
  expect((await postern.call({ path, headers })).status).toBe(200);
  const server = await spanOf(trace, 2);
  expect(server.attributes["url.path"]).toBe("/reset/~redacted~");
  const sent = Buffer.concat(collector.calls.map(({ body }) => body)).toString("latin1");
  expect(sent).toContain("/reset/~redacted~");
  for (const secret of [...Object.values(SECRETS), SECRETS.token.slice(7), apiKey]) expect(sent).not.toContain(secret);
  expect(postern.output()).not.toContain("collector-secret");
});

test("a collector that is away is told of, and no request waits for it or fails", async () => {
  collector.isUp = false;
  const metrics = async () => (await postern.admins("/metrics")).body;
  for (let at = 0; at < 20; at++) {
    const headers = { ...sampled(newTrace()), "X-Api-Key": apiKey };
    expect((await postern.call({ path: "/orders/7", headers })).status).toBe(200);
  }
  const failing = 'postern_resource_state{kind="collector",name="tracing",state="failing"} 1';
  await eventually(metrics, (text) => text.includes(failing));
  expect((await postern.admins("/readyz")).status).toBe(200);
  const waiting = `${traces}`.padStart(32, "a");
  expect(spansOf(waiting)).toEqual([]);
  collector.isUp = true;
  await spanOf(waiting, 3);
  await eventually(metrics, (text) => /postern_spans_total\{outcome="exported"\} [1-9]/.test(text));
});
