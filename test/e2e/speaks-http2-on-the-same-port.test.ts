// Goal: HTTP/2 is another way in, not another policy: the same requests get the same decisions, and the service cannot tell.
// Method: one process; each request over HTTP/1.1 and over HTTP/2 on the same TLS port; answers, log lines and what arrived are
// compared.
import type { ClientHttp2Session } from "node:http2";
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Issued } from "../../src/cli/development-ca.ts";
import { askH2, type H2Answer, openH2 } from "../fixtures/h2-client.ts";
import { ERROR, fields, H2RawClient, request, windowUpdate } from "../fixtures/h2-frames.ts";
import {
  type CallOptions,
  eventually,
  ORDER_ID,
  ORDER_SCHEMA,
  ordersPolicy,
  type Postern,
  type Service,
  startOrders,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

let service: Service;
let postern: Postern;
let reader: string;
let writer: string;
beforeAll(async () => {
  ({ service, postern } = await startOrders());
  const { mint } = await theWorld();
  reader = `Bearer ${await mint.token()}`;
  writer = `Bearer ${await mint.token({ scope: "orders:write" })}`;
});
afterAll(closeAll);

async function openTls(protocols: readonly string[], client: Issued | null = null): Promise<TLSSocket> {
  const { pki } = await theWorld();
  const identity = client === null ? {} : { cert: client.certificate, key: client.key };
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      port: postern.port,
      host: "127.0.0.1",
      ca: pki.ca.certificate,
      servername: "localhost",
      ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
      ...identity,
    });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

async function open(client: Issued | null = null): Promise<ClientHttp2Session> {
  return openH2(await openTls(["h2"], client), "https");
}

function ask(session: ClientHttp2Session, options: CallOptions): Promise<H2Answer> {
  const headers = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return askH2(session, { ":method": options.method ?? "GET", ":path": options.path ?? "/", ...headers }, options.body);
}

const post = (body: string, type = "application/json"): CallOptions => ({
  method: "POST",
  path: "/orders",
  headers: { Authorization: writer, "Content-Type": type },
  body,
});

const requests: Record<string, () => CallOptions> = {
  "a public route": () => ({ path: "/public" }),
  "a public route, HEAD": () => ({ path: "/public", method: "HEAD" }),
  "a good token": () => ({ path: `/orders/${ORDER_ID}`, headers: { Authorization: reader } }),
  "a good body": () => post('{"sku":"a","quantity":1}'),
  "no route": () => ({ path: "/nothing" }),
  "another method": () => ({ method: "DELETE", path: `/orders/${ORDER_ID}` }),
  "no credentials": () => ({ path: `/orders/${ORDER_ID}` }),
  "a forged token": () => ({ path: `/orders/${ORDER_ID}`, headers: { Authorization: `${reader.slice(0, -4)}AAAA` } }),
  "an unknown key": () => ({ path: `/orders/${ORDER_ID}`, headers: { "X-Api-Key": "pk_wrong" } }),
  "a missing scope": () => ({ path: `/orders/${ORDER_ID}`, headers: { Authorization: writer } }),
  "a bad path parameter": () => ({ path: "/orders/1", headers: { Authorization: reader } }),
  "a wrong content type": () => post("a=1", "text/plain"),
  "a body that is no JSON": () => post("{"),
  "a body against its schema": () => post('{"sku":"a","quantity":0}'),
  "a body over its limit": () => post(JSON.stringify({ sku: "a".repeat(2000), quantity: 1 })),
  "no certificate where one is asked for": () => ({ path: "/mesh" }),
  "an escaped slash": () => ({ path: "/orders%2F1" }),
  TRACE: () => ({ method: "TRACE", path: "/public" }),
};

/** Fields that differ from answer to answer (an id may be longer than the last), and HTTP/1.1's framing. */
const OWN = new Set(["date", "content-length", "connection", "keep-alive", "transfer-encoding", ":status"]);
const comparable = (headers: H2Answer["headers"]): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name)));
const withoutId = (body: string): string => body.replace(/"id":"[^"]*"/, "");

