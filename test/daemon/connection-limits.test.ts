// Goal: nobody holds more connections, or asks for more handshakes, than the listener lets them, and others notice nothing.
// Method: a listener with real TLS; handshakes are counted on a clock that the test moves.
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Listeners } from "../../src/daemon/listeners.ts";
import { HandshakeGate } from "../../src/limits/handshake-gate.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { parseAddress } from "../../src/message/address.ts";
import type { ListenerSettings } from "../../src/policy/snapshot.ts";
import type { Rate } from "../../src/support/units.ts";
import { createTelemetry, type LiveTelemetry } from "../../src/telemetry/live.ts";
import type { ConnectionRefusal } from "../../src/telemetry/telemetry.ts";
import { eventually } from "../fixtures/eventually.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { listenerOf, snapshotOf, tlsOf } from "../fixtures/snapshot.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

let pki: TestPki;
let telemetry: LiveTelemetry;
let listeners: Listeners;
let time: ManualTime;
let clients: Socket[];

beforeAll(async () => {
  pki = await createTestPki();
});

beforeEach(() => {
  const memory = unlimitedMemory();
  telemetry = createTelemetry({ clock: new TestClock(), sink: new MemorySink(), processFigures: null, memory });
  time = new ManualTime(1_000);
  clients = [];
  listeners = new Listeners({
    telemetry,
    memory,
    inheritedSockets: new Map(),
    serve: (socket, { listener }) => {
      socket.write(`${listener}\n`);
      socket.resume().on("end", () => socket.end());
    },
  });
});

afterEach(() => {
  for (const client of clients) client.destroy();
  listeners.close();
});

async function open(changes: Partial<ListenerSettings>): Promise<number> {
  const tls = tlsOf(pki.server, { clientCertificate: "optional", clientCa: Buffer.from(pki.ca.certificate) });
  const prepared = await listeners.prepare(
    snapshotOf({ listeners: [listenerOf({ tls, handshakeTimeoutMs: PATIENCE_MS, ...changes })] }),
  );
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.error));
  prepared.value.commit();
  return Number(listeners.status()[0]?.address.split(":").at(-1));
}

/** What a new client is told: the listener's name, or nothing before its connection is closed. */
function greeting(port: number, options: ConnectionOptions = {}): Promise<string | null> {
  const client = connectTls({
    port,
    host: "127.0.0.1",
    ca: pki.ca.certificate,
    servername: "localhost",
    maxVersion: "TLSv1.3",
    ...options,
  });
  client.on("error", () => {});
  clients.push(client);
  return new Promise((resolve) => {
    client.once("data", (data) => resolve(data.toString()));
    client.once("close", () => resolve(null));
  });
}

const as = ({ certificate: cert, key }: { readonly certificate: string; readonly key: string }): ConnectionOptions => ({
  cert,
  key,
});

const refused = (reason: ConnectionRefusal): number => telemetry.metrics.listener("inbound").connectionsRefused[reason];

const gate = (perAddress: Rate | null, all: Rate | null): HandshakeGate => {
  const counted = (rate: Rate | null, keys: number) =>
    rate === null ? null : { rate, table: new RateTable(keys, [1, 2], time) };
  return new HandshakeGate(counted(perAddress, 64), counted(all, 1));
};

const perSecond = (count: number): Rate => ({ count, windowSeconds: 1 });

test("a caller with one certificate more often than it may is refused; others and the nameless are not", async () => {
  const port = await open({ identityConnectionsMax: 2 });
  expect(await greeting(port, as(pki.client))).toBe("inbound\n");
  // A renewed certificate is the same caller's.
  const renewed = await pki.ca.issue({
    commonName: "billing, renewed",
    usage: "client",
    uris: ["spiffe://example.org/ns/shop/sa/billing"],
  });
  expect(await greeting(port, as(renewed))).toBe("inbound\n");
  expect(await greeting(port, as(pki.client))).toBeNull();
  expect(refused("identity_connections_max")).toBe(1);
  const other = await pki.ca.issue({ commonName: "orders", usage: "client" });
  expect(await greeting(port, as(other))).toBe("inbound\n");
  for (let nameless = 0; nameless < 3; nameless++) expect(await greeting(port)).toBe("inbound\n");
  clients[0]?.destroy();
  await eventually(async () => (await greeting(port, as(pki.client))) === "inbound\n");
});

test("a certificate that nobody vouches for takes no connection from whom it names", async () => {
  const port = await open({ identityConnectionsMax: 1 });
  for (let turn = 0; turn < 3; turn++) await greeting(port, as(pki.strangerClient));
  expect(await greeting(port, as(pki.client))).toBe("inbound\n");
  expect(refused("identity_connections_max")).toBe(0);
});

test("an address begins as many handshakes as it may, and one more when its rate says so", async () => {
  const port = await open({ handshakes: gate(perSecond(3), null) });
  for (let turn = 0; turn < 3; turn++) expect(await greeting(port)).toBe("inbound\n");
  expect(await greeting(port)).toBeNull();
  expect(refused("address_handshakes_rate")).toBe(1);
  time.pass(334);
  expect(await greeting(port)).toBe("inbound\n");
  expect(await greeting(port)).toBeNull();
});

test("a connection that sends no hello costs no handshake", async () => {
  const port = await open({ handshakes: gate(perSecond(1), perSecond(1)) });
  for (let turn = 0; turn < 5; turn++) {
    const silent = connect(port, "127.0.0.1");
    clients.push(silent);
    await eventually(() => silent.readyState === "open");
  }
  expect(await greeting(port)).toBe("inbound\n");
});

test("an address over its own rate uses nothing of the rate of all", () => {
  const handshakes = gate(perSecond(2), perSecond(10));
  const [flood, honest] = ["203.0.113.5", "198.51.100.7"].map(parseAddress);
  if (flood == null || honest == null) throw new Error("no address");
  const said = Array.from({ length: 1_000 }, () => handshakes.take(flood, false));
  expect(said.filter((one) => one === null)).toHaveLength(2);
  expect(handshakes.take(honest, false)).toBeNull();
  for (let at = 0; at < 7; at++) expect(handshakes.take(flood, true)).toBeNull();
  expect(handshakes.take(flood, true)).toBe("handshakes_rate");
});

test("an IPv6 client counts by its /64", () => {
  const handshakes = gate(perSecond(1), null);
  const [one, other, apart] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(parseAddress);
  if (one == null || other == null || apart == null) throw new Error("no address");
  expect(handshakes.take(one, false)).toBeNull();
  expect(handshakes.take(other, false)).toBe("address_handshakes_rate");
  expect(handshakes.take(apart, false)).toBeNull();
});
