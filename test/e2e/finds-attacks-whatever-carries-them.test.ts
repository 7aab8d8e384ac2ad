// Goal: an attack is found whatever carries it: HTTP/2, trailers, parts of answers, streams that are cut, a body that is under way while
// the rules change; and where nothing looks, as into messages of a WebSocket, `check` says so. Method: the real process over TLS with
// the rules as Debian ships them, before services over HTTP/1.1 and HTTP/2 that note all that arrives.
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { askH2 } from "../fixtures/h2-client.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import {
  eventually,
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { frame, handshake, type RawWebSocketService, startRawWebSocketService } from "../fixtures/web-socket.ts";

const SQL = "1' UNION SELECT password FROM users-- ";
const LEAK = "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version";

let sockets: RawWebSocketService;
let calls: { port: number };
const policy =
  (detect: string) =>
  ({ port, admin, app }: PolicyPorts): string =>
    `
version: 1
service: shop
listeners:
  - name: inbound
    address: '127.0.0.1:${port}'
    protocols: [h2, http/1.1]
    tls: { certificate: server.pem, key: server.key }
    upstream: app
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
  calls: { address: 'h2c://127.0.0.1:${calls.port}' }
  live: { address: 'http://127.0.0.1:${sockets.port}' }
admin: { address: '127.0.0.1:${admin}' }
detectors:
  crs:
    rules: [/etc/modsecurity/crs/crs-setup.conf, /usr/share/modsecurity-crs/rules]
    answers: bodies
    variables:
      allowed_methods: GET HEAD POST
      allowed_request_content_type: '|application/json| |application/x-www-form-urlencoded| |multipart/form-data| |application/octet-stream| |application/grpc|'
defaults: { detect: ${detect} }
routes:
  - { path: '/**', methods: [GET, POST], public: true }
  - { path: '/users/{id}', methods: [GET], public: true }
  - { path: '/typed/{id}', methods: [GET], public: true, validate: { path: { id: { type: string, pattern: '^[a-z0-9-]+$' } } } }
  - { path: '/calls/**', methods: [GET, POST], public: true, upstream: calls }
  - { path: '/open/calls', methods: [POST], public: true, upstream: calls, detect: [] }
  - { path: '/live', methods: [GET], public: true, upstream: live, websocket: true }
`;

interface Call {
  readonly path: string;
  body: string;
  trailers: IncomingHttpHeaders | null;
}

const arrivedCalls: Call[] = [];
function serveCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const call: Call = { path: String(headers[":path"]), body: "", trailers: null };
  arrivedCalls.push(call);
  stream.on("data", (chunk: Buffer) => {
    call.body += chunk.toString("latin1");
  });
  stream.on("trailers", (trailers) => {
    call.trailers = trailers;
  });
  stream.on("end", () => {
    if (stream.destroyed) return;
    const isGrpc = headers["content-type"] === "application/grpc";
    stream.respond(
      { ":status": 200, "content-type": isGrpc ? "application/grpc" : "text/plain" },
      { waitForTrailers: true },
    );
    const told = call.path.includes("broken") ? LEAK.replaceAll(" ", "%20") : "fine";
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "13", "grpc-message": told }));
    stream.end(isGrpc ? Buffer.alloc(5) : "fine");
  });
}

let service: Service;
let postern: Postern;
beforeAll(async () => {
  sockets = await startRawWebSocketService();
  calls = await startH2Service(serveCall);
  service = await startService((request, response) => {
    if (request.url === "/part") {
      response.writeHead(206, { "Content-Type": "text/html", "Content-Range": "bytes 0-99/200" });
      response.end("all is well");
      return true;
    }
    if (request.url === "/cut" || request.url === "/events/cut") {
      const type = request.url === "/cut" ? "text/html" : "text/event-stream";
      response.writeHead(200, { "Content-Type": type });
      response.write(`data: fine\n\ndata: ${LEAK}\n`, () => response.destroy());
      return true;
    }
    return false;
  });
  postern = await startPostern(service.port, policy("[crs]"));
});
afterAll(closeAll);
beforeEach(() => {
  service.arrived.length = 0;
  arrivedCalls.length = 0;
});

const USUAL = { "user-agent": "Mozilla/5.0", accept: "*/*" };
const lines = (more: Record<string, string>): string =>
  Object.entries({ Host: "localhost", ...USUAL, ...more })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");

