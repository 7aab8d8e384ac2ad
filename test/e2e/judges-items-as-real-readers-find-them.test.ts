// Goal: what Python, Node and Go find in a stream of items is what was judged, and honest streams are the same to all of them.
// Method: each body goes to the readers as it is sent, then through postern, and what arrives there goes to them again.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { environment, isThere, PYTHON, runProgram } from "../fixtures/program.ts";
import { closeAll } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: users
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - { path: /users, methods: [POST], public: true, validate: { body: { itemSchema: user.json } } }
  - { path: /events, methods: [POST], public: true, validate: { contentType: [text/event-stream], body: { itemSchema: event.json } } }
`;
const files = {
  "user.json": '{"type":"object","required":["role"],"properties":{"role":{"enum":["user"]},"name":{"type":"string"}}}',
  "event.json": '{"properties":{"data":{"pattern":"^\\\\{\\"role\\":\\\\s*\\"user\\"\\\\}$"}},"required":["data"]}',
};

const READERS = resolve(import.meta.dirname, "../fixtures/line-readers");
const readers = new Map<string, (body: string) => Promise<string>>();
let service: Service;
let postern: Postern;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "postern-readers-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  readers.set("node readline", (body) => runProgram([process.execPath, join(READERS, "lines.mjs")], body));
  if (isThere(PYTHON))
    for (const way of ["bytes", "text", "splitlines", "sequence", "events"])
      readers.set(`python ${way}`, (body) => runProgram([PYTHON, join(READERS, "lines.py"), way], body));
  if (isThere("go")) {
    const program = join(folder, "lines");
    const env = { ...environment(), GO111MODULE: "off", CGO_ENABLED: "0" };
    execFileSync("go", ["build", "-o", program, join(READERS, "lines.go")], { env });
    for (const way of ["scanner", "decoder"]) readers.set(`go ${way}`, (body) => runProgram([program, way], body));
  }
  service = await startService();
  postern = await startPostern(service.port, policy, files);
}, 60_000);
afterAll(closeAll);

async function found(reader: string, body: string): Promise<readonly string[]> {
  return JSON.parse((await readers.get(reader)?.(body)) ?? "[]") as readonly string[];
}

async function post(body: string, type: string): Promise<{ status: number; reason?: string }> {
  service.arrived.length = 0;
  const path = type === EVENTS ? "events" : "users";
  const headers = { "content-type": type };
  const response = await fetch(`http://127.0.0.1:${postern.port}/${path}`, { method: "POST", headers, body });
  return { status: response.status, ...((await response.json()) as object) };
}

const LINES = "application/x-ndjson";
const SEQUENCE = "application/json-seq";
const EVENTS = "text/event-stream";
const USER = '{"role":"user"}';
const ADMIN = '{"role":"admin"}';

test.for<[reader: string, type: string, body: string]>([
  ["node readline", LINES, `${USER}\r${ADMIN}\n`],
  ["node readline", LINES, `{"role":"user","a":[\r${ADMIN}\r]}\n`],
  ["node readline", LINES, `${USER}\u2028${ADMIN}\n`],
  ["python text", LINES, `${USER}\r${ADMIN}\n`],
  ["python splitlines", LINES, `{"role":"user","a":[\r${ADMIN}\r]}\n`],
  ["python splitlines", LINES, `${USER}\u0085${ADMIN}\n`],
  ["python splitlines", LINES, `${USER}\f${ADMIN}\n`],
  ["python splitlines", LINES, `${USER}\u001e${ADMIN}\n`],
  ["python bytes", LINES, `\ufeff${ADMIN}\n`],
  ["python bytes", LINES, `${USER}\n${ADMIN}`],
  ["python bytes", LINES, '{"role":"user","role":"admin"}\n'],
  ["go decoder", LINES, `${USER} ${ADMIN}\n`],
  ["go decoder", LINES, '{"role":\n"admin"}\n'],
  ["go scanner", LINES, '{"role":"user","ROLE":"admin"}\n'],
  ["python sequence", SEQUENCE, `${ADMIN}\n\u001e${USER}\n`],
  ["python sequence", SEQUENCE, `\u001e${USER}\n\u001e${ADMIN}`],
  ["go decoder", SEQUENCE, `${USER}${ADMIN}`],
  ["python events", EVENTS, `data: ${USER}\u2028\n\ndata: ${ADMIN}\n\n`],
  ["python events", EVENTS, `data: ${USER}\n\ndata: {"role":\u2028data: "admin"}\n\n`],
  ["python events", EVENTS, `data: {"role":\ndata: "admin"}\n\n`],
  ["python events", EVENTS, `data: ${USER}\n\ndata: ${ADMIN}`],
])("%s finds an admin in %s %j, and not behind postern", async ([reader, type, body], { skip }) => {
  skip(!readers.has(reader), `${reader} is not here`);
  expect(await found(reader, body)).toContain("admin");
  expect((await post(body, type)).status).toBeGreaterThanOrEqual(400);
  expect(service.arrived).toEqual([]);
});

test.for<[type: string, body: string, count: number, readers: RegExp]>([
  [LINES, `${USER}\n${USER}\n`, 2, /readline|bytes|text|splitlines|go/],
  [LINES, `${USER}\r\n${USER}\r\n${USER}`, 3, /readline|bytes|text|splitlines|go/],
  [LINES, `\n${USER}\n\n${USER}\n\n`, 2, /readline|bytes|text|splitlines|go/],
  [LINES, '{"role":"user","name":"\u00e9\u4e16"}\n', 1, /readline|bytes|text|splitlines|go/],
  [LINES, '{"role":"user","name":"a\u2028b"}\n', 1, /bytes|text|go/],
  [SEQUENCE, `\u001e${USER}\n\u001e{\n  "role": "user"\n}\n`, 2, /sequence/],
  [EVENTS, `: hello\n\ndata: ${USER}\n\ndata: {"role":\ndata: "user"}\n\n`, 2, /events/],
])("%s %j is the same to all", async ([type, body, count, which]) => {
  expect(await post(body, type)).toMatchObject({ status: 200 });
  const arrived = Buffer.from(service.arrived[0]?.body ?? "", "latin1").toString("utf8");
  expect(arrived).toBe(body);
  for (const reader of readers.keys())
    if (which.test(reader)) expect(await found(reader, arrived), reader).toEqual(Array(count).fill("user"));
});
