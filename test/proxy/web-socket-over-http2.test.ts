import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { acceptOf } from "../../src/websocket/handshake.ts";
import { eventually } from "../fixtures/eventually.ts";
import { closeAll, onClose, startProxy, startRawService, type TestProxyOptions } from "../fixtures/proxy.ts";
import { closeText, frame, SWITCH, startRawWebSocketService } from "../fixtures/web-socket.ts";

afterEach(closeAll);

const webSocket = { frameBytesMax: 1024 * 1024, lifetimeMs: Number.POSITIVE_INFINITY };

/** A service that answers each handshake with the accept of the key that came, and keeps the rest. */
async function startAcceptingService() {
  const received: string[] = [];
  const sockets: import("node:net").Socket[] = [];
  const port = await startRawService((socket) => {
    const at = sockets.push(socket) - 1;
    received[at] = "";
    socket.on("data", (chunk) => {
      const before = received[at] ?? "";
      received[at] = before + chunk.toString("latin1");
      if (before.includes("\r\n\r\n")) return;
      const key = /sec-websocket-key: (\S+)/.exec(received[at] ?? "")?.[1] ?? "";
      socket.write(SWITCH.replace(/Accept: .*\r/, `Accept: ${acceptOf(key)}\r`));
    });
  });
  return { port, received, sockets };
}

async function setUp(options: TestProxyOptions = {}) {
  const service = await startAcceptingService();
  const upstreamPort = options.upstreamPort ?? service.port;
  const proxy = await startProxy({ ...options, upstreamPort, protocol: "h2", route: { webSocket, ...options.route } });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  session.on("error", () => {});
  onClose(() => session.destroy());
  await once(session, "remoteSettings");
  return { ...proxy, service, session };
}

interface Opened {
  readonly stream: ClientHttp2Stream;
  readonly status: number;
  readonly headers: Record<string, unknown>;
  text: string;
}

async function ask(session: ClientHttp2Session, changes: Record<string, string | undefined> = {}): Promise<Opened> {
  const all = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "http",
    ":authority": "a.example",
    ":path": "/chat",
    "sec-websocket-version": "13",
    ...changes,
  };
  const fields = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const stream = session.request(fields, { endStream: false });
  const opened = { stream, status: 0, headers: {}, text: "" };
  stream.on("data", (chunk: Buffer) => {
    opened.text += chunk.toString("latin1");
  });
  stream.on("error", () => {});
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  return Object.assign(opened, { status: Number(headers[":status"]), headers });
}

test("the session says that it takes extended CONNECT", async () => {
  const { session } = await setUp();
  expect(session.remoteSettings.enableConnectProtocol).toBe(true);
});

test("a WebSocket over a stream reaches the service as an upgrade with a key of its own, and bytes go both ways", async () => {
  const { session, service, records } = await setUp();
  const { stream, status, headers } = await ask(session, { "sec-websocket-protocol": "chat" });
  expect(status).toBe(200);
  expect(headers).not.toHaveProperty("sec-websocket-accept");
  expect(headers).not.toHaveProperty("connection");
  const head = service.received[0] ?? "";
  expect(head).toMatch(/^GET \/chat HTTP\/1\.1\r\nhost: a\.example\r\n/);
  expect(head).toMatch(/\r\nsec-websocket-key: [A-Za-z0-9+/]{21}[AQgw]==\r\n/);
  expect(head).toMatch(/\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n$/);
  stream.write(frame("from the client"));
  await eventually(() => service.received[0]?.endsWith("from the client"));
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  service.sockets[0]?.write(frame("from the service", false));
  await eventually(() => text.endsWith("from the service"));
  stream.write(frame(Buffer.from([3, 232]), true, 0x88));
  await eventually(() => service.received[0]?.length === head.length + 21 + 8);
  service.sockets[0]?.end(frame(Buffer.from([3, 232]), false, 0x88));
  stream.end();
  const record = await eventually(() => records[0]);
  expect(record).toMatchObject({ status: 101, reason: null, requestBodyBytes: 29, responseBodyBytes: 22 });
  expect(session.destroyed).toBe(false);
});

