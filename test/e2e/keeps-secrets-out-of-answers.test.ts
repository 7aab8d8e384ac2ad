// Goal: what must not be seen does not leave the service, in whatever way it sends it; the log and the figures say where it stood
// and never what it was. Method: a real process before a service that sends a card and a key whole, byte by byte, compressed, as
// events, in headers and in trailers, to clients of HTTP/1.1 and HTTP/2.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { SAMPLES } from "../leaks/samples.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', protocols: [h2c, http/1.1], upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
admin: { address: '127.0.0.1:${admin}' }
defaults: { response: { leaks: { cards: mask, vendorKeys: block, emails: observe } } }
routes:
  - { path: '/judged/**', public: true }
  - { path: '/audited/**', public: true, response: { leaks: { cards: mask, vendorKeys: block, mode: audit } } }
  - { path: '/free/**', public: true, response: { leaks: { emails: observe, allow: ['$..mail'] } } }
`;

const CARD = "4111111111111111";
const KEY = SAMPLES.find(({ kind }) => kind === "github-token")?.text ?? "";
const BODY = JSON.stringify({
  items: [{ note: "paid with 4111 1111 1111 1111" }, { pan: Number(CARD) }],
  mail: "jane@example.org",
});
const MASKED = '{"items":[{"note":"paid with [card-visa]"},{"pan":0}],"mail":"jane@example.org"}';

/** Sends the body as the address says. */
function answer(request: IncomingMessage, response: ServerResponse): boolean {
  const way = request.url?.split("/").at(-1);
  const json = { "content-type": "application/json" };
  const body = Buffer.from(BODY);
  if (way === "plain") response.writeHead(200, { ...json, etag: '"v1"', "content-length": body.length }).end(body);
  else if (way === "gzip") response.writeHead(200, { ...json, "content-encoding": "gzip" }).end(gzipSync(body));
  else if (way === "br") response.writeHead(200, { ...json, "content-encoding": "br" }).end(brotliCompressSync(body));
  else if (way === "zstd") response.writeHead(200, { ...json, "content-encoding": "zstd" }).end(zstdCompressSync(body));
  else if (way === "key") response.writeHead(200, json).end(JSON.stringify({ config: { token: KEY } }));
  else if (way === "header") response.writeHead(200, { ...json, "x-pan": CARD, "set-cookie": `sid=${CARD}` }).end("{}");
  else if (way === "trailer") {
    response.writeHead(200, { "transfer-encoding": "chunked", trailer: "x-pan" });
    response.write("x");
    response.addTrailers({ "x-pan": CARD });
    response.end();
  } else if (way === "events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: {"pan":\ndata: "${CARD}"}\n\n`);
    response.end("data: [DONE]\n\n");
  } else if (way === "bytes") {
    response.writeHead(200, json);
    sendByteByByte(response, body);
  } else return false;
  return true;
}

/** Each byte is a chunk of its own, and mostly a read of its own. */
function sendByteByByte(response: ServerResponse, body: Buffer, at = 0): void {
  if (at === body.length) response.end();
  else response.write(body.subarray(at, at + 1), () => setImmediate(() => sendByteByByte(response, body, at + 1)));
}

let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService(answer);
  postern = await startPostern(service.port, policy);
});
afterAll(closeAll);

const get = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${postern.port}${path}`, init);

describe("a card leaves in no answer", () => {
  for (const way of ["plain", "bytes", "gzip", "br", "zstd"]) {
    test(`sent ${way}, over HTTP/1.1 and HTTP/2`, async () => {
      const answered = await get(`/judged/${way}`);
      expect(answered.headers.get("content-encoding")).toBeNull();
      expect(await answered.text()).toBe(MASKED);
      const { status, body } = await askH2(openH2(postern.port), { ":path": `/judged/${way}` });
      expect([status, body]).toEqual([200, MASKED]);
    });
  }

  test("what is said of the bytes fits those that leave", async () => {
    const answered = await get("/judged/plain");
    expect(answered.headers.get("etag")).toBe('W/"v1"');
    expect(Number(answered.headers.get("content-length") ?? MASKED.length)).toBe(MASKED.length);
  });

  test("as events, each when it is whole", async () => {
    expect(await (await get("/judged/events")).text()).toBe('data: {"pan":\ndata: "[card-visa]"}\n\ndata: [DONE]\n\n');
  });

  test("in headers and trailers; a session's cookie is its client's own", async () => {
    const { headers } = await get("/judged/header");
    expect([headers.get("x-pan"), headers.get("set-cookie")]).toEqual(["[card-visa]", `sid=${CARD}`]);
    const trailers = await new Promise<NodeJS.Dict<string>>((resolve, reject) => {
      const options = { port: postern.port, path: "/judged/trailer", headers: { te: "trailers" } };
      const request = httpRequest(options, (response) => {
        response.resume();
        response.on("end", () => resolve(response.trailers));
      });
      request.on("error", reject).end();
    });
    expect(trailers).toEqual({ "x-pan": "[card-visa]" });
  });
});

test("a key refuses the answer; the log names kind and field, the metric counts, and neither has the value", async () => {
  const answered = await get("/judged/key");
  expect(answered.status).toBe(502);
  const { reason, id } = (await answered.json()) as { reason: string; id: string };
  expect(reason).toBe("response_leak");
  const line = await postern.logged((one) => one["id"] === id);
  expect(line).toMatchObject({
    reason: "response_leak",
    seen: "github-token in /config/token",
    leaks: [{ in: "response", kind: "github-token", action: "block", field: "/config/token" }],
  });
  const { body } = await postern.admins("/metrics");
  expect(body).toContain('postern_leaks_total{route="/judged/**",in="response",kind="github-token",action="block"} 1');
  expect(body).toMatch(/postern_leaks_total\{route="\/judged\/\*\*",in="response",kind="email",action="observe"\} \d+/);
  for (const secret of [KEY, CARD, "jane@example.org"]) expect(postern.output() + body).not.toContain(secret);
});

test("what is audited leaves as it came, and is noted", async () => {
  const answered = await get("/audited/plain");
  expect(answered.headers.get("etag")).toBe('"v1"');
  expect(await answered.text()).toBe(BODY);
  const line = await postern.logged((one) => one["path"] === "/audited/plain");
  expect(line).toMatchObject({
    status: 200,
    audited: [{ reason: "response_leak", seen: "card-visa in /items/0/note" }],
  });
  expect((await get("/audited/key")).status).toBe(200);
});

test("a field that may have it is not even noted", async () => {
  expect(await (await get("/free/plain")).text()).toBe(BODY);
  const line = await postern.logged((one) => one["path"] === "/free/plain");
  expect(line["leaks"]).toBeUndefined();
});
