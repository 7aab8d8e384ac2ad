// Goal: a parameter that names another method does not get past a policy that denies that method.
// Method: real frameworks that read one, behind a policy with POST but without DELETE on /items; each spelling is tried on
// the bare service first where that shows that it works there.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, type RealServiceKind, startRealService, type Understood } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: items
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - { path: '/items/{id}', methods: [POST], public: true }
`;
const withDelete = (ports: PolicyPorts): string => policy(ports).replace("[POST]", "[POST, DELETE]");
const readsNone = (ports: PolicyPorts): string =>
  policy(ports).replace("public: true", "public: true, request: { methodParameters: [] }");

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
const MULTIPART = "multipart/form-data; boundary=b0";
const part = (head: string): string => `--b0\r\nContent-Disposition: form-data; ${head}\r\n\r\nDELETE\r\n--b0--\r\n`;

interface Answer {
  readonly status: number;
  readonly handler: string | undefined;
  readonly reason: string | undefined;
}

async function post(port: number, query: string, body: string = "", type: string = FORM): Promise<Answer> {
  const headers: Record<string, string> = { "content-type": type };
  const response = await fetch(`http://127.0.0.1:${port}/items/1${query}`, { method: "POST", headers, body });
  const text = await response.text();
  const json: Partial<Understood> & { reason?: string } = text.startsWith("{") ? JSON.parse(text) : {};
  return { status: response.status, handler: json.handler, reason: json.reason };
}

const REFUSED = { status: 400, handler: undefined, reason: "method_overridden" };
const UPDATED = { status: 200, handler: "update item", reason: undefined };
const DELETED = { status: 200, handler: "delete item", reason: undefined };

type Attack = readonly [query: string, body?: string, type?: string];

/** Requests that the service takes for a DELETE: query, body, and its type. */
const ATTACKS: Partial<Record<RealServiceKind, readonly Attack[]>> = {
  sinatra: [
    ["", "_method=DELETE"],
    ["", "a=1&_%6dethod=delete&b=2"],
    ["", "[_method]=DELETE"],
    ["", "_method]=DELETE"],
    ["", "_method=DELETE", " "],
    ["", part('name="_method"'), MULTIPART],
    ["", part("name=_method"), MULTIPART],
    ["", part('name="a"; name="_method"'), MULTIPART],
    ["", part('name="_method"'), "multipart/mixed; boundary=b0"],
  ],
  express: [
    ["?_method=DELETE"],
    ["?%5fmethod=delete"],
    ["?a=1&_method=DELETE&_method=POST"],
    ["", "_method=DELETE"],
    ["", '{"a":{},"_method":"DELETE"}', JSON_TYPE],
    ["", '{"\\u005fmethod":"d\\u0065lete"}', JSON_TYPE],
  ],
  php: [
    ["?_method=DELETE"],
    ["?.method=delete"],
    ["?_method%00x=DELETE"],
    ["?+_method=DELETE"],
    ["", "_method=DELETE"],
    ["", ".method=DELETE"],
    ["", " _method=DELETE"],
    ["", "_method%00[x=DELETE"],
    ["", "_method=DELETE", `${FORM}, x`],
    ["", part('name="_method"'), MULTIPART],
    ["", part("name='_method'"), MULTIPART],
    ["", part('name=".method"'), MULTIPART],
    ["", part('name="_method"').replaceAll("\r", ""), MULTIPART],
    ["", part('name="_method"').slice(0, -10), MULTIPART],
  ],
};

describe.for(Object.entries(ATTACKS) as [RealServiceKind, readonly Attack[]][])("%s", ([kind, attacks]) => {
  let service = 0;
  let postern: Postern;
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy);
  });
  afterAll(closeAll);
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  test.for(attacks)("POST%s %j %s deletes nothing", async ([query, body, type]) => {
    expect(await post(service, query, body, type)).toEqual(DELETED);
    expect(await post(postern.port, query, body, type)).toEqual(REFUSED);
  });

  test("a boundary that is the end of another word is no boundary", async () => {
    const type = "multipart/form-data; xboundary=b0; boundary=b1";
    expect(await post(postern.port, "", part('name="_method"'), type)).toMatchObject({ status: 415 });
  });

  test("what honest clients send passes", async () => {
    for (const [body, type] of [
      ["_method=POST&payment_method=card&text=_method%3DDELETE", FORM],
      ['{"text":"{\\"_method\\":\\"DELETE\\"}","deep":{"_method":"DELETE"}}', JSON_TYPE],
      [part('name="file"; filename="_method"'), MULTIPART],
      [part('name="method"'), MULTIPART],
    ] as const) {
      expect(await post(postern.port, "?q=_method%3DDELETE", body, type)).toEqual(UPDATED);
    }
    expect((await post(postern.port, "", "_method=&a=1")).reason).toBeUndefined();
  });

  test("a form passes whose methods have one route", async () => {
    const [query, body, type] = attacks[0] ?? [""];
    const both = await startPostern(service, withDelete);
    expect(await post(both.port, query, body, type)).toEqual(DELETED);
    const none = await startPostern(service, readsNone);
    expect(await post(none.port, query, body, type)).toEqual(DELETED);
  });
});

