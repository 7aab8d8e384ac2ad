import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Listeners } from "../../src/daemon/listeners.ts";
import { buildCidrTable } from "../../src/matching/cidr-table.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { UNIX_PEER } from "../../src/message/address.ts";
import type { ConnectionFacts } from "../../src/message/connection.ts";
import type { ListenerSettings, PeerSet } from "../../src/policy/snapshot.ts";
import { createTelemetry, type LiveTelemetry } from "../../src/telemetry/live.ts";
import type { ConnectionRefusal } from "../../src/telemetry/telemetry.ts";
import { eventually } from "../fixtures/eventually.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { proxyV2, proxyV2For } from "../fixtures/proxy-protocol.ts";
import { listenerOf, snapshotOf, tlsOf } from "../fixtures/snapshot.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

const V1 = Buffer.from("PROXY TCP4 203.0.113.7 10.0.0.1 51000 443\r\n");
const V2 = proxyV2For("203.0.113.7");
const LOCAL = proxyV2(0x20, 0, Buffer.alloc(0));
const LOOPBACK = peersOf("127.0.0.0/8");

let pki: TestPki;
let sink: MemorySink;
let telemetry: LiveTelemetry;
let listeners: Listeners;
let served: ConnectionFacts[];
let clients: Socket[];

beforeAll(async () => {
  pki = await createTestPki();
});

beforeEach(() => {
  sink = new MemorySink();
  telemetry = createTelemetry({ clock: new TestClock(), sink, processFigures: null, memory: unlimitedMemory() });
  served = [];
  clients = [];
  listeners = new Listeners({
    telemetry,
    memory: unlimitedMemory(),
    inheritedSockets: new Map(),
    // Gives back every byte.
    serve: (socket, facts) => {
      served.push(facts);
      socket.on("data", (data) => socket.write(data));
      socket.on("end", () => socket.end());
    },
  });
});

afterEach(() => {
  for (const client of clients) client.destroy();
  listeners.close();
});

function peersOf(...prefixes: string[]): PeerSet {
  const table = buildCidrTable(prefixes);
  if (!table.ok) throw new Error("prefixes");
  return table.value;
}

async function open(settings: Partial<ListenerSettings> = {}): Promise<number> {
  const prepared = await listeners.prepare(
    snapshotOf({ listeners: [listenerOf({ proxyProtocol: LOOPBACK, handshakeTimeoutMs: PATIENCE_MS, ...settings })] }),
  );
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.error));
  prepared.value.commit();
  return Number(listeners.status()[0]?.address.split(":").at(-1));
}

function dial(target: number | string, localAddress = "127.0.0.1"): Socket {
  const socket =
    typeof target === "string" ? connect(target) : connect({ port: target, host: "127.0.0.1", localAddress });
  socket.setNoDelay(true);
  socket.on("error", () => {});
  clients.push(socket);
  return socket;
}

/** Everything that comes until `text` is in it, or null where the connection ends first. */
function receives(socket: Socket, text: string): Promise<string | null> {
  return new Promise((resolve) => {
    let received = "";
    socket.on("data", (data) => {
      received += data.toString("latin1");
      if (received.includes(text)) resolve(received);
    });
    socket.once("close", () => resolve(null));
  });
}

async function refused(reason: ConnectionRefusal, count = 1): Promise<void> {
  const cells = telemetry.metrics.listener("inbound");
  await eventually(() => cells.connectionsRefused[reason] === count && cells.connectionsOpen === 0);
  expect(served).toEqual([]);
}

/** Writes bytes one by one, each in a segment of its own. */
async function dribble(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) await new Promise<void>((done) => socket.write(Buffer.from([byte]), () => done()));
}

function secured(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, ca: pki.ca.certificate, servername: "localhost" }, () => resolve(tls));
    tls.on("error", reject);
    clients.push(tls);
  });
}

for (const [name, header] of Object.entries({ "version 1": V1, "version 2": V2 })) {
  test(`${name}: the client that the header names is the peer, and the proxy is remembered`, async () => {
    const client = dial(await open());
    client.write(Buffer.concat([header, Buffer.from("hello")]));
    expect(await receives(client, "hello")).toBe("hello");
    expect(served).toMatchObject([{ peer: { text: "203.0.113.7" }, proxyPeer: { text: "127.0.0.1" } }]);
  });

  test(`${name}: a header in single bytes is the same header`, async () => {
    const client = dial(await open());
    await dribble(client, header);
    client.write("hello");
    expect(await receives(client, "hello")).toBe("hello");
    expect(served).toMatchObject([{ peer: { text: "203.0.113.7" } }]);
  });

  test(`${name}: TLS follows the header`, async () => {
    const port = await open({ tls: tlsOf(pki.server) });
    const socket = dial(port);
    await dribble(socket, header);
    const client = await secured(socket);
    client.write("hello");
    expect(await receives(client, "hello")).toBe("hello");
    expect(served).toMatchObject([{ peer: { text: "203.0.113.7" }, proxyPeer: { text: "127.0.0.1" }, secure: true }]);
  });
}

test("a TLS hello in the same segment as the header is not lost", async () => {
  const port = await open({ tls: tlsOf(pki.server) });
  const socket = dial(port);
  socket.cork();
  socket.write(V2);
  const secure = secured(socket);
  setImmediate(() => socket.uncork());
  const client = await secure;
  client.write("hello");
  expect(await receives(client, "hello")).toBe("hello");
});

