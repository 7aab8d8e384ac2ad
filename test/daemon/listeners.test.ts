import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Listeners } from "../../src/daemon/listeners.ts";
import { type MemoryBudget, unlimitedMemory } from "../../src/memory/budget.ts";
import type { ConnectionFacts } from "../../src/message/connection.ts";
import type { ListenerSettings, Problem } from "../../src/policy/snapshot.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createTelemetry, type LiveTelemetry } from "../../src/telemetry/live.ts";
import { HANDSHAKE_FAILURES, type HandshakeFailure } from "../../src/telemetry/telemetry.ts";
import { eventually } from "../fixtures/eventually.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { listenerOf as anyListener, snapshotOf, tlsOf } from "../fixtures/snapshot.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

/** Of the tests that wait for it. */
const HANDSHAKE_TIMEOUT_MS = 300;

const listenerOf = (changes: Partial<ListenerSettings> = {}): ListenerSettings =>
  anyListener({ handshakeTimeoutMs: PATIENCE_MS, ...changes });

let pki: TestPki;
let sink: MemorySink;
let telemetry: LiveTelemetry;
let listeners: Listeners;
let served: { readonly facts: ConnectionFacts; readonly settings: ListenerSettings; readonly socket: Socket }[];
let clients: Socket[];
let memory: MemoryBudget;

beforeAll(async () => {
  pki = await createTestPki();
});

beforeEach(() => {
  sink = new MemorySink();
  memory = unlimitedMemory();
  telemetry = createTelemetry({ clock: new TestClock(), sink, processFigures: null, memory });
  served = [];
  clients = [];
  listeners = new Listeners({
    telemetry,
    memory,
    inheritedSockets: new Map(),
    // Says who it believes to talk to, then gives back every byte.
    serve: (socket, facts, settings) => {
      served.push({ facts, settings, socket });
      socket.write(`${facts.listener}\n`);
      socket.on("data", (data) => socket.write(data));
      socket.on("end", () => socket.end());
    },
  });
});

afterEach(() => {
  for (const client of clients) client.destroy();
  listeners.close();
});

async function apply(...settings: readonly ListenerSettings[]): Promise<readonly Problem[]> {
  const prepared = await listeners.prepare(snapshotOf({ listeners: settings }));
  if (!prepared.ok) return prepared.error;
  prepared.value.commit();
  return [];
}

function portOf(name = "inbound"): number {
  const status = listeners.status().find((listener) => listener.name === name);
  return Number(status?.address.split(":").at(-1));
}

function plainClient(port = portOf()): Socket {
  const client = connect(port, "127.0.0.1");
  client.on("error", () => {});
  clients.push(client);
  return client;
}

function tlsClient(options: ConnectionOptions = {}, port = portOf()): TLSSocket {
  const client = connectTls({ port, host: "127.0.0.1", ca: pki.ca.certificate, servername: "localhost", ...options });
  client.on("error", () => {});
  clients.push(client);
  return client;
}

/** The next bytes, or null where the connection ends first. */
function answer(client: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    client.once("data", (data) => resolve(data.toString()));
    client.once("close", () => resolve(null));
  });
}

function failures(): Partial<Record<HandshakeFailure, number>> {
  const { handshakesFailed } = telemetry.metrics.listener("inbound");
  return Object.fromEntries(
    HANDSHAKE_FAILURES.filter((reason) => handshakesFailed[reason] > 0).map((reason) => [
      reason,
      handshakesFailed[reason],
    ]),
  );
}

/** Waits for the first failed handshake. */
async function failure(): Promise<Partial<Record<HandshakeFailure, number>>> {
  await eventually(() => Object.keys(failures()).length > 0);
  return failures();
}

const mutual = (mode: "optional" | "required", crl: string | null = null) =>
  tlsOf(pki.server, {
    clientCertificate: mode,
    clientCa: Buffer.from(pki.ca.certificate),
    clientCrl: crl === null ? null : Buffer.from(crl),
  });

