// Goal: a compressed body is judged as what it holds, and that is what the service gets; what holds too much gets nowhere.
// Method: a real client that compresses JSON, forms and uploads, before a service that notes what arrives.
import { request as httpRequest } from "node:http";
import { brotliCompressSync, createGzip, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { BOUNDARY, field, file, multipart } from "../fixtures/multipart.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
defaults: { validate: { contentEncoding: inflate } }
routes:
  - { path: /json, methods: [POST], public: true, validate: { body: { schema: order.json } } }
  - path: /form
    methods: [POST]
    public: true
    validate: { form: { maxBytes: 64MiB, undeclared: ignore, fields: { title: { type: string, maxLength: 20 } } } }
`;
const schema = JSON.stringify({
  type: "object",
  properties: { count: { type: "integer" } },
  additionalProperties: false,
});

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService();
  postern = await startPostern(service.port, policy, { "order.json": schema });
});
afterAll(closeAll);
beforeEach(() => {
  service.arrived.length = 0;
});

async function post(
  path: string,
  body: Buffer,
  type: string,
  coding: string,
): Promise<{ status: number; reason?: string }> {
  const headers = { "content-type": type, "content-encoding": coding };
  const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, { method: "POST", headers, body });
  return { status: response.status, ...((await response.json()) as object) };
}

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;

test("JSON is judged and goes on inflated, in each coding", async () => {
  for (const [coding, bytes] of [
    ["gzip", gzipSync('{"count":1}')],
    ["br", brotliCompressSync('{"count":1}')],
    ["zstd", zstdCompressSync('{"count":1}')],
  ] as const) {
    expect(await post("/json", bytes, JSON_TYPE, coding)).toMatchObject({ status: 200 });
  }
  expect(service.arrived.map(({ body }) => body)).toEqual(['{"count":1}', '{"count":1}', '{"count":1}']);
  for (const { headers } of service.arrived) {
    expect(headers["content-encoding"]).toBeUndefined();
    expect(headers["content-length"]).toBe("11");
  }
  expect(await post("/json", gzipSync('{"count":"1"}'), JSON_TYPE, "gzip")).toMatchObject({ status: 422 });
});

test("forms are, and an upload as it streams", async () => {
  expect(await post("/form", gzipSync("title=a"), FORM_TYPE, "gzip")).toMatchObject({ status: 200 });
  const body = multipart(
    field("title", "a day"),
    file("log", "a.log", "text/x", Buffer.alloc(300_000, "line of it\n")),
  );
  expect(await post("/form", gzipSync(body), MULTIPART, "gzip")).toMatchObject({ status: 200 });
  expect(service.arrived.map((one) => one.body)).toEqual(["title=a", body.toString("latin1")]);
  expect(service.arrived[1]?.headers).toMatchObject({ "transfer-encoding": "chunked" });
  const wrong = multipart(field("title", "much too long for a title"));
  expect(await post("/form", gzipSync(wrong), MULTIPART, "gzip")).toMatchObject({ status: 422 });
});

test("a method that stands in a compressed form is found", async () => {
  const denied = { status: 400, reason: "method_overridden" };
  expect(await post("/form", gzipSync("_method=DELETE"), FORM_TYPE, "gzip")).toMatchObject(denied);
  const body = multipart(field("title", "a"), field("_method", "DELETE"));
  expect(await post("/form", gzipSync(body), MULTIPART, "gzip")).toMatchObject(denied);
});

test("what holds a thousand times its bytes ends early, whole or as it streams", async () => {
  const zeros = gzipSync(Buffer.alloc(16 * 1024 * 1024));
  expect(await post("/json", zeros, JSON_TYPE, "gzip")).toMatchObject({ status: 413 });
  const bomb = gzipSync(multipart(file("a", "a", "x/y", Buffer.alloc(32 * 1024 * 1024))));
  expect(await post("/form", bomb, MULTIPART, "gzip")).toMatchObject({ status: 413, reason: "body_inflates_too_much" });
  expect(service.arrived).toEqual([]);
});

test("what is cut or is something else is told apart from a form that is wrong", async () => {
  const reason = "content_encoding_invalid";
  const bytes = gzipSync(multipart(field("title", "a")));
  expect(await post("/form", bytes.subarray(0, -4), MULTIPART, "gzip")).toMatchObject({ status: 400, reason });
  expect(await post("/form", Buffer.concat([bytes, Buffer.from("x")]), MULTIPART, "gzip")).toMatchObject({
    status: 400,
    reason,
  });
  expect(await post("/form", bytes, MULTIPART, "compress")).toMatchObject({ status: 415 });
});

test("a long one flows through, compressed by a client as it sends", async () => {
  const content = Buffer.from(Array.from({ length: 200_000 }, (_, at) => `${at * 7919} of ${at}\n`).join(""));
  const body = multipart(field("title", "a"), file("log", "a.log", "text/x", content));
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { "content-type": MULTIPART, "content-encoding": "gzip" };
    const request = httpRequest({ host: "127.0.0.1", port: postern.port, path: "/form", method: "POST", headers });
    request.on("response", (response) => resolve(response.resume().statusCode));
    request.on("error", reject);
    const gzip = createGzip();
    gzip.pipe(request);
    gzip.end(body);
  });
  expect(status).toBe(200);
  expect(service.arrived[0]?.body.length).toBe(body.length);
});
