// Goal: what Python and Go find in a multipart body at a place is what was judged there, and honest bodies are the same to all.
// Method: each body goes to the readers as it is sent, then through postern, and what arrives there goes to them again.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { BOUNDARY, multipart } from "../fixtures/multipart.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { environment, isThere, PYTHON, runProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { startUploadService, type UploadService } from "../fixtures/upload-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: uploads
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
openapi:
  - { file: api.yaml, public: true }
`;
const API = `
openapi: 3.2.0
info: { title: uploads, version: '1' }
paths:
  /upload:
    post:
      requestBody:
        required: true
        content:
          multipart/related:
            schema:
              type: array
              minItems: 2
              prefixItems:
                - type: object
                  required: [role]
                  additionalProperties: false
                  properties: { role: { enum: [user] }, note: { type: string, maxLength: 100 } }
                - {}
              items: false
            prefixEncoding: [{ contentType: application/json }, { contentType: image/png }]
      responses: { '200': { description: done } }
`;
const TYPE = `multipart/related; boundary=${BOUNDARY}`;
const USER = '{"role":"user"}';
const ADMIN = '{"role":"admin"}';
const PNG = `\x89PNG\r\n\x1a\n\x00\xff --\r\n${"x".repeat(100_000)}`;
const META = ["Content-Type: application/json", USER] as const;
const PHOTO = ["Content-Type: image/png", Buffer.from(PNG, "latin1")] as const;

let service: UploadService;
let postern: Postern;
beforeAll(async () => {
  service = await startUploadService();
  postern = await startPostern(service.port, policy, { "api.yaml": API });
});
beforeEach(() => {
  service.uploads = [];
});
afterAll(closeAll);

async function post(body: Buffer, type: string = TYPE): Promise<{ status: number; reason?: string }> {
  const answer = await fetch(`http://127.0.0.1:${postern.port}/upload`, {
    method: "POST",
    headers: { "content-type": type },
    body,
  });
  return { status: answer.status, ...((await answer.json()) as object) };
}

const READERS = resolve(import.meta.dirname, "../fixtures/part-readers");
type Reader = (body: Buffer, type: string) => Promise<readonly string[]>;

const read = async (command: readonly [string, ...string[]], body: Buffer, type: string): Promise<readonly string[]> =>
  JSON.parse(await runProgram([...command, type], body)) as readonly string[];
const python: Reader = (body, type) => read([PYTHON, join(READERS, "parts.py")], body, type);

const D = `--${BOUNDARY}`;
const END = `\r\n${D}--\r\n`;
const DECODED = [
  "Content-Type: application/json\r\nContent-Transfer-Encoding: quoted-printable",
  '{"role":"user","note":"=22,=22role=22:=22admin"}',
] as const;

describe.for(["python", "go"] as const)("%s", (kind) => {
  let reader = python;
  const isHere = isThere(kind === "go" ? "go" : PYTHON);
  beforeAll(() => {
    if (kind === "python" || !isHere) return;
    const folder = mkdtempSync(join(tmpdir(), "postern-parts-"));
    onClose(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, "parts");
    const env = { ...environment(), GO111MODULE: "off", CGO_ENABLED: "0" };
    execFileSync("go", ["build", "-o", program, join(READERS, "parts.go")], { env });
    reader = (body, type) => read([program], body, type);
  }, 60_000);
  beforeEach(({ skip }) => skip(!isHere, `${kind} is not installed`));

  test.for<[what: string, body: Buffer]>([
    ["what is decoded on the way", multipart(DECODED, PHOTO)],
    [
      "a boundary behind a bare LF",
      Buffer.from(
        `${D}\r\nContent-Type: application/json\r\n\r\n${ADMIN}\n${D}\r\nContent-Type: image/png\r\n\r\n${PNG}${END}`,
        "latin1",
      ),
    ],
    [
      "line ends without CR",
      Buffer.from(`${D}\nContent-Type: application/json\n\n${ADMIN}\n${D}\nContent-Type: image/png\n\nx\n${D}--\n`),
    ],
    [
      "something before the first boundary",
      Buffer.from(
        `x\r\n${D}\r\nContent-Type: application/json\r\n\r\n${ADMIN}\r\n${D}\r\nContent-Type: image/png\r\n\r\nx${END}`,
      ),
    ],
  ])("%s: an administrator to the reader, refused", async ([what, body], { skip }) => {
    skip(kind === "go" && what.endsWith("bare LF"), "Go takes line ends as the first boundary has them");
    const [first = ""] = await reader(body, TYPE);
    expect(JSON.parse(first)).toMatchObject({ role: "admin" });
    expect((await post(body)).status).toBeGreaterThanOrEqual(400);
    expect(service.uploads.some(({ body: seen }) => seen.includes("admin"))).toBe(false);
  });

  test("an honest body arrives as it was sent, and is read at its places as it was judged", async () => {
    const body = multipart(META, PHOTO);
    expect(await post(body, `${TYPE}; type="application/json"`)).toMatchObject({ status: 200 });
    await eventually(() => service.uploads[0]?.ended === true);
    const arrived = Buffer.from(service.uploads[0]?.body ?? "", "latin1");
    expect(arrived.equals(body)).toBe(true);
    expect(await reader(arrived, TYPE)).toEqual([USER, PNG]);
  });
});

test("a part that is no text goes on while it comes, and the last boundary with its end", async () => {
  const body = multipart(META, PHOTO);
  const headers = { "content-type": TYPE, "content-length": body.length };
  const request = httpRequest({ host: "127.0.0.1", port: postern.port, path: "/upload", method: "POST", headers });
  const status = new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => resolve(response.resume().statusCode));
  });
  request.write(body.subarray(0, 80_000));
  await eventually(() => (service.uploads[0]?.bytes ?? 0) > 50_000);
  expect(service.uploads[0]?.ended).toBe(false);
  request.end(body.subarray(80_000));
  expect(await status).toBe(200);
  await eventually(() => service.uploads[0]?.ended === true);
  expect(service.uploads[0]?.bytes).toBe(body.length);
});

test("the part that counts is the first, whatever the body's type says of it", async () => {
  const second = ["Content-Type: image/png\r\nContent-ID: <b>", PHOTO[1]] as const;
  const body = multipart(["Content-Type: application/json\r\nContent-ID: <a>", USER], second);
  expect(await post(body, `${TYPE}; start="<a>"`)).toMatchObject({ status: 200 });
  expect(await post(body, `${TYPE}; start="<b>"`)).toMatchObject({ reason: "body_not_multipart" });
});

test("a part that does not fit ends the upload, and the service has seen none of it", async () => {
  const answer = await post(multipart(META, ["Content-Type: image/png", "<?php system($_GET[0]);"]));
  expect(answer).toMatchObject({ status: 422, reason: "file_content_mismatch" });
  expect(service.uploads.some(({ body }) => body.includes("php"))).toBe(false);
  expect(service.uploads.some(({ ended }) => ended)).toBe(false);
});
