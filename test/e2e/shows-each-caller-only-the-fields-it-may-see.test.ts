// Goal: of what real services answer, each caller gets the fields that it may see, however the answer is sent.
// Method: node:http, Python and nginx behind postern, asked over HTTP/1.1 and HTTP/2 by a clerk and by an auditor.
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { get, request } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { writeNginxConf } from "../fixtures/nginx.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { PYTHON, startProgram } from "../fixtures/program.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";

const KEYS = { clerk: "pk_of_the_clerk_of_tests_0001", auditor: "pk_of_the_auditor_of_tests_0002" };
const ORDER = JSON.stringify({ id: 7, ssn: "078-05-1120", card: { number: "4111111111111111" }, note: "none" });
const SEEN = JSON.stringify({ id: 7, card: { number: "****1111" }, note: "none" });
const ITEM = JSON.stringify({ id: 7, ssn: "078-05-1120", text: "x".repeat(960) });
const LEAKY_ITEM = JSON.stringify({ id: 7, ssn: "078-05-1120", pan: "4111 1111 1111 1111", text: "x".repeat(960) });
const BIG_BYTES = 96 * 1024 * 1024;

let [python, nginx, h2Port] = [0, 0, 0];
const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
  - { name: h2, address: '127.0.0.1:${h2Port}', protocols: [h2c], upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
  python: { address: 'http://127.0.0.1:${python}' }
  nginx: { address: 'http://127.0.0.1:${nginx}' }
authenticators:
  keys: { type: api-key, header: X-Key, keys: keys.yaml }
defaults:
  authenticate: [keys]
  response:
    fields: { remove: ['$..ssn'], unless: { scopes: ['orders:audit'] } }
    mask: { '$.card.number': { with: last4, unless: { scopes: ['orders:audit'] } } }
routes:
  - { path: /python/**, upstream: python }
  - { path: /nginx/identity/**, upstream: nginx }
  - { path: /nginx/inflate/**, upstream: nginx, response: { contentEncoding: inflate } }
  - { path: /pass/**, response: { unreadable: pass } }
  - { path: /leaky/**, response: { leaks: { cards: mask, emails: observe, privateKeys: block } } }
  - { path: /allowed, response: { fields: { allow: ['$.id', '$.card'] }, maxItems: 3 } }
  - { path: /** }
`;

const PYTHON_SERVICE = `
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[2].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for byte in body: self.wfile.write(b"1\\r\\n" + bytes([byte]) + b"\\r\\n")
        self.wfile.write(b"0\\r\\n\\r\\n")
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
`;

const CODED: Readonly<Record<string, readonly [coding: string, body: Buffer]>> = {
  "/gzip": ["gzip", gzipSync(ORDER)],
  "/pass/twice": ["gzip, gzip", gzipSync(gzipSync(ORDER))],
  "/deflate": ["deflate", deflateSync(ORDER)],
  "/br": ["br", brotliCompressSync(ORDER)],
  "/zstd": ["zstd", zstdCompressSync(ORDER)],
  "/twice": ["gzip, gzip", gzipSync(gzipSync(ORDER))],
  "/bomb": ["gzip", gzipSync(`{"a":"${"x".repeat(32 * 1024 * 1024)}"}`)],
};

/** Answers that are under way, to be written on. */
const open: ServerResponse[] = [];

function answer({ url = "", headers }: IncomingMessage, response: ServerResponse): boolean {
  const [coding, coded] = CODED[url] ?? [];
  const type =
    url === "/events"
      ? "text/event-stream"
      : url === "/ndjson" || url === "/big"
        ? "application/x-ndjson"
        : "application/json";
  response.setHeader("Content-Type", type);
  response.setHeader("ETag", '"v1"');
  if (coding !== undefined) response.setHeader("Content-Encoding", coding);
  if (headers["if-none-match"] !== undefined) response.writeHead(304).end();
  else if (coded !== undefined) response.end(coded);
  else if (url === "/chunked")
    for (const piece of [ORDER.slice(0, 11), ORDER.slice(11), null])
      piece === null ? response.end() : response.write(piece);
  else if (url === "/events" || url === "/ndjson") open.push(response.writeHead(200));
  else if (url === "/big") writeBig(response, ITEM);
  else if (url === "/leaky/big") writeBig(response, LEAKY_ITEM);
  else if (url === "/trailers") {
    response.setHeader("Trailer", "X-Ssn");
    response.write(ORDER);
    response.addTrailers({ "X-Ssn": "078-05-1120" });
    response.end();
  } else response.setHeader("Content-Length", Buffer.byteLength(ORDER)).end(ORDER);
  return true;
}

function writeBig(response: ServerResponse, item: string): void {
  const piece = Buffer.from(`${item}\n`.repeat(64));
  let sent = 0;
  const more = (): void => {
    for (; sent < BIG_BYTES; ) {
      sent += piece.length;
      if (!response.write(piece)) return;
    }
    response.end();
  };
  response.on("drain", more);
  more();
}

let service: Service;
let postern: Postern;
let session: ClientHttp2Session;
beforeAll(async () => {
  [python, nginx, h2Port] = [await freePort(), await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), "postern-fields-"));
  chmodSync(folder, 0o755);
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "order.json"), ORDER);
  const conf = writeNginxConf(
    folder,
    `listen 127.0.0.1:${nginx};
default_type application/json;
gzip on;
gzip_types application/json;
gzip_min_length 1;
location / { root ${folder}; rewrite ^ /order.json break; }`,
  );
  const isUp = (port: number) => (): Promise<boolean> =>
    new Promise((done) => {
      get({ host: "127.0.0.1", port, agent: false }, (response) => done(response.resume().statusCode === 200)).on(
        "error",
        () => done(false),
      );
    });
  await startProgram(["nginx", "-p", folder, "-c", conf], isUp(nginx));
  await startProgram([PYTHON, "-c", PYTHON_SERVICE, String(python), ORDER], isUp(python));
  service = await startService(answer);
  const sha = (key: string): string => createHash("sha256").update(key).digest("hex");
  const keys = `callers:
  - { name: clerk, scopes: [orders:read], keys: [{ sha256: ${sha(KEYS.clerk)} }] }
  - { name: auditor, scopes: [orders:audit], keys: [{ sha256: ${sha(KEYS.auditor)} }] }
`;
  postern = await startPostern(service.port, policy, { "keys.yaml": keys });
  session = openH2(h2Port);
});
afterAll(closeAll);

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