test("a proxy that speaks for itself is the peer", async () => {
  const client = dial(await open());
  client.write(Buffer.concat([LOCAL, Buffer.from("health")]));
  expect(await receives(client, "health")).toBe("health");
  expect(served).toMatchObject([{ peer: { text: "127.0.0.1" }, proxyPeer: null }]);
});

test("a second header is not believed: it is the first bytes of what follows", async () => {
  const client = dial(await open());
  client.write(Buffer.concat([V2, proxyV2For("198.51.100.1"), Buffer.from("end")]));
  await receives(client, "end");
  expect(served).toMatchObject([{ peer: { text: "203.0.113.7" } }]);
});

test("a second header before TLS ends the handshake", async () => {
  const client = dial(await open({ tls: tlsOf(pki.server) }));
  client.write(Buffer.concat([V1, V1]));
  expect(await receives(client, "never")).toBeNull();
  expect(served).toEqual([]);
  await eventually(() => telemetry.metrics.listener("inbound").handshakesFailed.not_tls === 1);
  expect(sink.events("handshake_failed")).toMatchObject([{ client: "203.0.113.7" }]);
});

test("a header inside TLS is no header: the one before it stands", async () => {
  const socket = dial(await open({ tls: tlsOf(pki.server) }));
  socket.write(V1);
  const client = await secured(socket);
  client.write(Buffer.concat([proxyV2For("198.51.100.1"), Buffer.from("end")]));
  await receives(client, "end");
  expect(served).toMatchObject([{ peer: { text: "203.0.113.7" } }]);
});

test("a peer that nobody named is closed without a word, with and without a header", async () => {
  const port = await open({ proxyProtocol: peersOf("127.0.0.2/32") });
  for (const bytes of [V1, Buffer.from("GET / HTTP/1.1\r\n\r\n")]) {
    const client = dial(port, "127.0.0.3");
    client.write(bytes);
    expect(await receives(client, "never")).toBeNull();
  }
  await refused("proxy_peer_unnamed", 2);
  expect(sink.events("connection_refused")).toMatchObject([{ reason: "proxy_peer_unnamed", client: "127.0.0.3" }]);
});

test("without 'proxyProtocol' a header is only bytes", async () => {
  const client = dial(await open({ proxyProtocol: null }));
  client.write(V1);
  expect(await receives(client, "\r\n")).toBe(V1.toString());
  expect(served).toMatchObject([{ peer: { text: "127.0.0.1" }, proxyPeer: null }]);
});

test("a named peer without a header is closed: TLS", async () => {
  const port = await open({ tls: tlsOf(pki.server) });
  await expect(secured(dial(port))).rejects.toThrow();
  await refused("proxy_header_missing");
});

test("a named peer without a header is closed: HTTP", async () => {
  const client = dial(await open());
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await receives(client, "never")).toBeNull();
  await refused("proxy_header_missing");
});

test("a named peer that says nothing is closed at the deadline, and so is one that says half", async () => {
  const port = await open({ handshakeTimeoutMs: 200 });
  const silent = dial(port);
  const half = dial(port);
  half.write(V2.subarray(0, 20));
  await Promise.all([receives(silent, "never"), receives(half, "never")]);
  await refused("proxy_header_timeout", 2);
});

test("a client in the clear that does not say which HTTP it speaks is closed at the deadline and counted", async () => {
  const port = await open({ protocols: ["h2", "http/1.1"], handshakeTimeoutMs: 200 });
  const silent = dial(port);
  silent.write(V1);
  const half = dial(port);
  half.write(Buffer.concat([V1, Buffer.from("PRI * HTTP/2.0\r\n")]));
  await Promise.all([receives(silent, "never"), receives(half, "never")]);
  await refused("protocol_timeout", 2);
});

test("a peer that closes before the end of its header is counted", async () => {
  const client = dial(await open());
  client.end(V1.subarray(0, 10));
  await refused("proxy_header_missing");
});

test("a header too long or malformed closes the connection", async () => {
  const port = await open();
  const long = proxyV2(0x21, 0x11, Buffer.alloc(60_000));
  for (const bytes of [long, Buffer.from(`PROXY TCP4 ${"1".repeat(200)}`), Buffer.from("PROXY TCP4 1.1.1.1\n")]) {
    const client = dial(port);
    client.write(bytes);
    expect(await receives(client, "never")).toBeNull();
  }
  await refused("proxy_header_invalid", 3);
});

test("on a Unix socket the word unix names the proxy", async () => {
  const folder = mkdtempSync(join(tmpdir(), "postern-proxy-"));
  try {
    const path = join(folder, "in.sock");
    await open({ address: { type: "unix", path }, proxyProtocol: { has: (peer) => peer === UNIX_PEER } });
    const client = dial(path);
    client.write(Buffer.concat([V2, Buffer.from("hello")]));
    expect(await receives(client, "hello")).toBe("hello");
    expect(served).toMatchObject([{ peer: { text: "203.0.113.7" }, proxyPeer: { text: "unix" } }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("connections count by the client that the header names, not by the proxy", async () => {
  const port = await open({ addressConnectionsMax: 1 });
  const first = dial(port);
  first.write(Buffer.concat([V2, Buffer.from("one")]));
  await receives(first, "one");
  const second = dial(port);
  second.write(V2);
  expect(await receives(second, "never")).toBeNull();
  const other = dial(port);
  other.write(Buffer.concat([proxyV2For("203.0.113.8"), Buffer.from("two")]));
  expect(await receives(other, "two")).toBe("two");
  expect(telemetry.metrics.listener("inbound").connectionsRefused.address_connections_max).toBe(1);
});
