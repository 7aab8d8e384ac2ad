// Goal: what an OpenAPI document does not allow never reaches a service that parses parameters as frameworks do, and what it
// allows does, unchanged. Method: Express with its extended query parser behind postern with the document as policy.
import { createServer } from "node:http";
import express from "express";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
openapi:
  - { file: orders.yaml, public: true, undeclaredProperties: refuse }
  - { file: orders.yaml, public: true, basePath: /strict, undeclaredParameters: refuse }
  - { file: orders.yaml, public: true, basePath: /bare, undeclaredParameters: strip, readOnly: ignore }
  - { file: orders.yaml, public: true, basePath: /strip, undeclaredProperties: strip, readOnly: strip }
`;

const document = `
openapi: 3.0.3
info: { title: orders, version: '1' }
paths:
  /orders:
    get:
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: ids, in: query, explode: false, schema: { type: array, maxItems: 3, items: { type: integer } } }
        - name: filter
          in: query
          style: deepObject
          explode: true
          schema:
            type: object
            additionalProperties: false
            properties: { status: { type: string, enum: [open, done] }, page: { type: integer, nullable: true } }
        - { name: 'tags[]', in: query, schema: { type: array, items: { type: integer } } }
        - { name: 'page[size]', in: query, schema: { type: integer, maximum: 100 } }
        - name: where
          in: query
          style: deepObject
          explode: true
          schema:
            type: object
            properties:
              total: { type: object, properties: { gte: { type: integer }, lt: { type: integer } } }
              kinds: { type: array, maxItems: 2, items: { type: string, enum: [a, b] } }
        - { name: theme, in: cookie, schema: { type: string, enum: [dark, light] } }
        - { name: X-Tags, in: header, schema: { type: array, items: { type: string, maxLength: 3 } } }
      responses: {}
    post:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: '#/components/schemas/Order' } }
          application/*+json: { schema: { $ref: '#/components/schemas/Order' } }
          application/x-www-form-urlencoded: { schema: { type: object, required: [sku], properties: { sku: { type: string, maxLength: 5 }, count: { type: integer } } } }
          text/*: {}
      responses: {}
  /orders/cancel:
    post: { responses: {} }
  /orders/{ids}:
    get:
      parameters: [{ name: ids, in: path, required: true, style: label, schema: { type: array, items: { type: integer } } }]
      responses: {}
components:
  schemas:
    Order:
      allOf:
        - { $ref: '#/components/schemas/Base' }
        - type: object
          required: [sku]
          properties:
            sku: { type: string, maxLength: 5 }
            note: { type: string, nullable: true, maxLength: 3 }
            password: { type: string, writeOnly: true }
            pay: { oneOf: [{ $ref: '#/components/schemas/Card' }, { $ref: '#/components/schemas/Cash' }], discriminator: { propertyName: kind, mapping: { card: '#/components/schemas/Card', cash: '#/components/schemas/Cash' } } }
    Base:
      type: object
      required: [id]
      properties: { id: { type: integer, readOnly: true } }
    Card: { type: object, required: [kind, number], properties: { kind: { type: string }, number: { type: string } } }
    Cash: { type: object, required: [kind], properties: { kind: { type: string } } }
`;

interface Answer {
  readonly status: number;
  readonly reason?: string;
  readonly errors?: readonly {
    readonly in?: string;
    readonly name?: string;
    readonly pointer: string;
    readonly keyword: string;
  }[];
  readonly query?: unknown;
  readonly body?: unknown;
  readonly url?: string;
}

let postern: Postern;
beforeAll(async () => {
  const app = express();
  app.set("query parser", "extended");
  app.use(
    express.json({ type: ["application/json", "application/*+json"] }),
    express.urlencoded(),
    express.text({ type: "text/*" }),
  );
  app.use((request, response) => {
    response.json({ query: request.query, body: request.body as unknown, url: request.url });
  });
  const port = await listen(createServer(app));
  postern = await startPostern(port, policy, { "orders.yaml": document });
});
afterAll(closeAll);

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, init);
  return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
}

const get = (query: string, headers: Record<string, string> = {}) => ask(`/orders${query}`, { headers });
const post = (body: string, type = "application/json", base = "") =>
  ask(`${base}/orders`, { method: "POST", body, headers: { "content-type": type } });

describe("honest clients", () => {
  test.each([
    ["?limit=5&ids=1,2,3", { limit: "5", ids: "1,2,3" }],
    ["?filter[status]=open&filter%5Bpage%5D=2", { filter: { status: "open", page: "2" } }],
    ["?filter[page]=null&other=1", { filter: { page: "null" }, other: "1" }],
    ["?q=a,b;c&limit=1", { q: "a,b;c", limit: "1" }],
    ["?tags[]=1&tags[]=2&page[size]=5&page[number]=9", { tags: ["1", "2"], page: { size: "5", number: "9" } }],
    ["?where[total][gte]=1&where[kinds][]=a&where[kinds][]=b", { where: { total: { gte: "1" }, kinds: ["a", "b"] } }],
    ["?where[kinds][0]=a&where[kinds][1]=b", { where: { kinds: ["a", "b"] } }],
  ])("%s", async (query, understood) => {
    expect(await get(query)).toMatchObject({ status: 200, query: understood });
  });

  test("a list as URLSearchParams writes it is one list to services that part it before they decode, too", async () => {
    const query = `?${new URLSearchParams({ limit: "5", ids: "1,2,3", q: "a,b" })}`;
    expect(query).toContain("ids=1%2C2%2C3");
    expect(await get(query)).toMatchObject({ status: 200, url: "/orders?limit=5&ids=1,2,3&q=a%2Cb" });
  });

  test("cookies of others, lists in headers, labels in paths", async () => {
    expect((await get("", { cookie: "_ga=1; theme=dark", "x-tags": "a, b" })).status).toBe(200);
    expect((await ask("/orders/.1,2")).status).toBe(200);
  });

  test.each([
    ["application/json", '{"sku":"A","note":null,"password":"x","pay":{"kind":"card","number":"1"}}'],
    ["application/json; charset=UTF-8", '{"sku":"A"}'],
    ["application/vnd.orders+json", '{"sku":"A"}'],
    ["application/x-www-form-urlencoded", "sku=A&count=3"],
    ["text/plain; charset=iso-8859-1", "anything"],
  ])("%s: %s", async (type, body) => {
    expect((await post(body, type)).status).toBe(200);
  });
});

describe("attacks on parameters", () => {
  test.each([
    ["?limit=5&limit=500", "limit", "type"],
    ["?limit=5&limit[]=500", undefined, "query"],
    ["?limit[]=500", undefined, "query"],
    ["?limit[gt]=500", undefined, "query"],
    ["?%6cimit=500", "limit", "maximum"],
    ["?ids=1,2,3,4", "ids", "maxItems"],
    ["?ids=1%2C2%2C3%2C4", "ids", "maxItems"],
    ["?ids=1%2C2&ids=3", "ids", "type"],
    ["?ids=1%252C2", "ids", "type"],
    ["?ids=1&ids=x", "ids", "type"],
    ["?filter=evil", undefined, "query"],
    ["?filter[status]=evil", "filter", "enum"],
    ["?filter[status]=open&filter[status]=evil", "filter", "style"],
    ["?filter[status][]=evil", undefined, "query"],
    ["?filter[__proto__][status]=evil", undefined, "query"],
    ["?filter[role]=admin", "filter", "additionalProperties"],
    ["?filter[page]=1&[filter][status]=evil", undefined, "query"],
    ["?tags[]=evil", "tags[]", "type"],
    ["?tags[0]=evil", undefined, "query"],
    ["?tags=evil", undefined, "query"],
    ["?page[size]=5&page=size", undefined, "query"],
    ["?[page][size]=500", undefined, "query"],
    ["?page[size][]=500", undefined, "query"],
    ["?where[total][gte]=evil", "where", "type"],
    ["?where[total]=evil", "where", "type"],
    ["?where[kinds]=evil", "where", "type"],
    ["?where[kinds][]=a&where[kinds][]=evil", "where", "enum"],
    ["?where[kinds][0]=a&where[kinds][0]=evil", "where", "type"],
    ["?where[total][gte][x]=evil", "where", "type"],
    ["?where[total][gte]=1&where.total.gte=evil", undefined, "query"],
  ])("%s", async (query, name, keyword) => {
    const { status, errors } = await get(query);
    expect(status).toBe(422);
    expect(errors?.[0]).toMatchObject({ in: "query", keyword, ...(name === undefined ? {} : { name }) });
    expect(JSON.stringify(errors)).not.toContain("evil");
  });

  test("in cookies, headers and paths", async () => {
    expect(await get("", { cookie: "theme=dark; theme=evil" })).toMatchObject({
      status: 422,
      errors: [{ in: "cookie" }],
    });
    expect(await get("", { "x-tags": "a,evil" })).toMatchObject({
      status: 422,
      errors: [{ in: "header", pointer: "/1" }],
    });
    expect((await ask("/orders/1,2")).status).toBe(422);
    expect((await ask("/orders/.1,x")).status).toBe(422);
  });
});

describe("attacks on bodies", () => {
  test.each([
    ["application/json", '{"sku":"toolong"}', 422],
    ["application/vnd.orders+json", '{"sku":"toolong"}', 422],
    ["application/x-www-form-urlencoded", "sku=toolong", 422],
    ["application/x-www-form-urlencoded", "sku=A&sku[]=toolong", 400],
    ["application/json; charset=utf-16le", '{"sku":"A"}', 415],
    ["application/json; charset=utf-8; charset=utf-7", '{"sku":"A"}', 415],
    ["application/json, text/plain", '{"sku":"A"}', 415],
    ["application/xml", "<sku/>", 415],
    ["application/jsonp", '{"sku":"toolong"}', 415],
    ["application/json", '{"sku":"A","id":7}', 422],
    ["application/json", '{"sku":"A","role":"admin"}', 422],
    ["application/json", '{"sku":"A","pay":{"kind":"card"}}', 422],
    ["application/json", '{"sku":"A","pay":{"kind":"cash","number":"1"}}', 422],
    ["application/json", '{"sku":"A","pay":{"kind":"check","number":"1"}}', 422],
    ["application/json", '{"sku":"A","pay":{"number":"1"}}', 422],
    ["application/json", '{"sku":"A","pay":{"kind":"cash","Kind":"card"}}', 422],
    ["application/json", '{"note":"x"}', 422],
    ["application/json", '{"sku":null}', 422],
    ["application/json", "", 422],
  ])("%s: %s → %i", async (type, body, status) => {
    expect((await post(body, type)).status).toBe(status);
  });

  test("the answer says what is wrong, and the log where the document says so", async () => {
    const { errors, reason } = await post('{"sku":"A","id":7,"note":"evil"}');
    expect(reason).toBe("body_schema_mismatch");
    expect(errors?.map(({ pointer, keyword }) => `${pointer} ${keyword}`)).toEqual(["/id readOnly", "/note maxLength"]);
    const line = await postern.logged(({ faults }) => JSON.stringify(faults ?? "").includes("readOnly"));
    expect(JSON.stringify(line["faults"])).toMatch(/orders\.yaml:\d+:\d+/);
  });
});

describe("what the document does not have", () => {
  test("parameters are refused where the policy says so", async () => {
    expect(await ask("/strict/orders?limit=5&admin=1")).toMatchObject({
      status: 422,
      errors: [{ name: "admin", keyword: "unknownQuery" }],
    });
    expect((await ask("/strict/orders?limit=5&filter[status]=open&where[total][lt]=5")).status).toBe(200);
    expect(await ask("/strict/orders?where[total][eq]=5&where[role]=admin&where[kinds][0]=a")).toMatchObject({
      status: 422,
      errors: [{ name: "where[total][eq]" }, { name: "where[role]" }],
    });
  });

  test("or do not reach the service", async () => {
    const { query } = await ask("/bare/orders?admin=1&limit=5&x[y]=1&filter[status]=open&ids=1;role=2");
    expect(query).toBeUndefined();
    expect(await ask("/bare/orders?admin=1&limit=5&x[y]=1&filter[status]=open&where[role]=admin")).toMatchObject({
      status: 200,
      query: { limit: "5", filter: { status: "open" } },
    });
  });

  test("a body of an operation that has none is refused with its members", async () => {
    const cancel = (base: string, body?: string) =>
      ask(`${base}/orders/cancel`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: body ?? null,
      });
    expect((await cancel("", '{"role":"admin"}')).status).toBe(413);
    expect((await cancel("/strip", '{"role":"admin"}')).status).toBe(413);
    expect((await cancel("")).status).toBe(200);
    expect((await cancel("/strict", "{}")).status).toBe(200);
  });

  test("members come off where the policy says so, those of another alternative, too", async () => {
    const sent = '{"id":7,"sku":"A","role":"admin","pay":{"kind":"cash","number":"1"},"ID":8}';
    expect(await post(sent, "application/json", "/strip")).toMatchObject({
      status: 200,
      body: { sku: "A", pay: { kind: "cash" } },
    });
    const form = "application/x-www-form-urlencoded";
    expect((await post("sku=A&role=admin", form, "/strip")).status).toBe(422);
    expect(await post("sku=A", form, "/strip")).toMatchObject({ status: 200, body: { sku: "A" } });
  });

  test("members that only the service sets pass where they are ignored, and need not be there", async () => {
    expect((await post('{"sku":"A","id":7,"role":"x"}', "application/json", "/bare")).status).toBe(200);
    expect((await post('{"sku":"A"}', "application/json", "/bare")).status).toBe(200);
  });
});
