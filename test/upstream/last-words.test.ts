// Goal: a service that answers and closes without reading the body is heard. Method: uploads through the data path to raw
// services whose closing resets the connection under what is still being written.
import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll, listen, startProxy, startRawService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const ANSWER = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much";
const UPLOAD_BYTES = 8 * 1024 * 1024;

/** Answers at the head, reads no more, and is gone: what is unread makes the kernel send a reset. */
function answerAndLeave(socket: Socket): void {
  socket.once("data", () => {
    socket.pause();
    socket.end(ANSWER, () => socket.destroy());
  });
}

async function upload(port: number, framing = `Content-Length: ${UPLOAD_BYTES}`): Promise<RawClient> {
  const client = await RawClient.connect({ port, host: "127.0.0.1" });
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
  return client;
}

test("its answer reaches the client, whenever the reset comes", async () => {
  const upstreamPort = await startRawService(answerAndLeave);
  const { port, records } = await startProxy({ upstreamPort, route: { bodyBytesMax: UPLOAD_BYTES } });
  for (let round = 0; round < 16; round++) {
    const client = await upload(port);
    client.write(Buffer.alloc(UPLOAD_BYTES));
    expect(await client.untilReceived("too much")).toMatch(/^HTTP\/1.1 413 /);
    client.destroy();
  }
  expect(records.map(({ status, reason }) => [status, reason])).toEqual(Array(16).fill([413, null]));
});

test("a write that meets the closed connection comes before its answer is read, and after it: both are heard", async () => {
  const services: Socket[] = [];
  const upstreamPort = await startRawService((socket) => {
    services.push(socket);
    answerAndLeave(socket);
  });
  const { port } = await startProxy({ upstreamPort, route: { bodyBytesMax: UPLOAD_BYTES } });
  const client = await upload(port, "Transfer-Encoding: chunked");
  client.write("1\r\na\r\n");
  for (let at = 0; at < 64 && !client.received.includes("too much"); at++) {
    client.write(`10000\r\n${"x".repeat(0x10000)}\r\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.untilReceived("too much");
});

test("it does over TLS, too, where the reset may come before the answer is decrypted", async () => {
  const { pki } = await theWorld();
  const service = createTlsServer({ key: pki.server.key, cert: pki.server.certificate }, answerAndLeave);
  service.on("tlsClientError", () => {});
  const upstreamPort = await listen(service);
  const postern = await startPostern(
    upstreamPort,
    ({ port, app }) => `version: 1
service: secure
listeners: [{ name: in, address: '127.0.0.1:${port}', upstream: app }]
upstreams: { app: { address: 'https://localhost:${app}', tls: { ca: ca.pem } } }
routes: [{ path: /**, public: true, validate: { body: { maxBytes: 64MiB } } }]
`,
  );
  for (let round = 0; round < 8; round++) {
    const client = await upload(postern.port);
    client.write(Buffer.alloc(UPLOAD_BYTES));
    expect(await client.untilReceived("too much")).toMatch(/^HTTP\/1.1 413 /);
    client.destroy();
  }
}, 60_000);

test("one that closes without a word is told as that", async () => {
  const upstreamPort = await startRawService((socket) => {
    socket.once("data", () => socket.destroy());
  });
  const { port, records } = await startProxy({ upstreamPort, route: { bodyBytesMax: UPLOAD_BYTES } });
  const client = await upload(port);
  client.write(Buffer.alloc(UPLOAD_BYTES));
  await client.untilReceived("upstream_closed");
  expect(records).toMatchObject([{ status: 502, reason: "upstream_closed" }]);
});
