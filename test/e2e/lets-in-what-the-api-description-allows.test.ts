// Goal: what an OpenAPI document of two files says is enforced, each denial names the document's line, and an edit of either
// file counts at once; what the document does not have never reaches the service.
// Method: a real process before a plain service, tokens of a real key; the files are edited while it serves.
import { afterEach, expect, test } from "vitest";
import {
  eventually,
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}' }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
authenticators:
  okta: { type: jwt, issuer: 'https://idp.example.org/', audience: [orders], algorithms: [RS256], keys: jwks.json }
openapi:
  - file: api/orders.yaml
    authenticate: { oauth2: okta }
    public: true
    operations: { createOrder: { validate: { body: { maxBytes: 1KiB } } } }
routes:
  - { path: /**, public: true }
`;

const orders = `openapi: 3.0.3
info: { title: Orders, version: '1' }
servers: [{ url: '/v1' }]
security: [{ oauth: ['orders:read'] }]
paths:
  /orders/{id}:
    parameters: [{ $ref: 'common.yaml#/components/parameters/Id' }]
    get: { operationId: getOrder }
  /orders:
    post:
      operationId: createOrder
      security: [{ oauth: ['orders:write'] }]
      requestBody:
        content:
          application/json: { schema: { $ref: 'common.yaml#/components/schemas/Order' } }
  /health:
    get: { operationId: health, security: [] }
components:
  securitySchemes:
    oauth: { type: oauth2, flows: {} }
`;

const common = `components:
  parameters:
    Id: { name: id, in: path, required: true, schema: { type: integer } }
  schemas:
    Order:
      type: object
      required: [item]
      additionalProperties: false
      properties:
        item: { type: string, maxLength: 8 }
        note: { type: string, nullable: true }
`;

interface Asked {
  readonly method?: string;
  readonly token?: string;
  readonly body?: string;
  readonly type?: string;
}

interface Answer {
  readonly status: number;
  readonly reason?: string;
  readonly errors?: readonly { readonly pointer: string; readonly keyword: string }[];
}

async function ask(postern: Postern, path: string, { method = "GET", token, body, type }: Asked = {}): Promise<Answer> {
  const headers = new Headers();
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("content-type", type ?? "application/json");
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, init);
  const text = await response.text();
  const problem = response.headers.get("content-type")?.includes("problem+json") ? (JSON.parse(text) as Answer) : {};
  return { ...problem, status: response.status };
}

async function start(): Promise<{ service: Service; postern: Postern; reader: string; writer: string }> {
  const { mint } = await theWorld();
  const service = await startService();
  const postern = await startPostern(service.port, policy, { "api/orders.yaml": orders, "api/common.yaml": common });
  return {
    service,
    postern,
    reader: await mint.token({ scope: "orders:read" }),
    writer: await mint.token({ scope: "orders:write" }),
  };
}

test("operations pass as they are described, and nothing else does", async () => {
  const { service, postern, reader, writer } = await start();
  const post = (body: string, more: Asked = {}): Promise<Answer> =>
    ask(postern, "/v1/orders", { method: "POST", token: writer, body, ...more });

  expect((await ask(postern, "/v1/health")).status).toBe(200);
  expect((await ask(postern, "/v1/orders/7", { token: reader })).status).toBe(200);
  expect((await post('{"item":"a","note":null}')).status).toBe(200);
  // The document does not ask for a body.
  expect((await ask(postern, "/v1/orders", { method: "POST", token: writer })).status).toBe(200);
  const passed = service.arrived.length;

  expect(await ask(postern, "/v1/orders/7")).toMatchObject({ status: 401, reason: "credentials_missing" });
  expect(await ask(postern, "/v1/orders/7", { token: writer })).toMatchObject({ status: 403, reason: "scope_missing" });
  expect(await ask(postern, "/v1/orders/x", { token: reader })).toMatchObject({
    status: 422,
    reason: "parameter_invalid",
  });
  expect(await post('{"item":1,"other":2}')).toMatchObject({
    status: 422,
    errors: expect.arrayContaining([expect.objectContaining({ pointer: "/item", keyword: "type" })]),
  });
  expect(await post("a=1", { type: "text/plain" })).toMatchObject({ status: 415 });
  expect(await post(`{"item":"a","note":"${"x".repeat(1024)}"}`)).toMatchObject({ status: 413 });
  expect(await ask(postern, "/v1/orders/7", { method: "DELETE", token: reader })).toMatchObject({ status: 405 });
  expect(await ask(postern, "/v1/admin", { token: reader })).toMatchObject({
    status: 404,
    reason: "operation_undeclared",
  });
  expect(service.arrived).toHaveLength(passed);
  expect((await ask(postern, "/elsewhere")).status).toBe(200);
});

test("the log names the document's lines", async () => {
  const { postern, reader, writer } = await start();
  const lineOf = async (reason: string): Promise<unknown> =>
    (await postern.logged((line) => line["reason"] === reason))["policy"];
  await ask(postern, "/v1/orders/x", { token: reader });
  expect(JSON.stringify(await lineOf("parameter_invalid"))).toContain("api/common.yaml:3:5");
  await ask(postern, "/v1/orders/7", { token: writer });
  expect(JSON.stringify(await lineOf("scope_missing"))).toContain("api/orders.yaml:4:12");
  await ask(postern, "/v1/admin");
  expect(JSON.stringify(await lineOf("operation_undeclared"))).toContain("api/orders.yaml:5:1");
});

test("an edit of either file counts at once, and one that breaks the document changes nothing", async () => {
  const { postern, reader } = await start();
  const status = async (path: string): Promise<number> => (await ask(postern, path, { token: reader })).status;
  expect(await status("/v1/orders/x")).toBe(422);
  postern.write("api/common.yaml", common.replace("type: integer", "type: string"));
  await eventually(
    () => status("/v1/orders/x"),
    (code) => code === 200,
  );
  postern.write("api/orders.yaml", `${orders}  oops: [`);
  await postern.logged((line) => line["event"] === "reload" && line["level"] !== "info");
  expect(await status("/v1/orders/x")).toBe(200);
  postern.write("api/orders.yaml", orders.replace("/orders/{id}:", "/items/{id}:"));
  await eventually(
    () => status("/v1/items/x"),
    (code) => code === 200,
  );
  expect(await status("/v1/orders/x")).toBe(404);
});