test("many of them share one connection, and what ends one leaves the others", async () => {
  const { session, service } = await setUp();
  const first = await ask(session);
  const second = await ask(session);
  first.stream.write(frame("not masked", false));
  await eventually(() => first.text.includes(closeText(1002, "websocket_violation")));
  second.stream.write(frame("still here"));
  await eventually(() => service.received[1]?.endsWith("still here"));
});

test("much traffic in small frames is no flood", async () => {
  const { session, service } = await setUp();
  const { stream } = await ask(session);
  for (let at = 0; at < 20_000; at++) {
    if (!stream.write(frame("x"))) await once(stream, "drain");
  }
  stream.write(frame("the last"));
  await eventually(() => service.received[0]?.endsWith("the last"));
  expect(session.destroyed).toBe(false);
});

describe("refused", () => {
  const cases: Record<string, [changes: Record<string, string | undefined>, status: number, reason: string]> = {
    "another protocol": [{ ":protocol": "connect-udp" }, 400, "upgrade_refused"],
    "another version": [{ "sec-websocket-version": "8" }, 426, "websocket_version_unsupported"],
    "no version": [{ "sec-websocket-version": undefined }, 426, "websocket_version_unsupported"],
    "a key, which belongs to HTTP/1.1": [{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" }, 400, "websocket_invalid"],
  };
  for (const [name, [changes, status, reason]] of Object.entries(cases)) {
    test(`is ${name}`, async () => {
      const { session, service } = await setUp();
      const answer = await ask(session, changes);
      expect(answer.status).toBe(status);
      await eventually(() => answer.text.includes(`"reason":"${reason}"`));
      expect(service.received).toEqual([]);
    });
  }

  test("is a route that does not say 'websocket'", async () => {
    const { session, service } = await setUp({ route: { webSocket: null } });
    const answer = await ask(session);
    expect(answer.status).toBe(400);
    await eventually(() => answer.text.includes("upgrade_refused"));
    expect(service.received).toEqual([]);
  });

  test("is what a check denies", async () => {
    const { session, service } = await setUp({ evaluate: () => new Denial("scope_missing", null, "a", "b") });
    expect((await ask(session)).status).toBe(403);
    expect(service.received).toEqual([]);
  });

  test("is CONNECT without a protocol, as ever", async () => {
    const { session, service } = await setUp();
    const plain = { ":protocol": undefined, ":scheme": undefined, ":path": undefined };
    expect((await ask(session, plain)).status).toBe(405);
    expect(service.received).toEqual([]);
  });
});

test("a service that answers another key is a 502, and nothing leaks", async () => {
  const service = await startRawWebSocketService(`${SWITCH}s3cret`);
  const { session } = await setUp({ upstreamPort: service.port });
  const answer = await ask(session);
  expect(answer.status).toBe(502);
  await eventually(() => answer.text.includes("upstream_response_invalid"));
  expect(answer.text).not.toContain("s3cret");
});

test("a client that resets its stream frees the service's connection", async () => {
  const { session, service, records } = await setUp();
  const { stream } = await ask(session);
  stream.close(8);
  await eventually(() => service.sockets[0]?.readableEnded);
  service.sockets[0]?.end();
  expect(await eventually(() => records[0])).toMatchObject({ reason: "client_closed" });
});

test("draining closes them with 1001 and the session behind them", async () => {
  const { session, service, proxy } = await setUp();
  const opened = await ask(session);
  const drained = proxy.drain();
  await eventually(() => opened.text.includes(closeText(1001)));
  opened.stream.end(frame(Buffer.from([3, 233]), true, 0x88));
  service.sockets[0]?.end(frame(Buffer.from([3, 233]), false, 0x88));
  await drained;
});
