// Goal: an upload goes on to the service while it is judged, and stops where a later part breaks a rule.
// Method: a client that sends piece by piece, before a service that notes what it has got and how its request ended.
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { BOUNDARY, field, file, multipart } from "../fixtures/multipart.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { startUploadService, type UploadService } from "../fixtures/upload-service.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `
version: 1
service: uploads
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
admin: { address: '127.0.0.1:${admin}' }
defaults:
  validate:
    form:
      maxBytes: 1GiB
      fields: { title: { type: string, maxLength: 10, required: true } }
      files: { video: { maxBytes: 900MiB, types: [video/webm] } }
routes:
  - { path: /upload, methods: [POST], public: true }
  - { path: /whole, methods: [POST], public: true, validate: { form: { buffer: true, fields: { title: {} }, files: { video: {} } } } }
  - { path: /tried, methods: [POST], public: true, validate: { mode: audit, form: { fields: {} } } }
`;

let postern: Postern;
let service: UploadService;
beforeAll(async () => {
  service = await startUploadService();
  postern = await startPostern(service.port, policy);
});
afterAll(closeAll);
beforeEach(() => {
  service.uploads = [];
  service.hold = null;
});

const WEBM = Buffer.concat([Buffer.from("\x1a\x45\xdf\xa3", "latin1"), Buffer.alloc(200_000, "v")]);
const TITLE = field("title", "a day");
const VIDEO = file("video", "day.webm", "video/webm", WEBM);
const LAST = `\r\n--${BOUNDARY}--\r\n`;

interface Client {
  write(bytes: Buffer | string): Promise<void>;
  end(): void;
  readonly answer: Promise<{ status: number; reason?: string; errors?: readonly { name: string }[] }>;
}

function upload(path: string, bytes?: number): Client {
  const length = bytes === undefined ? {} : { "content-length": bytes };
  const headers = { "content-type": `multipart/form-data; boundary=${BOUNDARY}`, ...length };
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

test("a file goes on while it comes, and the last boundary with its end", async () => {
  const body = multipart(TITLE, VIDEO);
  const client = upload("/upload", body.length);
  await client.write(body.subarray(0, 150_000));
  await eventually(() => (service.uploads[0]?.bytes ?? 0) > 100_000);
  await client.write(body.subarray(150_000, body.length - 10));
  await eventually(() => (service.uploads[0]?.bytes ?? 0) > body.length - LAST.length - 10);
  expect(service.uploads[0]?.ended).toBe(false);
  await client.write(body.subarray(body.length - 10));
  client.end();
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads).toMatchObject([{ bytes: body.length, ended: true }]);
});

test("a later part that breaks a rule cuts the request, and nothing of that part is seen", async () => {
  const body = multipart(TITLE, VIDEO, file("video", "b.webm", "video/webm", WEBM));
  const client = upload("/upload", body.length);
  const second = body.lastIndexOf(`--${BOUNDARY}\r\n`);
  await client.write(body.subarray(0, second - 2));
  await eventually(() => service.uploads[0]?.bytes === second - 2);
  await client.write(body.subarray(second - 2, second + 300));
  expect(await client.answer).toMatchObject({ status: 422, reason: "form_field_invalid", errors: [{ name: "video" }] });
  await eventually(() => service.uploads[0]?.aborted);
  expect(service.uploads).toMatchObject([{ bytes: second - 2, ended: false }]);
});

test("a form that lacks what it must have ends without its last boundary", async () => {
  const body = multipart(VIDEO);
  const client = upload("/upload");
  await client.write(body);
  client.end();
  expect(await client.answer).toMatchObject({ status: 422, reason: "form_field_invalid", errors: [{ name: "title" }] });
  await eventually(() => service.uploads[0]?.aborted);
  expect(service.uploads[0]?.body).not.toContain(LAST.trim());
});

test("a field is not seen before it was judged, and never where it does not fit", async () => {
  const client = upload("/upload");
  await client.write(multipart(VIDEO, field("title", "much too long for it")));
  expect(await client.answer).toMatchObject({ status: 422 });
  await eventually(() => service.uploads[0]?.aborted);
  expect(service.uploads[0]?.body).not.toContain("title");
});

test("with buffer nothing is seen of a form that is refused", async () => {
  const client = upload("/whole");
  await client.write(multipart(TITLE, VIDEO, field("role", "admin")));
  client.end();
  expect(await client.answer).toMatchObject({ status: 422 });
  expect(service.uploads).toEqual([]);
  const good = upload("/whole");
  await good.write(multipart(TITLE, VIDEO));
  good.end();
  expect(await good.answer).toMatchObject({ status: 200 });
  expect(service.uploads).toMatchObject([{ bytes: multipart(TITLE, VIDEO).length }]);
});

test("audit notes what it would refuse, and lets all of it pass as it came", async () => {
  const body = multipart(TITLE, field("role", "admin"));
  const client = upload("/tried");
  await client.write(body);
  client.end();
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads[0]?.body).toBe(body.toString("latin1"));
  await postern.logged((line) => line["path"] === "/tried" && JSON.stringify(line).includes("form_field_invalid"));
});

test("a service that does not read holds up its client, not the process", async () => {
  const release: (() => void)[] = [];
  service.hold = (request) => {
    request.pause();
    release.push(() => request.resume());
  };
  const client = upload("/upload");
  const [head = "", content] = VIDEO;
  await client.write(`--${BOUNDARY}\r\n${TITLE[0]}\r\n\r\n${TITLE[1]}\r\n--${BOUNDARY}\r\n${head}\r\n\r\n`);
  await client.write(content);
  const piece = Buffer.alloc(1024 * 1024, "v");
  let written = 0;
  const all = (async () => {
    for (; written < 64; written++) await client.write(piece);
    await client.write(LAST);
    client.end();
  })();
  // What fits into sockets is taken, and then nothing more.
  await eventually(() => release.length === 1);
  const before = await memoryBytes();
  expect(before).toBeLessThan(300 * 1024 * 1024);
  expect(written).toBeLessThan(64);
  release[0]?.();
  await all;
  expect(await client.answer).toMatchObject({ status: 200 });
  expect(service.uploads[0]?.bytes).toBeGreaterThan(64 * 1024 * 1024);
});

/** Resident, as the process itself tells it. */
async function memoryBytes(): Promise<number> {
  const { body } = await postern.admins("/metrics");
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(body)?.[1]);
}