describe("the same answer over both", () => {
  for (const [title, request] of Object.entries(requests)) {
    test(title, async () => {
      const before = service.arrived.length;
      const one = await postern.call(request());
      const arrivedOne = service.arrived.slice(before);
      const two = await ask(await open(), request());
      const arrivedTwo = service.arrived.slice(before + arrivedOne.length);
      expect(two.status).toBe(one.status);
      expect(withoutId(two.body)).toBe(withoutId(one.body));
      expect(comparable(two.headers)).toEqual(comparable(one.headers));
      const known = arrivedOne.map(({ headers, ...rest }) => ({ ...rest, headers: comparable(headers) }));
      expect(arrivedTwo.map(({ headers, ...rest }) => ({ ...rest, headers: comparable(headers) }))).toEqual(known);
    });
  }

  test("the log line is the same but for the protocol, and names the same line of the policy", async () => {
    const one = await postern.call({ path: "/orders/1", headers: { Authorization: reader } });
    const two = await ask(await open(), { path: "/orders/1", headers: { Authorization: reader } });
    const id = (JSON.parse(two.body) as { id: string }).id;
    const lineOne = await postern.logged((line) => line["id"] === one.id);
    const lineTwo = await postern.logged((line) => line["id"] === id);
    expect(lineOne["protocol"]).toBe("http/1.1");
    expect(lineTwo["protocol"]).toBe("h2");
    for (const field of [
      "reason",
      "policy",
      "rule",
      "seen",
      "wanted",
      "client",
      "principal",
      "route",
      "method",
      "path",
    ]) {
      expect(lineTwo[field]).toEqual(lineOne[field]);
    }
  });
});

test("a client's certificate counts for every stream, and its identity reaches the service", async () => {
  const { pki } = await theWorld();
  const session = await open(pki.client);
  const answers = await Promise.all([ask(session, { path: "/mesh" }), ask(session, { path: "/mesh" })]);
  const one = await postern.call({ path: "/mesh", client: pki.client });
  expect(answers.map((answer) => answer.status)).toEqual([one.status, one.status]);
  const arrived = service.arrived.slice(-3).map(({ headers }) => headers["x-postern-principal"]);
  expect(new Set(arrived).size).toBe(1);
  expect(arrived[0]).toBe("spiffe://example.org/ns/shop/sa/billing");
});

test("nothing that a client says of itself survives; another spelling of it is refused", async () => {
  const session = await open();
  await ask(session, {
    path: "/public",
    headers: {
      "x-postern-principal": "admin",
      "x-postern-scopes": "all",
      "x-forwarded-for": "192.0.2.66",
      forwarded: "for=x",
    },
  });
  const headers = service.arrived.at(-1)?.headers ?? {};
  expect(headers["x-postern-principal"]).toBeUndefined();
  expect(headers["x-postern-scopes"]).toBeUndefined();
  expect(headers["x-forwarded-for"]).toBe("127.0.0.1");
  expect(headers["forwarded"]).toBe('for=127.0.0.1;proto=https;host="localhost"');
  const before = service.arrived.length;
  expect((await ask(session, { path: "/public", headers: { x_postern_scopes: "all" } })).status).toBe(400);
  expect(service.arrived).toHaveLength(before);
});

