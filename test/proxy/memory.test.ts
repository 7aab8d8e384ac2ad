// Goal: what clients make the data path hold is counted, bounded, and given back; what gives way is at rest. Method: a
// budget with accounts of a few kilobytes.
import { afterEach, beforeEach, expect, test } from "vitest";
import { ACCOUNT_NAMES, type MemoryBudget, unlimitedMemory } from "../../src/memory/budget.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { fields, frame, H2RawClient, PREFACE, request, rstStream, settings, TYPE } from "../fixtures/h2-frames.ts";
import {
  closeAll,
  startProxy,
  startRawService,
  startScriptedService,
  type TestProxyOptions,
} from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

let memory: MemoryBudget;

beforeEach(() => {
  memory = unlimitedMemory();
});

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CONNECTION = DEFAULTS.memoryPlainConnectionBytes;

const start = async (options: TestProxyOptions = {}) =>
  startProxy({ upstreamPort: await startScriptedService(() => OK), memory, ...options });
const open = (port: number) => RawClient.connect({ port, host: "127.0.0.1" });
const openH2 = (port: number, first?: Buffer) => H2RawClient.connect({ port, host: "127.0.0.1" }, first);

async function untilNothingIsHeld(): Promise<void> {
  await eventually(() => ACCOUNT_NAMES.every((name) => memory[name].heldBytes === 0));
}

test("a connection at rest gives way to a new one, the oldest first, and one with a request under way does not", async () => {
  memory.connections.bytesMax = 3 * CONNECTION;
  const upstreamPort = await startRawService(() => {});
  const { port, proxy, connectionsClosed } = await start({ upstreamPort });
  const busy = await open(port);
  busy.write(GET);
  await eventually(() => proxy.requestsInFlight === 1);
  const resting = await open(port);
  const another = await open(port);
  await eventually(() => memory.connections.heldBytes === 3 * CONNECTION);
  const late = await open(port);
  await resting.untilClosed();
  expect(connectionsClosed).toEqual(["memory_connections"]);
  expect([busy.closed, another.closed, late.closed]).toEqual([false, false, false]);
  for (const client of [busy, another, late]) client.destroy();
  await untilNothingIsHeld();
});

test("where every connection has a request under way, the new one is closed", async () => {
  memory.connections.bytesMax = 2 * CONNECTION;
  const { port, proxy, connectionsClosed } = await start({ upstreamPort: await startRawService(() => {}) });
  const busy = [await open(port), await open(port)];
  for (const client of busy) client.write(GET);
  await eventually(() => proxy.requestsInFlight === 2);
  await (await open(port)).untilClosed();
  expect(connectionsClosed).toEqual(["memory_connections"]);
  expect(memory.connections.refused).toBe(1);
  expect(busy.map(({ closed }) => closed)).toEqual([false, false]);
});

test("an HTTP/2 connection at rest is told GOAWAY when it gives way; one with a stream open stays", async () => {
  memory.connections.bytesMax = 2 * CONNECTION;
  const { port, proxy, sessionsClosed } = await start({
    protocol: "h2",
    upstreamPort: await startRawService(() => {}),
  });
  const busy = await openH2(port);
  busy.write(request(1, fields()));
  await eventually(() => proxy.requestsInFlight === 1);
  const resting = await openH2(port);
  await resting.until(() => resting.frames.some(({ type }) => type === TYPE.settings));
  await eventually(() => memory.connections.heldBytes === 2 * CONNECTION);
  await openH2(port);
  await resting.untilClosed();
  expect(resting.goaway).toBe(0);
  expect(sessionsClosed).toEqual(["memory_connections"]);
  expect(busy.closed).toBe(false);
});

test("a head that stopped in its middle is no request under way", async () => {
  memory.connections.bytesMax = CONNECTION;
  let nowMs = 1_000;
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const { port } = await start({ clock });
  const slow = await open(port);
  slow.write("GET / HT");
  await unchanging(() => memory.connections.heldBytes);
  nowMs += 500;
  const early = await open(port);
  await early.untilClosed();
  expect([memory.connections.refused, slow.closed]).toEqual([1, false]);
  nowMs += DEFAULTS.headYieldMs + 1;
  const late = await open(port);
  await slow.untilClosed();
  late.write(GET);
  await late.untilReceived("200 OK");
});