function ask(
  path: string,
  caller: keyof typeof KEYS,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const all = { "x-key": KEYS[caller], "accept-encoding": "gzip", te: "trailers", ...headers };
    const sent = request({ host: "127.0.0.1", port: postern.port, path, method, headers: all }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
          trailers: response.trailers,
        }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

test.each([
  "/plain",
  "/chunked",
  "/gzip",
  "/deflate",
  "/br",
  "/zstd",
  "/python/order",
  "/nginx/identity/order",
  "/nginx/inflate/order",
])("%s shows the clerk what a clerk may see, over HTTP/1.1 and HTTP/2", async (path) => {
  const { status, headers, body } = await ask(path, "clerk");
  expect([status, body]).toEqual([200, SEEN]);
  expect(headers).not.toHaveProperty("content-encoding");
  const h2 = await askH2(session, { ":path": path, "x-key": KEYS.clerk, "accept-encoding": "gzip" });
  expect([h2.status, h2.body]).toEqual([200, SEEN]);
});

test.each(["/plain", "/chunked", "/python/order", "/nginx/identity/order"])(
  "%s shows the auditor every byte as the service sent it",
  async (path) => {
    const { body } = await ask(path, "auditor");
    expect(body).toBe(ORDER);
    const h2 = await askH2(session, { ":path": path, "x-key": KEYS.auditor });
    expect(h2.body).toBe(ORDER);
  },
);

test("nginx compresses where it may, and is not asked to where nothing else is said", async () => {
  const { headers } = await ask("/nginx/inflate/order", "auditor");
  expect(headers["content-encoding"]).toBe("gzip");
  const { headers: identity } = await ask("/nginx/identity/order", "auditor");
  expect(identity).not.toHaveProperty("content-encoding");
});

test("a list of fields shows those alone, and trailers that carry others do not leave", async () => {
  expect((await ask("/allowed", "auditor")).body).toBe('{"id":7,"card":{"number":"4111111111111111"}}');
  const { body, trailers } = await ask("/trailers", "clerk");
  expect([body, trailers]).toEqual([SEEN, {}]);
  expect((await ask("/trailers", "auditor")).trailers).toEqual({ "x-ssn": "078-05-1120" });
});

test("what cannot be looked into is refused for whom something is hidden", async () => {
  expect(await ask("/twice", "clerk")).toMatchObject({
    status: 502,
    body: expect.stringContaining("response_unreadable"),
  });
  expect(await ask("/twice", "auditor")).toMatchObject({ status: 200, headers: { "content-encoding": "gzip, gzip" } });
  await expect(
    ask("/bomb", "clerk").then(({ status }) => status === 502 || Promise.reject(new Error("through"))),
  ).rejects.toThrow();
  expect(await postern.logged(({ reason }) => reason === "response_unreadable")).toBeDefined();
});

test("what passes without a look into it is told, as is what was taken off", async () => {
  expect(await ask("/pass/twice", "clerk")).toMatchObject({
    status: 200,
    headers: { "content-encoding": "gzip, gzip" },
  });
  const unread = await postern.logged(({ path, answer }) => path === "/pass/twice" && answer !== undefined);
  expect(unread["answer"]).toEqual({ unread: 1 });
  await ask("/plain", "clerk");
  const changed = await postern.logged(({ path, answer }) => path === "/plain" && answer !== undefined);
  expect(changed["answer"]).toEqual({ removed: 1, masked: 1, fields: ["ssn", "number"] });
});

test("a part, HEAD and 304 say nothing of bytes that others have", async () => {
  const { status, body } = await ask("/nginx/identity/order", "clerk", { range: "bytes=0-9" });
  expect([status, body]).toEqual([200, SEEN]);
  const head = await ask("/plain", "clerk", {}, "HEAD");
  expect([head.status, head.headers["content-length"], head.headers["etag"]]).toEqual([200, undefined, 'W/"v1"']);
  const fresh = await ask("/plain", "clerk", { "if-none-match": 'W/"v1"' });
  expect([fresh.status, fresh.headers["etag"]]).toEqual([304, 'W/"v1"']);
});

test.each([
  ["/ndjson", '{"id":1,"ssn":"a"}\n', '{"id":2,"ssn":"b"}\n', '{"id":1}\n', '{"id":2}\n'],
  [
    "/events",
    'data: {"id":1,"ssn":"a"}\n\n',
    'id: 2\ndata: {"id":2,"ssn":"b"}\n\n',
    'data: {"id":1}\n\n',
    'id: 2\ndata: {"id":2}\n\n',
  ],
])("%s leaves item by item, each as it comes", async (path, first, second, seenFirst, seenSecond) => {
  let text = "";
  const sent = get({ host: "127.0.0.1", port: postern.port, path, headers: { "x-key": KEYS.clerk } }, (response) => {
    response.on("data", (chunk: Buffer) => {
      text += chunk;
    });
  });
  const service = await eventually(() => open.pop());
  service.write(first);
  await eventually(() => text === seenFirst);
  service.end(second);
  await eventually(() => text === seenFirst + seenSecond);
  sent.destroy();
});

const residentBytes = (): number => {
  const status = readFileSync(`/proc/${postern.process.pid}/status`, "utf8");
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
};

test.each([
  ["/big", ITEM, ITEM.replace('"ssn":"078-05-1120",', "")],
  [
    "/leaky/big",
    LEAKY_ITEM,
    LEAKY_ITEM.replace('"ssn":"078-05-1120",', "").replace("4111 1111 1111 1111", "[card-visa]"),
  ],
])("a download of any size stays flat in memory, and has nothing of what is hidden: %s", async (path, item, seen) => {
  const download = (): Promise<{ bytes: number; items: number; most: number }> =>
    new Promise((resolve, reject) => {
      let [bytes, items, most] = [0, 0, 0];
      const headers = { "x-key": KEYS.clerk };
      get({ host: "127.0.0.1", port: postern.port, path, headers }, (response) => {
        response.on("data", (chunk: Buffer) => {
          if (chunk.includes("ssn") || chunk.includes("1111")) reject(new Error("what is hidden leaves"));
          bytes += chunk.length;
          for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) items++;
          most = Math.max(most, residentBytes());
        });
        response.on("error", reject);
        response.on("end", () => resolve({ bytes, items, most }));
      }).on("error", reject);
    });
  await download(); // what the process needs once
  const before = residentBytes();
  const { bytes, items, most } = await download();
  expect(items).toBe(Math.ceil(BIG_BYTES / (64 * (item.length + 1))) * 64);
  expect(bytes).toBe(items * (seen.length + 1));
  expect(most - before).toBeLessThan(72 * 1024 * 1024);
});