const as = (issued: { readonly certificate: string; readonly key: string }): ConnectionOptions => ({
  cert: issued.certificate,
  key: issued.key,
});

describe("TLS", () => {
  test("a rotated certificate is served to new connections while an old connection lives on", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const port = portOf();
    const old = tlsClient();
    expect(await answer(old)).toBe("inbound\n");
    const renewed = await pki.ca.issue({ commonName: "renewed", usage: "server", dnsNames: ["localhost"] });
    expect(await apply(listenerOf({ tls: tlsOf(renewed) }))).toEqual([]);
    expect(portOf()).toBe(port);
    const fresh = tlsClient();
    expect(await answer(fresh)).toBe("inbound\n");
    expect(fresh.getPeerCertificate().subject.CN).toBe("renewed");
    expect(old.getPeerCertificate().subject.CN).toBe("localhost");
    old.write("still here");
    expect(await answer(old)).toBe("still here");
  });

  test("a handshake that a reload overtakes keeps the settings that judged it", async () => {
    const before = tlsOf(pki.server);
    await apply(listenerOf({ tls: before }));
    // Everything behind the ClientHello is held, until the listener has other settings.
    const held: (() => void)[] = [];
    let isFirst = true;
    const server = connect({ port: portOf(), host: "127.0.0.1" });
    const gate = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        const pass = () => void server.write(chunk, () => done());
        if (isFirst) pass();
        else held.push(pass);
        isFirst = false;
      },
    });
    server.on("data", (chunk) => gate.push(chunk));
    const client = connectTls({ socket: gate, ca: pki.ca.certificate, servername: "localhost" });
    client.on("error", () => {});
    await eventually(() => held.length > 0);
    await apply(listenerOf({ tls: tlsOf(pki.server, { minVersion: "TLSv1.3" }), idleTimeoutMs: 1_234 }));
    for (const pass of held.splice(0)) pass();
    await eventually(() => served.length === 1);
    expect(served[0]?.settings.tls?.fingerprint).toBe(before.fingerprint);
    client.destroy();
    server.destroy();
  });

  test("with the same TLS settings a reload does not touch TLS, and new connections get the new limits", async () => {
    const tls = tlsOf(pki.server);
    await apply(listenerOf({ tls }));
    await answer(tlsClient());
    await apply(listenerOf({ tls, idleTimeoutMs: 1_234 }));
    await answer(tlsClient());
    expect(served.map(({ settings }) => settings.idleTimeoutMs)).toEqual([65_000, 1_234]);
  });

  test("TLS 1.1 is refused", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    expect(await answer(tlsClient(old))).toBeNull();
    expect(await failure()).toEqual({ protocol_version: 1 });
  });

  test("TLS 1.2 is refused where the policy asks for 1.3", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server, { minVersion: "TLSv1.3" }) }));
    expect(await answer(tlsClient({ maxVersion: "TLSv1.2" }))).toBeNull();
    expect(await failure()).toEqual({ protocol_version: 1 });
  });

  test("TLS 1.2 without forward secrecy or authenticated encryption finds no cipher", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    for (const ciphers of ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256"]) {
      expect(await answer(tlsClient({ maxVersion: "TLSv1.2", ciphers }))).toBeNull();
    }
    await eventually(() => failures().no_shared_cipher === 3);
  });

  test("HTTP/1.1 is what is agreed on", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const client = tlsClient({ ALPNProtocols: ["h2", "http/1.1"] });
    await answer(client);
    expect(client.alpnProtocol).toBe("http/1.1");
    expect(await answer(tlsClient({ ALPNProtocols: ["h2"] }))).toBeNull();
    expect(await failure()).toEqual({ no_shared_protocol: 1 });
  });

  test("who names no protocol is taken for HTTP/1.1, and closed and counted where that is not spoken", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server), protocols: ["h2"] }));
    expect(await answer(tlsClient())).toBeNull();
    await eventually(() => telemetry.metrics.listener("inbound").connectionsRefused.protocol_unsupported === 1);
  });

  test("a session is not resumed, so a certificate is judged again on every connection", async () => {
    await apply(listenerOf({ tls: mutual("required") }));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const first = tlsClient({ ...as(pki.client), maxVersion });
      let session: Buffer | undefined;
      first.on("session", (data: Buffer) => {
        session = data;
      });
      await answer(first);
      first.write("more");
      await answer(first);
      session ??= first.getSession();
      const second = tlsClient({ ...as(pki.client), maxVersion, ...(session === undefined ? {} : { session }) });
      await answer(second);
      expect(second.isSessionReused()).toBe(false);
    }
  });

  test("settings that OpenSSL refuses are a problem at the listener's place and change nothing", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const mixed = { certificate: pki.server.certificate, key: pki.client.key };
    const problems = await apply(listenerOf({ tls: tlsOf(mixed) }));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.place.line).toBe(3);
    expect(problems[0]?.text).toMatch(/listener 'inbound' on tcp:127.0.0.1:0: TLS: /);
    expect(await answer(tlsClient())).toBe("inbound\n");
  });
});