test("a long body that was read for a schema is looked at for a method, too", async ({ skip }) => {
  skip(!hasRealService("express"), "express is not installed");
  const service = (await startRealService("express")).port;
  const judged = (ports: PolicyPorts): string =>
    policy(ports).replace("public: true", "public: true, validate: { body: { schema: any.json } }");
  const postern = await startPostern(service, judged, { "any.json": '{ "type": "object" }' });
  const long = (member: string): string => `{"text":"${"\\u0061".repeat(16_000)}",${member}}`;
  expect(await post(service, "", long('"_method":"DELETE"'), JSON_TYPE)).toEqual(DELETED);
  expect(await post(postern.port, "", long('"_method":"DELETE"'), JSON_TYPE)).toEqual(REFUSED);
  expect(await post(postern.port, "", long('"a":1'), JSON_TYPE)).toEqual(UPDATED);
});

test("a schema that declares the parameter, or lets others pass, gets no method past", async ({ skip }) => {
  skip(!hasRealService("express"), "express is not installed");
  const service = (await startRealService("express")).port;
  const judged = (ports: PolicyPorts): string =>
    policy(ports).replace("public: true", "public: true, validate: { body: { schema: item.json } }");
  const startWith = (names: readonly string[]): Promise<Postern> => {
    const properties = Object.fromEntries(names.map((name) => [name, {}]));
    return startPostern(service, judged, { "item.json": JSON.stringify({ type: "object", properties }) });
  };
  const declared = await startWith(["a", "_method"]);
  const other = await startWith(["a"]);
  for (const member of ['"_method":"DELETE"', '"\\u005fmethod":"DELETE"']) {
    expect(await post(service, "", `{"a":1,${member}}`, JSON_TYPE)).toEqual(DELETED);
    expect(await post(declared.port, "", `{"a":1,${member}}`, JSON_TYPE)).toEqual(REFUSED);
    expect(await post(other.port, "", `{"a":1,${member}}`, JSON_TYPE)).toEqual(REFUSED);
  }
  for (const body of ['{"a":1}', '{"a":{"_method":"DELETE"}}', '{"a":"_method"}'])
    expect(await post(other.port, "", body, JSON_TYPE)).toEqual(UPDATED);
});

test("JSON that Express inflates deletes nothing, and passes where the usual methods have one route", async ({
  skip,
}) => {
  skip(!hasRealService("express"), "express is not installed");
  const service = (await startRealService("express")).port;
  const postern = await startPostern(service, policy);
  const send = async (port: number, json: string): Promise<Partial<Understood> & { reason?: string }> => {
    const headers = { "content-type": JSON_TYPE, "content-encoding": "gzip" };
    const body = gzipSync(json);
    const response = await fetch(`http://127.0.0.1:${port}/items/1`, { method: "POST", headers, body });
    return JSON.parse(await response.text());
  };
  expect(await send(service, '{"_method":"DELETE"}')).toMatchObject({ handler: "delete item" });
  expect(await send(postern.port, '{"_method":"DELETE"}')).toMatchObject({ reason: "content_encoding_unsupported" });
  const line = await postern.logged(({ reason }) => reason === "content_encoding_unsupported");
  expect(line["wanted"]).toContain("methodParameters");
  const any = await startPostern(service, (ports) => policy(ports).replace("methods: [POST], ", ""));
  expect(await send(any.port, '{"a":1}')).toMatchObject({ handler: "update item" });
  const none = await startPostern(service, readsNone);
  expect(await send(none.port, '{"a":1}')).toMatchObject({ handler: "update item" });
});

test("200 MiB of an upload stream on, and little of them is ever in memory", async () => {
  const service = await startService();
  const postern = await startPostern(service.port, (ports) =>
    policy(ports).replace("public: true", "public: true, validate: { body: { maxBytes: 256MiB } }"),
  );
  const peakKib = (): number =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${postern.process.pid}/status`, "utf8"))?.[1]);
  await post(postern.port, "", part('name="file"; filename="a"'), MULTIPART);
  const before = peakKib();
  const file = "\r\n--b1".repeat((200 * 1024 * 1024) / 6);
  const body = part('name="file"; filename="a"').replace("DELETE", file);
  expect((await post(postern.port, "", body, MULTIPART)).status).toBe(200);
  expect(service.arrived.at(-1)?.body.length).toBe(body.length);
  // Of what it held for a while the runtime lets go when it likes.
  expect(peakKib() - before).toBeLessThan(128 * 1024);
});

test("the log says which method was named, and the way out", async () => {
  const postern = await startPostern(1, policy);
  await post(postern.port, "", "_method=purge");
  const line = await postern.logged(({ reason }) => reason === "method_overridden");
  expect(line).toMatchObject({ rule: "routes[0]" });
  expect(line["seen"]).toContain("method PURGE");
  expect(line["wanted"]).toContain("methodParameters");
});
