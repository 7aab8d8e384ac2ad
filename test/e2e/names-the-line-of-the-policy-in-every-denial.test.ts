// Goal: every kind of denial has its status, its reason, and in the log the line of the policy that made it.
// Method: provoke each kind over real TLS; compare the answer with the log line of the same id; look the line up.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CallOptions, ORDER_ID, type Postern, type Service, startOrders, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

let service: Service;
let postern: Postern;
let good: string;
let writer: string;
beforeAll(async () => {
  ({ service, postern } = await startOrders());
  const { mint } = await theWorld();
  good = `Bearer ${await mint.token()}`;
  writer = `Bearer ${await mint.token({ scope: "orders:write" })}`;
});
afterAll(closeAll);

const order = `/orders/${ORDER_ID}`;
const post = (body: string, type = "application/json"): CallOptions => ({
  method: "POST",
  path: "/orders",
  headers: { Authorization: writer, "Content-Type": type },
  body,
});

interface Kind {
  readonly request: () => CallOptions;
  readonly status: number;
  readonly reason: string;
  /** A word of the policy line that the log must point at; null where HTTP itself refuses. */
  readonly line: string | null;
  readonly header?: string;
}

const kinds: Record<string, Kind> = {
  "no route": { request: () => ({ path: "/nothing" }), status: 404, reason: "route_not_found", line: null },
  "another method": {
    request: () => ({ method: "DELETE", path: order }),
    status: 405,
    reason: "method_not_allowed",
    line: null,
    header: "allow",
  },
  "no credentials": {
    request: () => ({ path: order }),
    status: 401,
    reason: "credentials_missing",
    line: "authenticate: [okta, partners]",
    header: "www-authenticate",
  },
  "missing scope": {
    request: () => ({ path: order, headers: { Authorization: writer } }),
    status: 403,
    reason: "scope_missing",
    line: "scopes: [orders:read]",
    header: "www-authenticate",
  },
  "bad path parameter": {
    request: () => ({ path: "/orders/1", headers: { Authorization: good } }),
    status: 422,
    reason: "parameter_invalid",
    line: "orderId: { type: string",
  },
  "wrong content type": {
    request: () => post("a=1", "text/plain"),
    status: 415,
    reason: "content_type_unsupported",
    line: "contentType",
  },
  "body that is no JSON": { request: () => post("{"), status: 400, reason: "body_not_json", line: "body:" },
  "body against its schema": {
    request: () => post('{"sku":"a","quantity":0}'),
    status: 422,
    reason: "body_schema_mismatch",
    line: "body:",
  },
  "body over its limit": {
    request: () => post(JSON.stringify({ sku: "a".repeat(2000), quantity: 1 })),
    status: 413,
    reason: "body_too_large",
    line: "body:",
  },
};

for (const [name, kind] of Object.entries(kinds)) {
  test(`${name}: ${kind.status} ${kind.reason}`, async () => {
    const before = service.arrived.length;
    const answer = await postern.call(kind.request());
    expect(answer).toMatchObject({ status: kind.status, reason: kind.reason });
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    if (kind.header !== undefined) expect(answer.headers[kind.header]).toBeTruthy();
    expect(answer.body).not.toMatch(/policy\.yaml|orders:|\.ts/);
    expect(service.arrived.length).toBe(before);
    const logged = await postern.logged((line) => line["id"] === answer.id);
    expect(logged).toMatchObject({
      status: kind.status,
      reason: kind.reason,
      seen: expect.any(String),
      wanted: expect.any(String),
    });
    expect(lineOf(logged["policy"])).toContain(kind.line ?? "");
    if (kind.line !== null) expect(logged["policy"]).toMatch(/policy\.yaml:\d+:\d+$/);
  });
}

function lineOf(place: unknown): string {
  const at = /:(\d+):\d+$/.exec(String(place));
  return at === null
    ? ""
    : (readFileSync(join(postern.folder, "policy.yaml"), "utf8").split("\n")[Number(at[1]) - 1] ?? "");
}

test("the third request of two allowed: 429 with Retry-After and RateLimit fields", async () => {
  const ask = () => postern.call({ path: "/limited", headers: { Authorization: good } });
  const first = await ask();
  expect(first.headers["ratelimit"]).toMatch(/^"tight";r=1;t=\d+$/);
  expect((await ask()).status).toBe(200);
  const third = await ask();
  expect(third).toMatchObject({ status: 429, reason: "rate_limited" });
  expect(Number(third.headers["retry-after"])).toBeGreaterThan(3000);
  expect(third.headers["ratelimit-policy"]).toContain('"tight"');
  const logged = await postern.logged((line) => line["id"] === third.id);
  expect(lineOf(logged["policy"])).toContain("tight");
});

test("an address on the deny list: 403 address_denied, before anything else is looked at", async () => {
  const { pki } = await theWorld();
  const answer = await new Promise<string>((done, failed) => {
    const from = { port: postern.port, host: "127.0.0.1", localAddress: "127.0.0.9" };
    const socket = tlsConnect({
      socket: connect(from),
      ca: pki.ca.certificate,
      servername: "localhost",
    });
    let text = "";
    socket.on("error", failed);
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("end", () => done(text));
    socket.write("GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  });
  expect(answer).toMatch(/^HTTP\/1.1 403 /);
  const logged = await postern.logged((line) => line["reason"] === "address_denied");
  expect(logged).toMatchObject({ client: "127.0.0.9" });
  expect(lineOf(logged["policy"])).toContain("127.0.0.9");
});

test("every denial is counted by its reason, and the sum of all outcomes is the number of requests", async () => {
  const { body } = await postern.admins("/metrics");
  const samples = [...body.matchAll(/^postern_requests_total\{(.*)\} (\d+)$/gm)];
  const reasons = samples.map((sample) => /reason="([^"]*)"/.exec(sample[1] ?? "")?.[1]);
  for (const kind of Object.values(kinds)) expect(reasons).toContain(kind.reason);
  const total = samples.reduce((sum, sample) => sum + Number(sample[2]), 0);
  expect(total).toBe(postern.log.filter((line) => line["event"] === "request").length);
  expect(body).not.toContain(ORDER_ID);
});
