// Goal: a page of a listed origin calls the API from a real browser, with its key, any of the route's methods, and reads answers and
// refusals; a page of any other origin reads nothing and changes nothing; what is no browser notices nothing.
// Method: Chromium with pages of two origins, the real process over TLS and HTTP/2, and a service that would let anybody.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as pages from "../fixtures/pages.ts";
import { type Postern, type Service, startPostern, startService, theWorld } from "../fixtures/postern.ts";

let browser: Browser;
let postern: Postern;
let service: Service;
let apiKey: string;
let listed: string;
let other: string;

beforeAll(async () => {
  ({ apiKey } = await theWorld());
  listed = `http://app.localhost:${await pages.startPages()}`;
  other = `http://evil.localhost:${await pages.startPages()}`;
  service = await startService((_, response) => {
    response.writeHead(200, { "Access-Control-Allow-Origin": "*", "X-Total": "7", "Content-Type": "application/json" });
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
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
limits: { few: { rate: 1/hour, burst: 2, key: principal }, crowd: { rate: 1/hour, burst: 1, key: client.address } }
defaults:
  cors: { origins: ['${listed}'], exposeHeaders: [X-Total], credentials: true }
routes:
  - { path: /orders, methods: [GET, PUT, QUERY], authenticate: [partners] }
  - { path: /limited, methods: [GET], authenticate: [partners], limit: [few] }
  - { path: /crowded, methods: [GET], public: true, limit: [crowd] }
  - { path: /strict, methods: [POST], public: true, cors: { others: refuse } }
`,
  );
  browser = await pages.openBrowser();
}, 120_000);

afterAll(() => browser?.close());

const pageOf = (origin: string): Promise<Page> => pages.pageOf(browser, origin);

const callFrom = (page: Page, call: pages.PageCall) => pages.callFrom(page, postern.port, call);

test("a page of a listed origin uses each method with its key, and reads answers and their headers", async () => {
  const page = await pageOf(listed);
  for (const method of ["GET", "PUT", "QUERY"]) {
    const body = method === "GET" ? {} : { body: "{}" };
    const headers = { "X-Api-Key": apiKey, ...(method === "GET" ? {} : { "Content-Type": "application/json" }) };
    const answer = await callFrom(page, { path: "/orders", method, headers, credentials: "include", ...body });
    expect(answer).toMatchObject({ status: 200, body: '{"ok":true}', headers: { "x-total": "7" } });
  }
  // Only what was allowed reached the service: no preflight did.
  expect(service.arrived.map(({ method }) => method)).toEqual(["GET", "PUT", "QUERY"]);
  const line = await postern.logged(({ event, method }) => event === "request" && method === "OPTIONS");
  expect(line).toMatchObject({ status: 204, route: "/orders" });
  expect(line).not.toHaveProperty("reason");
});

test("it can read that too many come from its address, which is told before its key is looked at", async () => {
  const page = await pageOf(listed);
  expect(await callFrom(page, { path: "/crowded" })).toMatchObject({ status: 200 });
  const headers = { "retry-after": expect.stringMatching(/^\d+$/) };
  expect(await callFrom(page, { path: "/crowded" })).toMatchObject({ status: 429, headers });
});

test("it can read why it was refused, and what is left to it", async () => {
  const page = await pageOf(listed);
  expect(await callFrom(page, { path: "/orders" })).toMatchObject({
    status: 401,
    body: expect.stringContaining("credentials_missing"),
    headers: { "www-authenticate": expect.anything() },
  });
  const headers = { "X-Api-Key": apiKey };
  for (let at = 0; at < 2; at++) await callFrom(page, { path: "/limited", headers });
  expect(await callFrom(page, { path: "/limited", headers })).toMatchObject({
    status: 429,
    headers: { "retry-after": expect.stringMatching(/^\d+$/), ratelimit: expect.anything() },
  });
});

test("a header or method that the policy does not list does not pass", async () => {
  const page = await pageOf(listed);
  const headers = { "X-Api-Key": apiKey };
  expect(await callFrom(page, { path: "/orders", headers: { ...headers, "X-Other": "1" } })).toHaveProperty("failed");
  expect(await callFrom(page, { path: "/orders", method: "DELETE", headers })).toHaveProperty("failed");
});

test("a page of another origin reads nothing, and sends nothing that needs a preflight", async () => {
  const page = await pageOf(other);
  const before = service.arrived.length;
  expect(await callFrom(page, { path: "/orders", headers: { "X-Api-Key": apiKey } })).toHaveProperty("failed");
  expect(await callFrom(page, { path: "/orders", method: "PUT", body: "x" })).toHaveProperty("failed");
  expect(service.arrived.length).toBe(before);
  const line = await postern.logged(({ reason }) => reason === "origin_denied");
  expect(line).toMatchObject({ status: 403, rule: "defaults.cors", seen: expect.stringContaining(other) });
  // A form's POST asks nobody first: where the policy says so, it is refused.
  expect(await callFrom(page, { path: "/strict", method: "POST", body: "a=1" })).toHaveProperty("failed");
  expect(service.arrived.length).toBe(before);
  const frame: unknown = await page.evaluate(sandboxed(`https://localhost:${postern.port}/strict`));
  expect(frame).toMatch(/TypeError/);
  expect(service.arrived.length).toBe(before);
});

/** A script that asks from a frame whose origin is `null`, and gives what that heard. */
function sandboxed(url: string): string {
  const inner = `<script>
    fetch("${url}", { method: "POST", body: "a=1" }).then(
      (response) => parent.postMessage(response.status, "*"),
      (error) => parent.postMessage(String(error), "*"),
    )
  </script>`;
  return `new Promise((done) => {
    addEventListener("message", ({ data }) => done(data));
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.srcdoc = ${JSON.stringify(inner).replaceAll("</", "<\\/")};
    document.body.append(frame);
  })`;
}

test("who is no browser gets what it always got, and an OPTIONS of its own is judged as any request", async () => {
  const plain = await postern.call({ path: "/orders", headers: { "X-Api-Key": apiKey } });
  expect([plain.status, plain.headers["vary"], plain.headers["access-control-allow-origin"]]).toEqual([
    200,
    "Origin",
    undefined,
  ]);
  const options = await postern.call({ path: "/orders", method: "OPTIONS" });
  expect([options.status, options.reason]).toEqual([405, "method_not_allowed"]);
  const nowhere = { Origin: listed, "Access-Control-Request-Method": "GET" };
  expect((await postern.call({ path: "/nowhere", method: "OPTIONS", headers: nowhere })).reason).toBe(
    "route_not_found",
  );
  const twice = await postern.call({ path: "/orders/../orders", method: "OPTIONS", headers: nowhere });
  expect(twice.status).not.toBe(200);
});