test("the client chooses by ALPN; who names nothing, or both, is understood", async () => {
  for (const [offer, chosen] of [
    [["h2"], "h2"],
    [["http/1.1"], "http/1.1"],
    [["http/1.1", "h2"], "h2"],
    [[], false],
  ] as const) {
    const socket = await openTls(offer);
    expect(socket.alpnProtocol).toBe(chosen);
    if (chosen === "h2") expect((await ask(openH2(socket, "https"), { path: "/public" })).status).toBe(200);
    else {
      const client = new RawClient(socket);
      client.write("GET /public HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 /);
    }
    socket.destroy();
  }
  await expect(openTls(["h3"])).rejects.toThrow();
});

test("limits are shared between both protocols", async () => {
  const { mint } = await theWorld();
  const headers = { Authorization: `Bearer ${await mint.token({ sub: "shared" })}` };
  const session = await open();
  const statuses = [
    (await ask(session, { path: "/limited", headers })).status,
    (await postern.call({ path: "/limited", headers })).status,
    (await ask(session, { path: "/limited", headers })).status,
  ];
  expect(statuses).toEqual([200, 200, 429]);
});

test("sessions are counted by why they ended, and every request once", async () => {
  const session = await open();
  await ask(session, { path: "/public" });
  session.close();
  const metrics = await eventually(
    async () => (await postern.admins("/metrics")).body,
    (body) => /^postern_h2_sessions_closed_total\{listener="inbound",reason="client"\} [1-9]/m.test(body),
  );
  expect(metrics).toMatch(/^postern_h2_sessions_closed_total\{listener="inbound",reason="reset_flood"\} 0$/m);
  const samples = [...metrics.matchAll(/^postern_requests_total\{.*\} (\d+)$/gm)];
  const total = samples.reduce((sum, sample) => sum + Number(sample[1]), 0);
  // Lines are written in batches; the metrics are there at once.
  const lines = async (): Promise<number> => postern.log.filter((line) => line["event"] === "request").length;
  expect(await eventually(lines, (count) => count >= total)).toBe(total);
});

test("a flood over TLS ends its own session, is counted and logged with its client's address", async () => {
  const other = await open();
  await ask(other, { path: "/public" });
  const client = new H2RawClient(await openTls(["h2"]));
  for (let at = 0; at < 5_000 && client.goaway === undefined && !client.closed; at++) {
    await client.flood(Buffer.concat(Array.from({ length: 2_000 }, () => windowUpdate(0, 1))), 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.untilClosed();
  expect(client.goaway).toBe(ERROR.enhanceYourCalm);
  expect(await postern.logged((line) => line["event"] === "http2_fault")).toMatchObject({
    reason: "overhead_flood",
    client: "127.0.0.1",
    listener: "inbound",
  });
  const { body } = await postern.admins("/metrics");
  expect(body).toMatch(/^postern_h2_sessions_closed_total\{listener="inbound",reason="overhead_flood"\} 1$/m);
  expect((await ask(other, { path: "/public" })).status).toBe(200);
});

test("a request that has no valid reading is answered with 400 and its reason, counted and logged, and never reaches the service", async () => {
  const before = service.arrived.length;
  const client = new H2RawClient(await openTls(["h2"]));
  client.write(request(1, fields("/public", [["connection", "x-postern-principal"]])));
  expect(await client.outcome(1)).toBe(400);
  expect(JSON.parse(client.body(1))).toMatchObject({ status: 400, reason: "request_malformed" });
  client.destroy();
  expect(await postern.logged((line) => line["reason"] === "request_malformed")).toMatchObject({
    listener: "inbound",
    client: "127.0.0.1",
    status: 400,
  });
  const { body } = await postern.admins("/metrics");
  expect(body).toMatch(/^postern_requests_total\{[^}]*reason="request_malformed"[^}]*\} [1-9]/m);
  expect(service.arrived.length).toBe(before);
});

describe("without TLS", () => {
  const policy = (protocols: string) => (ports: { port: number; admin: number; app: number }) =>
    `version: 1
service: plain
listeners:
  - name: inbound
    address: 127.0.0.1:${ports.port}
    protocols: ${protocols}
upstreams: { app: { address: "http://127.0.0.1:${ports.app}" } }
admin: { address: "127.0.0.1:${ports.admin}" }
routes: [{ path: /**, public: true }]
`;
  const h1 = async (port: number): Promise<string> => {
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    // In pieces, so that the first one alone cannot tell what it is.
    client.write("P");
    await new Promise((resolve) => setImmediate(resolve));
    client.write("OST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    return client.untilClosed().catch(() => client.received);
  };

  test("h2c beside http/1.1: the first bytes tell", async () => {
    const both = await startPostern(service.port, policy("[http/1.1, h2c]"));
    expect(await ask(openH2(both.port), { path: "/" })).toMatchObject({ status: 200 });
    expect(await h1(both.port)).toMatch(/^HTTP\/1\.1 200 /);
    const proto = service.arrived.slice(-2).map(({ headers }) => headers["x-forwarded-proto"]);
    expect(proto).toEqual(["http", "http"]);
  });

  test("only what is named is spoken", async () => {
    const onlyH2 = await startPostern(service.port, policy("[h2c]"));
    expect(await ask(openH2(onlyH2.port), { path: "/" })).toMatchObject({ status: 200 });
    expect(await h1(onlyH2.port)).toBe("");
    const refused = /^postern_connections_refused_total\{listener="inbound",reason="protocol_unsupported"\} 1$/m;
    expect((await onlyH2.admins("/metrics")).body).toMatch(refused);
    const onlyH1 = await startPostern(service.port, policy("[http/1.1]"));
    expect(await h1(onlyH1.port)).toMatch(/^HTTP\/1\.1 200 /);
    const preface = await RawClient.connect({ port: onlyH1.port, host: "127.0.0.1" });
    preface.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    expect(await preface.untilReceived("\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test("SIGTERM: a session is told to go (GOAWAY), its request finishes, the process ends", async () => {
  let answer: () => void = () => {};
  const slow = await startService((_request, response) => {
    answer = () => void response.end("late");
    return true;
  });
  const ending = await startPostern(slow.port, (ports) => ordersPolicy(ports), { "order.json": ORDER_SCHEMA });
  const { pki } = await theWorld();
  const socket = tlsConnect({
    port: ending.port,
    host: "127.0.0.1",
    ca: pki.ca.certificate,
    servername: "localhost",
    ALPNProtocols: ["h2"],
  });
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  const session = openH2(socket, "https");
  const goaway = new Promise<number>((resolve) => session.on("goaway", resolve));
  const late = ask(session, { path: "/public" });
  await eventually(
    async () => slow.arrived.length,
    (length) => length === 1,
  );
  ending.process.kill("SIGTERM");
  expect(await goaway).toBe(0);
  answer();
  expect(await late).toMatchObject({ status: 200, body: "late", resetCode: 0 });
  expect(await ending.exited).toBe(0);
});