describe("client certificates", () => {
  test("the certificate is read once, with its SPIFFE ID and subject", async () => {
    await apply(listenerOf({ tls: mutual("required") }));
    expect(await answer(tlsClient(as(pki.client)))).toBe("inbound\n");
    expect(served[0]?.facts).toMatchObject({
      listener: "inbound",
      protocol: "http/1.1",
      secure: true,
      peer: { text: "127.0.0.1", family: 4 },
      certificate: { subject: "CN=billing", spiffeId: "spiffe://example.org/ns/shop/sa/billing", untrusted: null },
    });
  });

  test("where one is required, a client without one fails and the reason is counted", async () => {
    await apply(listenerOf({ tls: mutual("required") }));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
      expect(await answer(tlsClient({ maxVersion }))).toBeNull();
    await eventually(() => failures().certificate_missing === 2);
    expect(served).toEqual([]);
    expect(sink.events("handshake_failed")[0]).toMatchObject({ reason: "certificate_missing", client: "127.0.0.1" });
  });

  test("an expired, a stranger's and a revoked certificate fail, each with its reason", async () => {
    await apply(listenerOf({ tls: mutual("required", await pki.ca.revoke([pki.client.certificate], Date.now())) }));
    const other = await pki.ca.issue({ commonName: "other", usage: "client" });
    expect(await answer(tlsClient(as(pki.expiredClient)))).toBeNull();
    expect(await answer(tlsClient(as(pki.strangerClient)))).toBeNull();
    expect(await answer(tlsClient(as(pki.client)))).toBeNull();
    expect(await answer(tlsClient(as(other)))).toBe("inbound\n");
    await eventually(() => Object.keys(failures()).length === 3);
    expect(failures()).toEqual({ certificate_expired: 1, certificate_issuer_unknown: 1, certificate_revoked: 1 });
    expect(sink.events("handshake_failed").map((line) => line.client)).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
  });

  test("a new revocation list refuses new connections of who was welcome before", async () => {
    await apply(listenerOf({ tls: mutual("required") }));
    expect(await answer(tlsClient(as(pki.client)))).toBe("inbound\n");
    await apply(listenerOf({ tls: mutual("required", await pki.ca.revoke([pki.client.certificate], Date.now())) }));
    expect(await answer(tlsClient(as(pki.client)))).toBeNull();
    expect(await failure()).toEqual({ certificate_revoked: 1 });
  });

  test("where one is optional, an untrusted one is passed on with why, so that the request is denied with a reason", async () => {
    const crl = await pki.ca.revoke([pki.client.certificate], Date.now());
    await apply(listenerOf({ tls: mutual("optional", crl) }));
    for (const issued of [pki.expiredClient, pki.strangerClient, pki.client]) await answer(tlsClient(as(issued)));
    await answer(tlsClient());
    expect(served.map(({ facts }) => facts.certificate?.untrusted ?? null)).toEqual([
      "CERT_HAS_EXPIRED",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "CERT_REVOKED",
      null,
    ]);
    expect(served[3]?.facts.certificate).toBeNull();
  });

  test("a server's certificate is not a client's", async () => {
    await apply(listenerOf({ tls: mutual("required") }));
    expect(await answer(tlsClient(as(pki.server)))).toBeNull();
    expect(await failure()).toEqual({ certificate_usage_mismatch: 1 });
  });

  test("openssl s_client is served, and renegotiation is refused", async () => {
    await apply(listenerOf({ tls: mutual("optional") }));
    const args = ["s_client", "-connect", `127.0.0.1:${portOf()}`, "-tls1_2"];
    const output = await new Promise<string>((resolve) => {
      const child = execFile("openssl", args, { timeout: PATIENCE_MS }, (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      );
      void eventually(() => served.length === 1).then(() => child.stdin?.write("R\n"));
      void eventually(() => served[0]?.socket.destroyed).then(
        () => {},
        () => {},
      );
    });
    expect(output).toMatch(/no renegotiation|unexpected message|handshake failure/i);
    expect(output).toContain("inbound");
  });
});

describe("broken and hostile clients", () => {
  test("plain HTTP to a TLS port is counted as no TLS", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const client = plainClient();
    client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await answer(client);
    expect(await failure()).toEqual({ not_tls: 1 });
  });

  test("garbage to a TLS port ends the connection and nothing else", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const garbage = [
      Buffer.alloc(4_096, 0x00),
      Buffer.alloc(4_096, 0xff),
      Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"),
      Buffer.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0]),
    ];
    for (const bytes of garbage) {
      const client = plainClient();
      client.write(bytes);
      client.resume();
      await new Promise((resolve) => client.once("close", resolve));
    }
    await eventually(() => telemetry.metrics.listener("inbound").connectionsOpen === 0);
    expect(Object.values(failures()).reduce((sum, count) => sum + count, 0)).toBe(garbage.length);
    expect(await answer(tlsClient())).toBe("inbound\n");
  });

  test("a handshake that takes too long is ended, also where a byte comes now and then", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server), handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS }));
    const silent = plainClient();
    const dripping = plainClient();
    const hello = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...new Array<number>(500).fill(7)]);
    let at = 0;
    const drip = setInterval(() => dripping.write(hello.subarray(at, ++at)), HANDSHAKE_TIMEOUT_MS / 10);
    await Promise.all(
      [silent, dripping].map((client) => new Promise((resolve) => client.resume().once("close", resolve))),
    );
    clearInterval(drip);
    expect(at).toBeLessThan(100);
    await eventually(() => failures().timeout === 2);
  });

  test("a client that goes away in the middle of a handshake is counted as closed", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const client = plainClient();
    client.write(Buffer.from([0x16, 3, 1, 2, 0, 1]), () => client.resetAndDestroy());
    expect(await failure()).toEqual({ closed: 1 });
  });

  test("a client that says no more behind its hello is gone at once, and counted as closed", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const socket = plainClient();
    let isOver = false;
    const gate = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        if (!isOver) socket.write(chunk);
        isOver = true;
        done();
      },
    });
    connectTls({ socket: gate, ca: pki.ca.certificate, servername: "localhost" }).on("error", () => {});
    // The server's half of the handshake is here.
    socket.once("data", () => socket.end());
    expect(await failure()).toEqual({ closed: 1 });
    await eventually(() => telemetry.metrics.listener("inbound").connectionsOpen === 0);
  });

  test("resets at any moment throw nothing, and every connection is counted down", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const resets = Array.from({ length: 40 }, async (_, at) => {
      const socket = plainClient();
      const closed = new Promise((resolve) => socket.once("close", resolve));
      if (at % 2 === 0) tlsClient({ socket, ca: pki.ca.certificate, servername: "localhost" });
      if (at % 4 < 2) socket.once("connect", () => socket.resetAndDestroy());
      else setTimeout(() => socket.resetAndDestroy(), at % 7);
      await closed;
    });
    await Promise.all(resets);
    await eventually(() => telemetry.metrics.listener("inbound").connectionsOpen === 0);
    expect(await answer(tlsClient())).toBe("inbound\n");
  });

  test("beyond connectionsMax a connection is closed at once and counted, and room is given again", async () => {
    await apply(listenerOf({ connectionsMax: 2 }));
    const [first, second] = [plainClient(), plainClient()];
    await Promise.all([answer(first), answer(second)]);
    expect(await answer(plainClient())).toBeNull();
    expect(telemetry.metrics.listener("inbound")).toMatchObject({
      connectionsOpen: 2,
      connectionsRefused: { connections_max: 1 },
    });
    expect(sink.events("connection_refused")).toHaveLength(1);
    first.destroy();
    await eventually(() => telemetry.metrics.listener("inbound").connectionsOpen === 1);
    expect(await answer(plainClient())).toBe("inbound\n");
  });

  test("clients in the middle of a handshake count towards connectionsMax", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server), connectionsMax: 2 }));
    plainClient();
    plainClient();
    await eventually(() => telemetry.metrics.listener("inbound").connectionsOpen === 2);
    expect(await answer(tlsClient())).toBeNull();
    expect(telemetry.metrics.listener("inbound").connectionsRefused.connections_max).toBe(1);
  });
});