test("the beginning of a body that waits is counted, refused where there is no room, and given back", async () => {
  memory.bodies.bytesMax = 8_000;
  const { port, records } = await start();
  const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(5_000)}`;
  const first = await open(port);
  first.write(post);
  await eventually(() => memory.bodies.heldBytes >= 5_000);
  const second = await open(port);
  second.write(post);
  await second.untilReceived("memory_bodies");
  expect(second.received).toMatch(/^HTTP\/1.1 503 /);
  expect(records).toMatchObject([{ status: 503, reason: "memory_bodies" }]);
  first.destroy();
  second.destroy();
  await untilNothingIsHeld();
});

test("a small body costs no account anything", async () => {
  memory.bodies.bytesMax = 0;
  const { port } = await start();
  const client = await open(port);
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  await client.untilReceived("200 OK");
});

test("requests that are pipelined beyond what may be held end their connection", async () => {
  memory.bodies.bytesMax = 8_000;
  const { port, connectionsClosed } = await start({ upstreamPort: await startRawService(() => {}) });
  const client = await open(port);
  client.write(GET.repeat(1_000));
  await client.untilClosed();
  expect(connectionsClosed).toEqual(["memory_bodies"]);
  await untilNothingIsHeld();
});

test("data of HTTP/2 that nobody reads is counted, and refused where there is no room", async () => {
  memory.bodies.bytesMax = 20_000;
  // A check that takes its time: meanwhile nobody reads the body.
  const { port, records } = await start({ protocol: "h2", evaluate: () => new Promise(() => {}) });
  const client = await openH2(port);
  client.write(request(1, fields("/", [], "POST"), false), frame(TYPE.data, 0, 1, Buffer.alloc(12_000)));
  await eventually(() => memory.bodies.heldBytes >= 12_000);
  client.write(request(3, fields("/", [], "POST"), false), frame(TYPE.data, 0, 3, Buffer.alloc(12_000)));
  await eventually(() => memory.bodies.refused > 0);
  expect(memory.bodies.heldBytes).toBeLessThanOrEqual(20_000);
  client.write(rstStream(1), rstStream(3));
  await eventually(() => memory.bodies.heldBytes === 0);
  expect(records.map(({ reason }) => reason)).toEqual(["client_closed", "client_closed"]);
});

test("streams beyond the first of a connection are counted, refused where there is no room, and given back", async () => {
  memory.streams.bytesMax = DEFAULTS.h2StreamsBlock * DEFAULTS.memoryStreamBytes;
  const { port, unjudged } = await start({ protocol: "h2", upstreamPort: await startRawService(() => {}) });
  const client = await openH2(port);
  const count = DEFAULTS.h2StreamsFree + DEFAULTS.h2StreamsBlock;
  for (let at = 0; at <= count; at++) client.write(request(2 * at + 1, fields()));
  expect(await client.outcome(2 * count + 1)).toBe("reset 7");
  expect(unjudged).toEqual(["memory_streams"]);
  client.destroy();
  await untilNothingIsHeld();
});

test("a client that asks for more answers than its share and takes none loses some, and nobody else does", async () => {
  // Each fits into one read, after which the service is free for the next.
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: 15000\r\n\r\n${"x".repeat(15_000)}`;
  memory.bodies.clientBytesMax = 200_000;
  const upstreamPort = await startScriptedService(() => answer);
  const { port } = await start({ protocol: "h2", upstreamPort });
  // An initial window of no bytes.
  const greedy = await openH2(port, Buffer.concat([PREFACE, settings([[4, 0]])]));
  for (let at = 0; at < 20; at++) greedy.write(request(2 * at + 1, fields()));
  await greedy.until(() => greedy.frames.some(({ type }) => type === TYPE.rstStream));
  expect(memory.bodies.heldBytes).toBeLessThanOrEqual(200_000);
  greedy.destroy();
  await untilNothingIsHeld();
});

test("a WebSocket is counted for as long as it lasts, and refused where there is no room", async () => {
  memory.streams.bytesMax = 0;
  const { port, records } = await start({ route: { webSocket: { frameBytesMax: 1024, lifetimeMs: 1e9 } } });
  const client = await open(port);
  const key = Buffer.alloc(16).toString("base64");
  const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
  client.write(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
  await client.untilReceived("memory_streams");
  expect(records).toMatchObject([{ status: 503, reason: "memory_streams" }]);
});