test("HTTP/2: in the path, the query, a header, cookies in crumbs and a body", async () => {
  const session = postern.h2();
  const ask = async (headers: Record<string, string | string[]>, body?: string): Promise<number> => {
    const method = body === undefined ? "GET" : "POST";
    return (await askH2(session, { ":method": method, ":path": "/items", ...USUAL, ...headers }, body)).status;
  };
  const escaped = encodeURIComponent(SQL);
  expect(await ask({ ":path": `/items?q=${escaped}` })).toBe(403);
  expect(await ask({ ":path": `/users/${escaped}` })).toBe(403);
  expect(await ask({ referer: "http://x/?q=<script>alert(document.cookie)</script>" })).toBe(403);
  expect(await ask({ cookie: ["a=1", `b=${escaped}`] })).toBe(403);
  expect(await ask({ "content-type": "application/json" }, JSON.stringify({ note: SQL }))).toBe(403);
  expect(await ask({ "content-type": "application/x-www-form-urlencoded" }, `note=${escaped}`)).toBe(403);
  const part = `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${SQL}\r\n--b--\r\n`;
  expect(await ask({ "content-type": "multipart/form-data; boundary=b" }, part)).toBe(403);
  expect(service.arrived).toEqual([]);
  expect(await ask({ cookie: ["a=1", "b=2"], ":path": "/items?q=shoes" })).toBe(200);
});

test("JSON that a page sends as a Blob is a field, and a file stays one", async () => {
  const session = postern.h2();
  const send = async (value: Blob | File): Promise<number> => {
    const form = new FormData();
    form.append("order", value);
    const { headers, body } = await formOf(form);
    return (await askH2(session, { ":method": "POST", ":path": "/items", ...USUAL, ...headers }, body)).status;
  };
  const json = (note: string): Blob => new Blob([JSON.stringify({ note })], { type: "application/json" });
  expect(await send(json(SQL))).toBe(403);
  expect(await send(json("\u0000' or 1=1-- "))).toBe(403);
  expect(service.arrived).toEqual([]);
  expect(await send(json("two loaves of bread"))).toBe(200);
  expect(await send(new File([SQL], "queries.txt", { type: "text/plain" }))).toBe(200);
});

/** As a page sends it. */
async function formOf(form: FormData): Promise<{ headers: Record<string, string>; body: string }> {
  const request = new Request("http://localhost", { method: "POST", body: form });
  return { headers: { "content-type": request.headers.get("content-type") ?? "" }, body: await request.text() };
}

test("a parameter of the path, and one that the contract closes passes", async () => {
  const session = postern.h2();
  const get = async (path: string): Promise<number> =>
    (await askH2(session, { ":method": "GET", ":path": path, ...USUAL })).status;
  expect(await get(`/users/${encodeURIComponent("1' OR '1'='1")}`)).toBe(403);
  expect(await get("/users/maeve-o'brien")).toBe(200);
  expect(await get("/typed/0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1")).toBe(200);
  expect(await get(`/typed/${encodeURIComponent("1' OR '1'='1")}`)).toBe(422);
});

test("trailers of a request reach no service behind a detector", async () => {
  const client = await postern.raw();
  const send = async (path: string, type: string): Promise<void> => {
    const before = arrivedCalls.length;
    const head = lines({ "Content-Type": type, "Transfer-Encoding": "chunked", Trailer: "X-Note" });
    client.write(`POST ${path} HTTP/1.1\r\n${head}\r\n5\r\nhello\r\n0\r\nX-Note: ${SQL}\r\n\r\n`);
    await eventually(
      () => Promise.resolve(arrivedCalls.length),
      (count) => count > before,
    );
    await client.untilReceived("fine");
    client.received = "";
  };
  await send("/open/calls", "application/octet-stream");
  expect(arrivedCalls[0]?.trailers?.["x-note"]).toBe(SQL.trim());
  await send("/calls/upload", "application/octet-stream");
  expect(arrivedCalls[1]).toMatchObject({ body: "hello", trailers: null });
  client.destroy();
});

test("trailers of an answer are searched, those of calls of gRPC too", async () => {
  const session = postern.h2();
  const call = async (path: string, type: string) => {
    const answer = await askH2(
      session,
      { ":method": "POST", ":path": path, "content-type": type, te: "trailers", ...USUAL },
      "hello",
    );
    return `${answer.status} ${answer.resetCode} ${JSON.stringify(answer.headers)} ${answer.body}`;
  };
  expect(await call("/calls/fine", "application/octet-stream")).toMatch(/^200 0 .*fine$/);
  expect(await call("/calls/broken", "application/octet-stream")).toMatch(/^502 /);
  expect(await call("/calls/fine", "application/grpc")).toMatch(/^200 0 /);
  expect(await call("/calls/broken", "application/grpc")).not.toContain("SQL%20syntax");
  await postern.logged((line) => line["reason"] === "response_attack_detected" && line["path"] === "/calls/broken");
});