describe("ports over reloads", () => {
  test("an address in use refuses the whole change, and what ran goes on", async () => {
    const occupied = createServer();
    await new Promise<void>((resolve) => occupied.listen(0, "127.0.0.1", resolve));
    const address = occupied.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await apply(listenerOf());
    const problems = await apply(
      listenerOf({ name: "third" }),
      listenerOf({ name: "second", address: { type: "tcp", host: "127.0.0.1", port } }),
    );
    expect(problems.map(({ text }) => text)).toEqual([
      `listener 'second' on tcp:127.0.0.1:${port}: cannot listen: EADDRINUSE`,
    ]);
    expect(listeners.status().map(({ name }) => name)).toEqual(["inbound"]);
    expect(await answer(plainClient())).toBe("inbound\n");
    await new Promise((resolve) => occupied.close(resolve));
  });

  test("a listener that is added opens, one that is removed closes and keeps its connections for now", async () => {
    await apply(listenerOf({ name: "a" }));
    const portA = portOf("a");
    const old = plainClient(portA);
    await answer(old);
    await apply(listenerOf({ name: "b" }));
    expect(await answer(plainClient(portOf("b")))).toBe("b\n");
    expect(await answer(plainClient(portA))).toBeNull();
    old.write("still here");
    expect(await answer(old)).toBe("still here");
  });

  test("two listeners with one address are a problem", async () => {
    const address = { type: "unix", path: join(tmpdir(), `postern-${process.pid}-twice.sock`) } as const;
    const problems = await apply(listenerOf({ address }), listenerOf({ name: "again", address }));
    expect(problems.map(({ text }) => text.split(": ").at(-1))).toEqual(["another listener has the same address"]);
  });

  test("a listener may go from plain HTTP to TLS and back on the same port", async () => {
    await apply(listenerOf());
    const port = portOf();
    expect(await answer(plainClient())).toBe("inbound\n");
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    expect(await answer(tlsClient())).toBe("inbound\n");
    await apply(listenerOf());
    expect(await answer(plainClient())).toBe("inbound\n");
    expect(portOf()).toBe(port);
    expect(served.map(({ facts }) => facts.secure)).toEqual([false, true, false]);
  });

  test("a socket that the service manager did not pass is a problem", async () => {
    const problems = await apply(listenerOf({ address: { type: "fd", name: "http" } }));
    expect(problems[0]?.text).toContain("passed no socket named 'http'");
  });

  test("connections that come before a new policy is in force wait for it", async () => {
    const prepared = await listeners.prepare(
      snapshotOf({ listeners: [listenerOf({ address: { type: "unix", path: socketPath() } })] }),
    );
    const client = connect(socketPath());
    clients.push(client);
    await new Promise((resolve) => client.once("connect", resolve));
    expect(served).toEqual([]);
    if (prepared.ok) prepared.value.commit();
    expect(await answer(client)).toBe("inbound\n");
  });
});

