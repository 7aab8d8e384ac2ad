// Goal: a rewrite is the last thing before the service, whatever the request is: a signature is judged over what its caller signed, a
// WebSocket and a gRPC call find the rewritten place, and nobody reaches that place by signing or asking for it.
// Method: a real process over TLS; signatures made here, a service that takes upgrades, and one of gRPC over HTTP/2.
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askH2 } from "../fixtures/h2-client.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, type Postern, type Service, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

const key = generateKeyPairSync("ed25519");
const ACCEPTS = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const FRAME = Buffer.alloc(5);

let service: Service;
let postern: Postern;
let [chat, calls] = [0, 0];
const upgraded: string[] = [];
const called: string[] = [];

const policy = (ports: PolicyPorts) => `${policyHead(ports)
  .replace("server.key }", "server.key }\n    upstream: app\n    protocols: [h2, http/1.1]")
  .replace(
    "upstreams: {",
    `upstreams: { chat: { address: "http://127.0.0.1:${chat}" }, calls: { address: "h2c://127.0.0.1:${calls}" },`,
  )}
authenticators:
  machines:
    type: signature
    keys: [{ keyid: k1, file: k1.pem, caller: billing }]
    covers: ["@method", "@target-uri"]
routes:
  - path: /v1/**
    authenticate: [machines]
    rewrite: { prefix: { from: /v1, to: /internal }, host: orders.internal, query: { set: { by: '{principal.id}' }, remove: [debug] } }
  - { path: /internal/**, authenticate: [machines], authorize: { scopes: [nobody] } }
  - { path: '/rooms/{room}', public: true, upstream: chat, websocket: {}, rewrite: { path: '/chat/{room}/live' } }
  - { path: /gw/**, public: true, upstream: calls, rewrite: { prefix: { from: /gw, to: / } } }
`;

beforeAll(async () => {
  service = await startService();
  const server = createServer();
  server.on("upgrade", (request, socket) => {
    upgraded.push(request.url ?? "");
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${ACCEPTS}`).digest("base64");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);
    socket.on("error", () => {});
    onClose(() => socket.destroy());
  });
  chat = await listen(server);
  const grpc = await startH2Service((stream, headers) => {
    called.push(String(headers[":path"]));
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(FRAME);
  });
  calls = grpc.port;
  const pem = key.publicKey.export({ type: "spki", format: "pem" }).toString();
  postern = await startPostern(service.port, policy, { "k1.pem": pem });
});
afterAll(closeAll);

/** Headers of a request that was signed for `path` of the host that is asked. */
function signed(path: string, host = "localhost"): Record<string, string> {
  const input = `("@method" "@target-uri");created=${Math.floor(Date.now() / 1000)};keyid="k1";nonce="${randomUUID()}"`;
  const lines = ['"@method": GET', `"@target-uri": https://${host}${path}`, `"@signature-params": ${input}`];
  const signature = sign(null, Buffer.from(lines.join("\n")), key.privateKey).toString("base64");
  return { "Signature-Input": `sig=${input}`, Signature: `sig=:${signature}:` };
}

test("a signature is over what its caller asked, and the service gets what the policy makes of it", async () => {
  const path = "/v1/orders/7?debug=1&page=2";
  const answer = await postern.call({ path, headers: signed(path) });
  expect(answer.status).toBe(200);
  const { url, headers } = service.arrived.at(-1) ?? {};
  expect(url).toBe("/internal/orders/7?page=2&by=billing");
  expect(headers?.["host"]).toBe("orders.internal");
});

test("one over the rewritten target or host opens nothing, nor does the place itself", async () => {
  const before = service.arrived.length;
  const path = "/v1/orders/7";
  for (const headers of [signed("/internal/orders/7?by=billing"), signed(path, "orders.internal")]) {
    expect(await postern.call({ path, headers })).toMatchObject({ status: 401, reason: "proof_signature_invalid" });
  }
  const inner = "/internal/orders/7";
  expect(await postern.call({ path: inner, headers: signed(inner) })).toMatchObject({ status: 403 });
  expect(service.arrived.length).toBe(before);
});

test("a WebSocket finds the rewritten place", async () => {
  const client = await postern.raw();
  const lines = ["GET /rooms/a%20b HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"];
  client.write(
    `${[...lines, "Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${"A".repeat(22)}==`].join("\r\n")}\r\n\r\n`,
  );
  expect(await client.untilReceived("\r\n\r\n")).toMatch(/^HTTP\/1.1 101 /);
  expect(upgraded).toEqual(["/chat/a%20b/live"]);
  client.destroy();
});

test("a gRPC call finds the rewritten method, and the log has both", async () => {
  const head = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
  const answer = await askH2(postern.h2(), { ...head, ":path": "/gw/stock.v1.Stock/Count" }, FRAME.toString("latin1"));
  expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/grpc" } });
  expect(called).toEqual(["/stock.v1.Stock/Count"]);
  const line = await postern.logged(({ path }) => path === "/gw/stock.v1.Stock/Count");
  expect(line).toMatchObject({ upstreamPath: "/stock.v1.Stock/Count" });
});
