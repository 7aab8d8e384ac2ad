// Goal: of real services only what their description promises leaves: their own statuses, headers, types and members, over each
// protocol and coding. Method: frameworks behind postern with a description of their answers; a service that breaks it in many
// ways, over HTTP/1.1, HTTP/2, gzip and chunks.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, type RealServiceKind, startRealService } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', protocols: [h2c, http/1.1], upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
log: { access: all }
openapi:
  - file: api.yaml
    public: true
    answers: { stripUndeclared: true }
    operations: { tried: { response: { validate: { mode: audit } } } }
`;
const ORDER = "{ $ref: '#/components/schemas/Order' }";
const api = `openapi: 3.1.0
info: { title: Orders, version: '1' }
security: []
paths:
  /reports/{name}:
    parameters: [{ name: name, in: path, required: true, schema: { type: string } }]
    get:
      responses:
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Understood' } } } }
  /orders/{how}:
    parameters: [{ name: how, in: path, required: true, schema: { type: string } }]
    get:
      responses:
        '200':
          headers: { X-Total: { schema: { type: integer } } }
          content:
            application/json: { schema: ${ORDER} }
            application/x-ndjson: { itemSchema: ${ORDER} }
        '204': {}
        4XX: { content: { application/problem+json: {} } }
  /tried/{how}:
    parameters: [{ name: how, in: path, required: true, schema: { type: string } }]
    get:
      operationId: tried
      responses: { '200': { content: { application/json: { schema: ${ORDER} } } } }
components:
  schemas:
    Understood:
      type: object
      required: [handler, path]
      properties: { handler: { const: report }, path: { type: string }, method: { type: string } }
    Order:
      type: object
      required: [id, password]
      properties: { id: { type: integer }, password: { type: string, writeOnly: true } }