let folder = "";
function socketPath(): string {
  folder ||= mkdtempSync(join(tmpdir(), "postern-socket-"));
  return join(folder, "app.sock");
}

describe("Unix sockets", () => {
  afterEach(() => {
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
    folder = "";
  });

  const onSocket = () => listenerOf({ address: { type: "unix", path: socketPath() } });

  test("the peer is marked as having no address, and others than owner and group may not connect", async () => {
    await apply(onSocket());
    const client = connect(socketPath());
    clients.push(client);
    expect(await answer(client)).toBe("inbound\n");
    expect(served[0]?.facts.peer.text).toBe("unix");
    expect(statSync(socketPath()).mode & 0o777).toBe(0o660);
  });

  test("a socket that a crash left behind is replaced", async () => {
    const script = `require("node:net").createServer().listen(${JSON.stringify(socketPath())}, () => process.kill(process.pid, "SIGKILL"))`;
    await new Promise((resolve) => execFile(process.execPath, ["-e", script], resolve));
    expect(existsSync(socketPath())).toBe(true);
    expect(await apply(onSocket())).toEqual([]);
  });

  test("the socket of a process that lives is not taken away", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(socketPath(), resolve));
    expect((await apply(onSocket()))[0]?.text).toContain("another process listens there");
    await new Promise((resolve) => other.close(resolve));
  });

  test("a file that is no socket is never removed", async () => {
    writeFileSync(socketPath(), "precious");
    expect((await apply(onSocket()))[0]?.text).toContain("is not a socket");
    expect(existsSync(socketPath())).toBe(true);
  });
});