test("a part of an answer that nobody asked for does not leave, and an answer that is cut tells nothing of its fault", async () => {
  const session = postern.h2();
  const get = (path: string) => askH2(session, { ":method": "GET", ":path": path, range: "bytes=0-99", ...USUAL });
  expect((await get("/part")).status).toBe(502);
  expect(service.arrived[0]?.headers["range"]).toBeUndefined();
  expect((await get("/cut")).body).not.toContain("SQL syntax");
  const events = await get("/events/cut");
  expect(events.body).not.toContain("SQL syntax");
  expect(events.body).toContain("data: fine");
});

test("a body that is cut before its end reaches nobody with the attack in it", async () => {
  for (const [type, body] of [
    ["application/json", JSON.stringify({ note: SQL })],
    ["application/x-www-form-urlencoded", `note=${encodeURIComponent(SQL)}`],
  ] as const) {
    const client = await postern.raw();
    const head = lines({ "Content-Type": type, "Transfer-Encoding": "chunked" });
    client.write(`POST /items HTTP/1.1\r\n${head}\r\n${body.length.toString(16)}\r\n${body}\r\n`);
    client.end();
    await client.untilClosed();
  }
  expect(service.arrived).toEqual([]);
});

test("a field of a form is judged before the file behind it goes on, and a form without fault streams", async () => {
  const begin = async (field: string, path: string) => {
    const client = await postern.raw();
    const head = lines({ "Content-Type": "multipart/form-data; boundary=b", "Content-Length": "1000000" });
    const file = `--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n${"x".repeat(70_000)}`;
    client.write(
      `POST ${path} HTTP/1.1\r\n${head}\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${field}\r\n${file}`,
    );
    return client;
  };
  const attack = await begin(SQL, "/calls/attack");
  expect(await attack.untilReceived("attack_detected")).toMatch(/^HTTP\/1.1 403 /);
  attack.destroy();
  const honest = await begin("a note", "/calls/honest");
  await eventually(
    () => Promise.resolve(arrivedCalls.find(({ path }) => path === "/calls/honest")?.body.length ?? 0),
    (length) => length > 60_000,
  );
  honest.destroy();
  expect(arrivedCalls.find(({ path }) => path === "/calls/attack")?.body ?? "").not.toContain("UNION");
});

test("a body under way is judged by the rules that its request began with", async () => {
  const body = `note=${encodeURIComponent(SQL)}`;
  const begun = async () => {
    const client = await postern.raw();
    const head = lines({ "Content-Type": "application/x-www-form-urlencoded", "Content-Length": `${body.length}` });
    client.write(`POST /items HTTP/1.1\r\n${head}\r\n${body.slice(0, 10)}`);
    return client;
  };
  const reloaded = async (detect: string, times: number): Promise<void> => {
    postern.write("policy.yaml", policy(detect)(postern));
    await eventually(
      () => Promise.resolve(postern.log.filter((line) => line["event"] === "reload" && line["result"] === "ok").length),
      (count) => count >= times,
    );
  };
  const under = await begun();
  // The head is there once a request behind it on its own connection is answered.
  await askH2(postern.h2(), { ":method": "GET", ":path": "/items", ...USUAL });
  await reloaded("[]", 1);
  under.write(body.slice(10));
  expect(await under.untilReceived("attack_detected")).toMatch(/^HTTP\/1.1 403 /);
  under.destroy();
  const free = await begun();
  free.write(body.slice(10));
  expect(await free.untilReceived("\r\n\r\n")).toMatch(/^HTTP\/1.1 200 /);
  free.destroy();
  await reloaded("[crs]", 2);
  const again = await begun();
  again.write(body.slice(10));
  expect(await again.untilReceived("attack_detected")).toMatch(/^HTTP\/1.1 403 /);
  again.destroy();
});

test("the handshake of a WebSocket is searched, its messages are not, and check says so", async () => {
  const refused = await postern.raw();
  refused.write(handshake(`/live?q=${encodeURIComponent(SQL)}`, { Host: "localhost", ...USUAL }));
  expect(await refused.untilReceived("\r\n\r\n")).toMatch(/^HTTP\/1.1 403 /);
  refused.destroy();
  expect(sockets.sockets).toEqual([]);
  const open = await postern.raw();
  open.write(handshake("/live", { Host: "localhost", ...USUAL }));
  expect(await open.untilReceived("\r\n\r\n")).toMatch(/^HTTP\/1.1 101 /);
  open.write(frame(SQL, true, 0x81));
  await eventually(
    () => Promise.resolve(sockets.received[0] ?? ""),
    (text) => text.includes(SQL),
  );
  open.destroy();
  let out = "";
  const io = {
    stdout: (text: string) => {
      out += text;
    },
    stderr: () => {},
    cwd: postern.folder,
    clock: systemClock,
  };
  await main(["check", "policy.yaml"], io);
  expect(out).toContain("'detect' searches the handshake of a WebSocket, and none of its messages");
});
