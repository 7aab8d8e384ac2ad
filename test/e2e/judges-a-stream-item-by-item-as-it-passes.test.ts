// Goal: a stream goes on to the service item by item while it comes, stops at the first wrong one, and makes nothing grow.
// Method: a client that sends piece by piece, before a service that notes what it has got and how its request ended.
import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { startUploadService, type UploadService } from "../fixtures/upload-service.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `
version: 1
service: events
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
admin: { address: '127.0.0.1:${admin}' }
routes:
  - path: /events
    methods: [POST]
    public: true
    validate: { contentEncoding: inflate, body: { itemSchema: event.json, maxBytes: 1GiB, items: { maxCount: 10000000 } } }
  - { path: /tried, methods: [POST], public: true, validate: { mode: audit, body: { itemSchema: event.json } } }
  - { path: /dear, methods: [POST], public: true, validate: { body: { itemSchema: dear.json, items: { maxBytes: 1MiB } } } }
`;
const files = {
  "event.json":
    '{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"text":{"maxLength":100000}}}',
  "dear.json": '{"properties":{"text":{"pattern":"^(\\\\w+[ .]?)+$"}},"uniqueItems":true}',
};

let postern: Postern;
let service: UploadService;
beforeAll(async () => {
  service = await startUploadService();
  postern = await startPostern(service.port, policy, files);
});
afterAll(closeAll);
beforeEach(() => {
  service.uploads = [];
  service.hold = null;
});

interface Client {
  write(bytes: Buffer | string): Promise<void>;
  end(): void;
  readonly answer: Promise<{ status: number; reason?: string; errors?: readonly object[] }>;
}

function send(path: string, more: Record<string, string> = {}): Client {
  const headers = { "content-type": "application/x-ndjson", ...more };
  const request = httpRequest({ host: "127.0.0.1", port: postern.port, path, method: "POST", headers });
  const answer = new Promise<Awaited<Client["answer"]>>((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, ...(JSON.parse(text) as object) }));
    });
  });
  const write = (piece: Buffer | string): Promise<void> =>
    new Promise((resolve) => {
      if (request.write(piece)) resolve();
      else request.once("drain", resolve);
    });
  return { write, end: () => request.end(), answer };
}

const line = (id: unknown, text = "a".repeat(1000)): string => `${JSON.stringify({ id, text })}\n`;

test("items go on while others are still to come, and the last one with its end", async () => {
  const client = send("/events");
  const first = Array.from({ length: 50 }, (_, id) => line(id)).join("");
  await client.write(`${first}{"id":`);
  await eventually(() => service.uploads[0]?.bytes === first.length);
  await client.write('7}\n{"id":8}');
  await eventually(() => service.uploads[0]?.bytes === first.length + 9);
  client.end();
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads).toMatchObject([{ body: `${first}{"id":7}\n{"id":8}`, ended: true }]);
});

test("a wrong item is named, and where nothing went on yet the service sees no request", async () => {
  const client = send("/events");
  await client.write(`${line(1)}${line("x")}`);
  expect(await client.answer).toMatchObject({
    status: 422,
    reason: "body_schema_mismatch",
    errors: [{ item: 2, pointer: "/id", keyword: "type" }],
  });
  expect(service.uploads).toEqual([]);
});

test("a later one cuts the request, and nothing of it is seen", async () => {
  const client = send("/events");
  const good = Array.from({ length: 50 }, (_, id) => line(id)).join("");
  await client.write(good);
  await eventually(() => service.uploads[0]?.bytes === good.length);
  await client.write(line("secret"));
  expect(await client.answer).toMatchObject({ status: 422, errors: [{ item: 51, pointer: "/id" }] });
  await eventually(() => service.uploads[0]?.aborted);
  expect(service.uploads).toMatchObject([{ bytes: good.length, ended: false }]);
  const log = await postern.logged((entry) => JSON.stringify(entry).includes("item 51: body /id type"));
  expect(JSON.stringify(log)).toContain("event.json:1:");
});

test("audit notes what it would refuse, and lets all of it pass as it came", async () => {
  const client = send("/tried");
  const body = line("x") + line(1).repeat(20_000 / 1000);
  await client.write(body);
  client.end();
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads).toMatchObject([{ body, ended: true }]);
  await postern.logged((entry) => entry["path"] === "/tried" && JSON.stringify(entry).includes("body_schema_mismatch"));
});

test("items that take long are judged in turns, in their order", async () => {
  const client = send("/dear");
  const items = Array.from({ length: 40 }, (_, at) => line(at, "word ".repeat(20_000 * (at % 2) + 1))).join("");
  await client.write(items);
  client.end();
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads).toMatchObject([{ bytes: items.length, ended: true }]);
  const wrong = send("/dear");
  await wrong.write(`${items}${line(1, `${"word ".repeat(20_000)}!`)}${line(2)}`);
  expect(await wrong.answer).toMatchObject({ status: 422, errors: [{ item: 41, pointer: "/text" }] });
});

test("a compressed stream is judged, and goes on, as what it holds", async () => {
  const body = Array.from({ length: 300 }, (_, id) => line(id)).join("");
  const client = send("/events", { "content-encoding": "gzip" });
  await client.write(gzipSync(body));
  client.end();
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads[0]?.bytes).toBe(body.length);
});

/** As the process itself tells it. */
const RESIDENT = /^process_resident_memory_bytes (\S+)/m;

test("64 MiB of items leave memory as it was, and wait for a service that does not read", async () => {
  const release: (() => void)[] = [];
  service.hold = (request) => {
    request.pause();
    release.push(() => request.resume());
  };
  const figure = async (name: RegExp): Promise<number> =>
    Number(name.exec((await postern.admins("/metrics")).body)?.[1]);
  const before = await figure(RESIDENT);
  const client = send("/events");
  const piece = line(1).repeat(1000);
  const pieces = Math.ceil((64 * 1024 * 1024) / piece.length);
  let written = 0;
  const all = (async () => {
    for (; written < pieces; written++) await client.write(piece);
    client.end();
  })();
  await eventually(() => release.length === 1);
  expect(written).toBeLessThan(pieces);
  release[0]?.();
  let residentMax = 0;
  let heldMax = 0;
  const watching = (async () => {
    while (written < pieces) {
      residentMax = Math.max(residentMax, await figure(RESIDENT));
      heldMax = Math.max(heldMax, await figure(/^postern_memory_bytes\{account="bodies"\} (\S+)/m));
    }
  })();
  await Promise.all([all, watching]);
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads[0]?.bytes).toBe(pieces * piece.length);
  expect(residentMax - before).toBeLessThan(64 * 1024 * 1024);
  expect(heldMax).toBeLessThan(2 * 1024 * 1024);
});
