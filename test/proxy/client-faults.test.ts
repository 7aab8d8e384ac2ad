// Goal: a client that goes away in the middle, or closes only its own side, costs the service nothing more, is
// counted once, and leaves nothing that could pass for whole. Method: sockets by hand on both sides, HTTP/1.1.
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { closeAll, startProxy, startRawService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const MIB = 1024 * 1024;

/** A service under the test's hand: what it got, and its first connection. */
async function start(onHead: (socket: Socket) => void = () => {}) {
  const service = { received: "", ended: 0, connections: 0, socket: null as Socket | null };
  const upstreamPort = await startRawService((socket) => {
    service.connections++;
    service.socket ??= socket;
    socket.once("data", () => onHead(socket));
    socket.on("data", (chunk) => {
      service.received += chunk.toString("latin1");
    });
    socket.on("close", () => service.ended++);
    socket.on("end", () => socket.destroy());
  });
  const running = await startProxy({ upstreamPort });
  return { ...running, service, client: await RawClient.connect({ port: running.port, host: "127.0.0.1" }) };
}

describe("a client that disappears", () => {
  const uploads = {
    "of announced length": ["Content-Length: 100000", "x".repeat(50_000), ""],
    "in chunks": ["Transfer-Encoding: chunked", "4\r\nhalf\r\n", "0\r\n\r\n"],
  } as const;
  for (const [name, [framing, half, end]] of Object.entries(uploads)) {
    test(`in the middle of an upload ${name} leaves the service without an end, and is counted once`, async () => {
      const { client, service, records, proxy } = await start();
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${half}`);
      await eventually(() => service.received.endsWith(half));
      client.destroy();
      await eventually(() => service.ended === 1 && records.length === 1);
      expect(service.received.endsWith(half)).toBe(true);
      if (end !== "") expect(service.received).not.toContain(end);
      expect(records).toMatchObject([{ status: 499, reason: "client_closed" }]);
      expect([proxy.requestsInFlight, proxy.connectionsOpen]).toEqual([0, 0]);
    });
  }

  test("in the middle of a download ends the service's work on it, and is counted once", async () => {
    let written = 0;
    const block = Buffer.alloc(MIB);
    const { client, service, records, proxy } = await start((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const pump = () => {
        while (!socket.destroyed && written < 1024 && socket.write(`100000\r\n${block}\r\n`)) written++;
      };
      socket.on("drain", pump);
      pump();
    });
    client.write(GET);
    await client.until(({ received }) => received.length > 100_000);
    client.destroy();
    await eventually(() => service.ended === 1 && records.length === 1);
    expect(written).toBeLessThan(1024);
    expect(records).toMatchObject([{ status: 200, reason: "client_closed" }]);
    expect([proxy.requestsInFlight, proxy.connectionsOpen]).toEqual([0, 0]);
  });
});

describe("a client that closes its own side", () => {
  test("while it waits for its answer is gone, as nginx and Envoy take it: the service need not go on", async () => {
    const { client, service, records } = await start();
    client.write(GET);
    await eventually(() => service.received.endsWith("\r\n\r\n"));
    client.end();
    await eventually(() => service.ended === 1 && records.length === 1);
    expect(records).toMatchObject([{ status: 499, reason: "client_closed" }]);
    expect(await client.untilClosed()).toBe("");
  });

  test("in the middle of a body has no whole request: the service gets no end", async () => {
    const { client, service, records } = await start();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    await eventually(() => service.received.endsWith("half\r\n"));
    client.end();
    await eventually(() => service.ended === 1 && records.length === 1);
    expect(service.received).not.toContain("0\r\n\r\n");
    expect(records).toMatchObject([{ status: 499, reason: "client_closed" }]);
  });

  test("in the middle of its answer gets no end that could pass for a whole one", async () => {
    const { client, service, records } = await start((socket) =>
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
    );
    client.write(GET);
    await client.untilReceived("half");
    client.end();
    await eventually(() => service.ended === 1 && records.length === 1);
    await client.untilClosed();
    expect(client.received.endsWith("4\r\nhalf\r\n")).toBe(true);
    expect(records).toMatchObject([{ status: 200, reason: "client_closed" }]);
  });

  test("between requests is answered in kind, and the service's connection stays for others", async () => {
    const { client, service, records, proxy, port } = await start((socket) => {
      socket.write(OK);
      socket.on("data", () => socket.write(OK));
    });
    client.write(GET);
    await client.untilReceived("ok");
    client.end();
    await eventually(() => client.closed && proxy.connectionsOpen === 0);
    const next = await RawClient.connect({ port, host: "127.0.0.1" });
    next.write(GET);
    await next.untilReceived("ok");
    expect(service.connections).toBe(1);
    expect(records.map(({ status, reason }) => [status, reason])).toEqual([
      [200, null],
      [200, null],
    ]);
  });
});

test("a service that closes its own side behind a whole answer is not asked again on that connection", async () => {
  const { client, service, records } = await start((socket) => void socket.end(OK));
  client.write(GET);
  await client.untilReceived("ok");
  await eventually(() => service.ended === 1);
  client.write(GET);
  await client.until(({ received }) => received.split("\r\n\r\nok").length === 3);
  expect(service.connections).toBe(2);
  expect(records.map(({ status }) => status)).toEqual([200, 200]);
});
