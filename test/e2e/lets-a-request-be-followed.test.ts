import { beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import { type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

let service: Service;
beforeAll(async () => {
  service = await startService((request, response) => {
    // A service that has an id of its own.
    response.writeHead(request.url === "/missing" ? 404 : 200, { "X-Request-Id": "the-service's" });
    response.end("{}");
    return true;
  });
});

const start = (settings: string, trusted = "10.0.0.0/8"): Promise<Postern> =>
  startPostern(
    service.port,
    ({ port, admin, app }) => `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
    upstream: app
    trustedProxies: [${trusted}]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
${settings}
routes:
  - { path: /orders, public: true }
  - { path: /missing, public: true }
  - { path: /private, authenticate: [partners], cors: { origins: ['https://app.example.org'] } }
`,
  );

const arrivedLast = () => service.arrived.at(-1)?.headers ?? {};

test("an id that comes in is in the answer, at the service and in the log; one that is missing is made", async () => {
  const postern = await start("requestId: {}");
  const given = await postern.call({
    path: "/orders",
    headers: { "X-Request-Id": "web-7/42", traceparent: PARENT, tracestate: "a=1" },
  });
  expect(given.headers["x-request-id"]).toBe("web-7/42");
  expect(arrivedLast()).toMatchObject({ "x-request-id": "web-7/42", traceparent: PARENT, tracestate: "a=1" });
  const line = await postern.logged(({ requestId }) => requestId === "web-7/42");
  expect(line).toMatchObject({ event: "request", status: 200, traceId: TRACE });
  const made = await postern.call({ path: "/missing" });
  const id = made.headers["x-request-id"];
  expect(arrivedLast()["x-request-id"]).toBe(id);
  const made2 = await postern.logged((one) => one["requestId"] === id);
  expect(made2).toMatchObject({
    id,
    route: "/missing",
    traceId: arrivedLast()["traceparent"]?.toString().slice(3, 35),
  });
  expect(arrivedLast()["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/);
});

test("refusals have it too, by every protocol", async () => {
  const postern = await start("requestId: { header: X-Correlation-Id, traceContext: false }");
  const refused = await postern.call({ path: "/private", headers: { "X-Correlation-Id": "abc" } });
  expect([refused.status, refused.headers["x-correlation-id"]]).toEqual([401, "abc"]);
  await postern.logged(({ requestId, reason }) => requestId === "abc" && reason === "credentials_missing");
  const nowhere = await postern.call({ path: "/nowhere", headers: { "X-Correlation-Id": "def" } });
  expect([nowhere.status, nowhere.headers["x-correlation-id"]]).toEqual([404, "def"]);
  const second = await askH2(postern.h2(), { ":path": "/orders", "x-correlation-id": "ghi" });
  expect([second.status, second.headers["x-correlation-id"], arrivedLast()["x-correlation-id"]]).toEqual([
    200,
    "ghi",
    "ghi",
  ]);
  // The other header is a header as any: the service's own.
  expect(second.headers["x-request-id"]).toBe("the-service's");
  expect(arrivedLast()["traceparent"]).toBeUndefined();
});

const ODD: Readonly<Record<string, string>> = {
  "a blank": "a b",
  quotes: '"a"',
  "a beginning like an option's": "-rf",
  "an expression": `${"$"}{jndi:ldap://x}`,
  markup: "<script>",
  nothing: "",
  "too much": "x".repeat(129),
  "a list": "a, b",
  "another script": "\u00e9",
};

test("an answer of postern's own to a browser's question has it, too", async () => {
  const postern = await start("requestId: {}");
  const headers = {
    Origin: "https://app.example.org",
    "Access-Control-Request-Method": "GET",
    "X-Request-Id": "page-1",
  };
  const answer = await postern.call({ path: "/private", method: "OPTIONS", headers });
  expect([answer.status, answer.headers["x-request-id"]]).toEqual([204, "page-1"]);
  await postern.logged(({ requestId, status }) => requestId === "page-1" && status === 204);
});

test("an id that says more than a word is replaced, and nobody is refused for it", async () => {
  const postern = await start("requestId: {}");
  for (const [what, id] of Object.entries(ODD)) {
    const answer = await postern.call({ path: "/orders", headers: { "X-Request-Id": id, traceparent: "00-x" } });
    expect(answer.status, what).toBe(200);
    expect(answer.headers["x-request-id"], what).toMatch(/^[\w-]+-\w+$/);
    expect(arrivedLast()["x-request-id"], what).toBe(answer.headers["x-request-id"]);
    expect(arrivedLast()["traceparent"], what).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/);
  }
});

test("ids of proxies that are trusted are passed on, and of nobody else, where the policy says so", async () => {
  const headers = { "X-Request-Id": "edge-1", traceparent: PARENT, "X-Forwarded-For": "192.0.2.1" };
  const trusting = await start("requestId: { from: trustedProxies }", "127.0.0.0/8");
  expect((await trusting.call({ path: "/orders", headers })).headers["x-request-id"]).toBe("edge-1");
  const wary = await start("requestId: { from: trustedProxies }");
  expect((await wary.call({ path: "/orders", headers })).headers["x-request-id"]).not.toBe("edge-1");
  expect(arrivedLast()["traceparent"]).not.toBe(PARENT);
});

test("without the section an id is a header as any", async () => {
  const postern = await start("");
  const answer = await postern.call({ path: "/orders", headers: { "X-Request-Id": "a b", traceparent: "00-x" } });
  expect(answer.headers["x-request-id"]).toBe("the-service's");
  expect(arrivedLast()).toMatchObject({ "x-request-id": "a b", traceparent: "00-x" });
  expect(await postern.logged(({ event }) => event === "request")).not.toHaveProperty("requestId");
});