`;

const FITS = '{"id":7}';

/** How the service answers: status, headers, pieces of the body. */
const HOW: Readonly<Record<string, readonly [number, Record<string, string>, ...(string | Buffer)[]]>> = {
  plain: [200, {}, FITS],
  chunked: [200, {}, '{"i', 'd":7}'],
  gzip: [200, { "Content-Encoding": "gzip" }, gzipSync(FITS)],
  more: [200, {}, '{"debug":"trace","id":7}'],
  moreGzip: [200, { "Content-Encoding": "gzip" }, gzipSync('{"debug":"trace","id":7}')],
  empty: [204, {}],
  missing: [404, { "Content-Type": "application/problem+json" }, "{}"],
  notModified: [304, {}],
  wrong: [200, {}, '{"id":"seven"}'],
  wrongGzip: [200, { "Content-Encoding": "gzip" }, gzipSync('{"id":"seven"}')],
  twice: [200, {}, '{"id":7,"id":"seven"}'],
  secret: [200, {}, '{"id":7,"password":"of a test"}'],
  secretInCase: [200, {}, '{"id":7,"passWORD":"of a test"}'],
  secretEscaped: [200, {}, '{"id":7,"\\u0070assword":"of a test"}'],
  html: [200, { "Content-Type": "text/html" }, '{"id":7}'],
  charset: [200, { "Content-Type": "application/json; charset=utf-16le" }, Buffer.from(FITS, "utf16le")],
  utf16: [200, {}, Buffer.from(FITS, "utf16le")],
  header: [200, { "X-Total": "seven" }, FITS],
  crash: [500, { "Content-Type": "text/html" }, "<pre>Traceback (most recent call last)</pre>"],
  redirect: [302, { Location: "http://10.0.0.1/" }, ""],
  odd: [299, {}, FITS],
};

function answer({ url = "" }: IncomingMessage, response: ServerResponse): boolean {
  const how = url.split("/")[2] ?? "";
  if (how === "items") {
    response.writeHead(200, { "Content-Type": "application/x-ndjson" });
    response.end(`${FITS}\n${FITS}\n{"id":"seven"}\n`);
    return true;
  }
  const [status, headers, ...pieces] = HOW[how] ?? [200, {}, FITS];
  response.writeHead(
    status,
    status === 204 || status === 304 ? headers : { "Content-Type": "application/json", ...headers },
  );
  for (const piece of pieces) response.write(piece);
  response.end();
  return true;
}

afterAll(closeAll);

describe("a service of many ways", () => {
  let service: Service;
  let postern: Postern;
  let session: ClientHttp2Session;
  beforeAll(async () => {
    service = await startService(answer);
    postern = await startPostern(service.port, policy, { "api.yaml": api });
    session = openH2(postern.port);
  });

  const ask = async (path: string, method = "GET"): Promise<{ status: number; body: string; type: string | null }> => {
    const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, { method, redirect: "manual" });
    return { status: response.status, body: await response.text(), type: response.headers.get("content-type") };
  };

  test.each([
    ["plain", 200, FITS],
    ["chunked", 200, FITS],
    ["gzip", 200, FITS],
    ["more", 200, FITS],
    ["moreGzip", 200, FITS],
    ["secretInCase", 200, FITS],
    ["empty", 204, ""],
    ["missing", 404, "{}"],
    ["notModified", 304, ""],
  ] as const)("%s leaves as it was promised", async (how, status, body) => {
    expect(await ask(`/orders/${how}`)).toMatchObject({ status, body });
    const h2 = await askH2(session, { ":path": `/orders/${how}` });
    expect([h2.status, h2.body]).toEqual([status, body]);
    expect(await ask(`/orders/${how}`, "HEAD")).toMatchObject({ status, body: "" });
  });

  test.each([
    "wrong",
    "wrongGzip",
    "twice",
    "secret",
    "secretEscaped",
    "html",
    "utf16",
    "header",
    "crash",
    "redirect",
    "odd",
  ])("%s is a clean 502 with an id, and tells nothing of the answer", async (how) => {
    for (const { status, body } of [await ask(`/orders/${how}`), await askH2(session, { ":path": `/orders/${how}` })]) {
      expect(status).toBe(502);
      const problem = JSON.parse(body) as { reason: string; id: string };
      expect(problem).toMatchObject({ status: 502, reason: "response_invalid", id: expect.any(String) });
      expect(body).not.toMatch(/seven|of a test|Traceback|password|errors|10\.0/i);
    }
  });

  test("a charset that nobody reads is refused as one that cannot be looked into", async () => {
    expect(JSON.parse((await ask("/orders/charset")).body)).toMatchObject({ reason: "response_unreadable" });
  });

  test("the log has the document's line and the pointer, and no value", async () => {
    const id = (JSON.parse((await ask("/orders/wrong")).body) as { id: string }).id;
    const line = JSON.stringify(await postern.logged((one) => one["id"] === id));
    expect(line).toMatch(/"policy":"api\.yaml:\d+:\d+","rule":"#\/components\/schemas\/Order","seen":"body \/id type"/);
    expect(line).toMatch(/expected integer \(api\.yaml:\d+:\d+\)/);
    expect(line).not.toContain("seven");
  });

  test("of a stream no item leaves that is another than promised", async () => {
    const { status, body, resetCode } = await askH2(session, { ":path": "/orders/items" });
    expect(body).not.toContain("seven");
    // One read of all of it is refused before the head leaves; else it has begun, and ends in the middle.
    expect(status === 502 || resetCode !== 0).toBe(true);
  });

  test("what is only tried leaves as it came, and is noted", async () => {
    expect(await ask("/tried/wrong")).toMatchObject({ status: 200, body: '{"id":"seven"}' });
    expect(await ask("/tried/more")).toMatchObject({ status: 200, body: '{"debug":"trace","id":7}' });
    const line = await postern.logged((one) => JSON.stringify(one).includes("/tried/wrong"));
    expect(JSON.stringify(line)).toContain("response_invalid");
  });
});

describe.for(["express", "gunicorn+flask", "php"] as const satisfies readonly RealServiceKind[])("%s", (kind) => {
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    postern = await startPostern((await startRealService(kind)).port, policy, { "api.yaml": api });
  });
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  test("tells clients what its description has, and no other member", async () => {
    const headers = { "accept-encoding": "gzip", "x-of-the-client": "1" };
    const response = await fetch(`http://127.0.0.1:${postern.port}/reports/x`, { headers });
    expect([response.status, await response.json()]).toEqual([
      200,
      { handler: "report", path: "/reports/x", method: "GET" },
    ]);
    const all = await fetch(`http://127.0.0.1:${postern.port}/reports/all`);
    expect(all.status).toBe(502);
    expect(await all.json()).toMatchObject({ reason: "response_invalid" });
  });
});
