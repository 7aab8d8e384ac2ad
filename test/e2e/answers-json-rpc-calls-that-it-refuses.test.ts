// Goal: a client of JSON-RPC finds in each refusal the answers to its calls, and none of a refused list reaches the service.
// Method: a service that answers calls and notes them, behind postern; each refusal is read as such a client reads answers.
import { createServer } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

let nobody = 0;
const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: calls
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
  gone: { address: 'http://127.0.0.1:${nobody}' }
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
routes:
  - path: /rpc
    methods: [POST, GET]
    public: true
    validate: { jsonrpc: { methods: [add, put], batch: 5, paramsSchema: { put: put.json } } }
  - path: /hidden
    methods: [POST]
    public: true
    validate: { errors: hidden, jsonrpc: { methods: [add] } }
  - { path: /known, methods: [POST], authenticate: [partners], validate: { jsonrpc: { methods: [add] } } }
  - { path: /gone, methods: [POST], public: true, upstream: gone, validate: { jsonrpc: { methods: [add], batch: 5 } } }
`;
const files = {
  "put.json": '{"type":"object","properties":{"count":{"type":"integer"}},"required":["count"]}',
};

let postern: Postern;
let called = 0;
beforeAll(async () => {
  nobody = await freePort();
  const server = createServer((request, response) => {
    called++;
    request.resume().on("end", () => response.setHeader("content-type", "application/json").end('{"jsonrpc":"2.0"}'));
  });
  postern = await startPostern(await listen(server), policy, files);
});
afterAll(closeAll);
beforeEach(() => {
  called = 0;
});

async function post(path: string, body: unknown): Promise<{ status: number; type: string | null; body: unknown }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, { method: "POST", headers, body: text });
  return { status: response.status, type: response.headers.get("content-type"), body: await response.json() };
}

const call = (method: string, id: unknown, params: object = {}) => ({ jsonrpc: "2.0", method, params, id });
const error = (code: number, id: unknown, data: object) => ({ jsonrpc: "2.0", error: { code, data }, id });

test("a call is told by its id why it was not made", async () => {
  for (const id of [7, "a-1", null, 1.5]) {
    const answer = await post("/rpc", call("drop", id));
    expect(answer).toMatchObject({
      status: 403,
      type: "application/json",
      body: error(-32601, id, { reason: "jsonrpc_method_denied", status: 403, errors: [{ keyword: "methods" }] }),
    });
  }
  const wrong = await post("/rpc", call("put", 8, { count: "x" }));
  const errors = [{ pointer: "/params/count", keyword: "type" }];
  expect(wrong).toMatchObject({ status: 422, body: error(-32602, 8, { reason: "body_schema_mismatch", errors }) });
  expect(called).toBe(0);
});

test("an id comes back as it was sent, however large a number it is", async () => {
  const response = await fetch(`http://127.0.0.1:${postern.port}/rpc`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"jsonrpc":"2.0","method":"drop","id":12345678901234567891}',
  });
  expect(await response.text()).toContain('"id":12345678901234567891}');
});

test("each call of a list has an answer, and notifications have none", async () => {
  const list = [call("add", 1), call("drop", 2), { jsonrpc: "2.0", method: "add" }, call("add", "x")];
  const answer = await post("/rpc", list);
  expect(answer.status).toBe(403);
  const data = { reason: "jsonrpc_method_denied", errors: [{ pointer: "/1" }] };
  expect(answer.body).toMatchObject([1, 2, "x"].map((id) => error(-32601, id, data)));
  expect((answer.body as unknown[]).length).toBe(3);
  const silent = await post("/rpc", [{ jsonrpc: "2.0", method: "drop" }]);
  expect(silent.body).toMatchObject(error(-32601, null, {}));
  expect(called).toBe(0);
});

test("what was not read as calls is told without an id", async () => {
  expect((await post("/rpc", "{")).body).toMatchObject(error(-32700, null, { reason: "jsonrpc_invalid" }));
  expect((await post("/rpc", "[]")).body).toMatchObject(error(-32600, null, { reason: "jsonrpc_invalid" }));
  expect((await post("/rpc", Array(6).fill(call("add", 1)))).body).toMatchObject(error(-32600, null, {}));
  expect((await post("/rpc", '"x"')).body).toMatchObject(error(-32600, null, {}));
  expect((await post("/rpc", call("drop", "i".repeat(300)))).body).toMatchObject(error(-32601, null, {}));
  expect((await post("/rpc?method=add", call("add", 1))).body).toMatchObject(error(-32600, null, {}));
});

test("so are refusals of other checks, and of a service that is gone", async () => {
  const unknown = await post("/known", call("add", 3));
  expect(unknown).toMatchObject({ status: 401, body: error(-32000, null, { reason: "credentials_missing" }) });
  const gone = await post("/gone", call("add", 3));
  expect(gone).toMatchObject({ status: 502, body: error(-32000, 3, { reason: "upstream_connect_failed" }) });
  const all = await post("/gone", [call("add", 3), call("add", 4)]);
  expect(all.body).toMatchObject([error(-32000, 3, {}), error(-32000, 4, {})]);
});

test("details can be hidden, and what is no call is answered as anywhere", async () => {
  const hidden = await post("/hidden", call("drop", 5));
  expect(JSON.stringify(hidden.body)).not.toContain("errors");
  expect(hidden.body).toMatchObject(error(-32601, 5, { reason: "jsonrpc_method_denied" }));
  const refused = await fetch(`http://127.0.0.1:${postern.port}/rpc?method=add`);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
});