describe("memory of handshakes", () => {
  const closed = (client: Socket): Promise<unknown> => new Promise((resolve) => client.resume().once("close", resolve));

  test("a connection holds little before its hello, and nothing once it is served or gone", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const silent = plainClient();
    await eventually(() => memory.handshakes.heldBytes === DEFAULTS.memoryWaitingBytes);
    silent.destroy();
    await eventually(() => memory.handshakes.heldBytes === 0);
    expect(await answer(tlsClient())).toBe("inbound\n");
    expect([memory.handshakes.heldBytes, failures()]).toEqual([0, { closed: 1 }]);
  });

  test("the oldest of an address that holds its share gives way, and its client's next handshake comes through", async () => {
    memory.handshakes.clientBytesMax = 10 * DEFAULTS.memoryWaitingBytes;
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const silent: Socket[] = [];
    for (let at = 1; at <= 10; at++) {
      silent.push(plainClient());
      await eventually(() => memory.handshakes.heldBytes === at * DEFAULTS.memoryWaitingBytes);
    }
    const gone = closed(silent[0] ?? plainClient());
    expect(await answer(tlsClient())).toBe("inbound\n");
    await gone;
    expect(failures().memory_handshakes).toBeGreaterThan(0);
    expect(silent.at(-1)?.closed).toBe(false);
  });

  test("a hello in crumbs is one; what is none is left to TLS to refuse", async () => {
    await apply(listenerOf({ tls: tlsOf(pki.server) }));
    const dripping = new PassThroughSocket(portOf());
    clients.push(dripping.outer);
    expect(await answer(tlsClient({ socket: dripping.duplex }))).toBe("inbound\n");
    plainClient().write("GET / HTTP/1.1\r\n\r\n");
    expect(await failure()).toEqual({ not_tls: 1 });
  });
});

/** A connection whose every write goes out byte by byte. */
class PassThroughSocket {
  readonly outer: Socket;
  readonly duplex: Duplex;

  constructor(port: number) {
    this.outer = connect({ port, host: "127.0.0.1", noDelay: true });
    this.outer.on("error", () => {});
    this.duplex = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        for (const byte of chunk) this.outer.write(Buffer.of(byte));
        done();
      },
    });
    this.outer.on("data", (data) => this.duplex.push(data));
  }
}
