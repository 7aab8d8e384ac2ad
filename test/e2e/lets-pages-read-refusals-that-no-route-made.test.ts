// Goal: a page of an origin that some route lists reads why it was refused, also where that was told before any route was known: too
// many requests of its address, no such route. Nobody learns from it which routes there are. A preflight is answered however its
// end comes over HTTP/2.
// Method: Chromium and the real process over TLS and HTTP/2; the same requests by hand, compared for paths that are there and are not.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import { callFrom, openBrowser, pageOf, startPages } from "../fixtures/pages.ts";
import { type Postern, startPostern, startService } from "../fixtures/postern.ts";

const PARTNER = "https://partner.example.org";
const BURST = 40;

let browser: Browser;
let postern: Postern;
let listed: string;
let other: string;

beforeAll(async () => {
  listed = `http://app.localhost:${await startPages()}`;
  other = `http://evil.localhost:${await startPages()}`;
  const service = await startService((_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end('{"ok":true}');
    return true;
  });
  postern = await startPostern(
    service.port,
    ({ port, admin, app }) => `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", protocols: [h2, http/1.1], tls: { certificate: server.pem, key: server.key }, upstream: app }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
limits: { crowd: { rate: 1/hour, burst: ${BURST}, key: client.address } }
defaults: { limit: [crowd] }
routes:
  - { path: /orders, methods: [GET, PUT], public: true, cors: { origins: ['${listed}'], credentials: true } }
  - { path: /partners, methods: [GET], public: true, cors: { origins: ['${PARTNER}'] } }
  - { path: /inner, methods: [GET], public: true }
  - { path: /open, methods: [GET], public: true, cors: { origins: ['*'] } }
`,
  );
  browser = await openBrowser();
}, 120_000);

afterAll(() => browser?.close());

async function told(path: string, origin: string, method = "GET"): Promise<Record<string, unknown>> {
  const { status, headers } = await postern.call({ path, method, headers: { Origin: origin } });
  const cors = Object.entries(headers).filter(([name]) => name.startsWith("access-control-") || name === "vary");
  return { status, ...Object.fromEntries(cors) };
}

test("a preflight is answered whose end is an empty frame, and its stream's connection goes on", async () => {
  const session = postern.h2();
  const head = {
    ":method": "OPTIONS",
    ":path": "/orders",
    origin: listed,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "content-type",
  };
  for (const body of [undefined, "", ""]) {
    const answer = await askH2(session, head, body);
    expect(answer).toMatchObject({ status: 204, headers: { "access-control-allow-origin": listed } });
  }
  const withLength = await askH2(session, { ...head, "content-length": "2" }, "{}");
  expect(withLength).toMatchObject({ status: 400, body: expect.stringContaining("request_malformed") });
  // Who tells no length has sent its body for nothing: it goes nowhere.
  expect(await askH2(session, head, "{}")).toMatchObject({ status: 204 });
  expect(await askH2(session, { ":method": "GET", ":path": "/orders" })).toMatchObject({ status: 200 });
});

test("a page reads that there is no such route and no such method", async () => {
  const page = await pageOf(browser, listed);
  const call = { credentials: "include" } as const;
  expect(await callFrom(page, postern.port, { path: "/nowhere", ...call })).toMatchObject({
    status: 404,
    body: expect.stringContaining("route_not_found"),
  });
  expect(await callFrom(page, postern.port, { path: "/orders", method: "POST", body: "a", ...call })).toMatchObject({
    status: 405,
    body: expect.stringContaining("method_not_allowed"),
  });
  // A page of anybody reads what is for anybody, and does not learn which other paths there are.
  const stranger = await pageOf(browser, other);
  expect(await callFrom(stranger, postern.port, { path: "/open" })).toMatchObject({ status: 200 });
  expect(await callFrom(stranger, postern.port, { path: "/nowhere" })).toHaveProperty("failed");
});

test("a page reads that too many come from its address, and nobody learns from it what routes there are", async () => {
  const page = await pageOf(browser, listed);
  for (let at = 0; at < BURST; at++) await postern.call({ path: "/inner" });
  const answer = await callFrom(page, postern.port, { path: "/orders", credentials: "include" });
  expect(answer).toMatchObject({
    status: 429,
    body: expect.stringContaining("rate_limited"),
    headers: { "retry-after": expect.stringMatching(/^\d+$/), ratelimit: expect.anything() },
  });
  // Used up from here on: whatever is asked for, the same pages read the refusal.
  const all = ["/orders", "/partners", "/inner", "/nowhere"];
  for (const [origin, allowed] of [
    [listed, { "access-control-allow-origin": listed, "access-control-allow-credentials": "true" }],
    [PARTNER, { "access-control-allow-origin": PARTNER }],
  ] as const) {
    for (const path of all) {
      const exposed = expect.stringContaining("retry-after");
      const expected = { status: 429, ...allowed, "access-control-expose-headers": exposed, vary: "Origin" };
      expect(await told(path, origin)).toEqual(expected);
    }
  }
  // What is for anybody names nobody, and takes no credentials.
  for (const origin of [other, "null", `${listed}.evil.example`, `${listed}, ${other}`]) {
    const expected = { status: 429, "access-control-allow-origin": "*", vary: "Origin" };
    for (const path of all) expect(await told(path, origin)).toMatchObject(expected);
  }
});
