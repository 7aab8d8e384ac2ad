import { afterEach, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { refuseWebSocket } from "../../src/proxy/web-socket.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { closeAll, snapshotOf, startProxy, startScriptedService, type TestProxyOptions } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { TestClock } from "../fixtures/telemetry.ts";
import { closeText, frame, handshake, KEY, SWITCH, startRawWebSocketService } from "../fixtures/web-socket.ts";

afterEach(closeAll);

const webSocket = { frameBytesMax: 1024 * 1024, lifetimeMs: Number.POSITIVE_INFINITY };
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function setUp(options: TestProxyOptions = {}, answer: string | Buffer = SWITCH) {
  const service = await startRawWebSocketService(answer);
  const proxy = await startProxy({ upstreamPort: service.port, ...options, route: { webSocket, ...options.route } });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  return { ...proxy, service, client };
}

/** A tunnel that stands, and what is received in it from here on. */
async function setUpOpen(options: TestProxyOptions = {}) {
  const world = await setUp(options);
  world.client.write(handshake());
  await world.client.untilReceived("\r\n\r\n");
  world.client.received = "";
  const headBytes = world.service.received[0]?.length ?? 0;
  const [socket] = world.service.sockets;
  if (socket === undefined) throw new Error("no connection to the service");
  return {
    ...world,
    socket,
    arrived: () => (world.service.received[0] ?? "").slice(headBytes),
    recorded: () => eventually(() => world.records[0]),
  };
}

/** The code in a masked Close frame at the end of `text`. */
function maskedCloseCode(text: string): number | null {
  const bytes = Buffer.from(text, "latin1").subarray(-8);
  if (bytes.length < 8 || bytes[0] !== 0x88 || bytes[1] !== 0x82) return null;
  return bytes.readUInt16BE(6) ^ bytes.readUInt16BE(2);
}

describe("a handshake", () => {
  test("is written anew, and what the service and the client send after it goes both ways", async () => {
    const { client, service, recorded, socket, arrived } = await setUpOpen();
    expect(service.received[0]).toBe(
      `GET / HTTP/1.1\r\nhost: a.example\r\nsec-websocket-key: ${KEY}\r\nsec-websocket-version: 13\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    );
    client.write(frame("from the client"));
    await eventually(() => arrived().includes("from the client"));
    socket.write(frame("from the service", false));
    await client.untilReceived("from the service");
    client.write(frame(Buffer.from([3, 232]), true, 0x88));
    await eventually(() => arrived().length === 21 + 8);
    socket.end(frame(Buffer.from([3, 232]), false, 0x88));
    await client.untilClosed();
    client.end();
    expect(await recorded()).toMatchObject({
      status: 101,
      reason: null,
      requestBodyBytes: 21 + 8,
      responseBodyBytes: 18 + 4,
    });
  });

  test("is answered 101 with the service's words, and nothing else", async () => {
    const { client } = await setUp();
    client.write(handshake());
    const head = await client.untilReceived("\r\n\r\n");
    expect(head.toLowerCase()).toBe(
      "http/1.1 101 switching protocols\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
  });

  const refused: Record<string, [wire: string, status: number, reason: string]> = {
    "with a garbage key": [handshake("/", { "Sec-WebSocket-Key": "x" }), 400, "websocket_invalid"],
    "without a key": [handshake("/", { "Sec-WebSocket-Key": null }), 400, "websocket_invalid"],
    "of version 8": [handshake("/", { "Sec-WebSocket-Version": "8" }), 426, "websocket_version_unsupported"],
    "that Connection does not name": [handshake("/", { Connection: "keep-alive" }), 400, "upgrade_refused"],
    "with a body": [`${handshake("/", { "Content-Length": "5" })}hello`, 400, "request_malformed"],
    "as POST": [handshake().replace("GET", "POST"), 400, "websocket_invalid"],
  };
  for (const [name, [wire, status, reason]] of Object.entries(refused)) {
    test(`${name} is refused, and what follows is neither a tunnel nor a request`, async () => {
      const { client, service, records } = await setUp();
      client.write(`${wire}GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n`);
      await client.untilClosed();
      expect(client.received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(client.received).toContain(`"reason":"${reason}"`);
      expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(service.received).toEqual([]);
      expect(records).toMatchObject([{ status, reason }]);
    });
  }

  test("of another version is told which one to speak", async () => {
    const { client } = await setUp();
    client.write(handshake("/", { "Sec-WebSocket-Version": "7" }));
    await client.untilReceived("websocket_version_unsupported");
    expect(client.received).toContain("sec-websocket-version: 13\r\n");
  });

  test("on a route that does not say 'websocket' is refused", async () => {
    const { client, service, records } = await setUp({ route: { webSocket: null } });
    client.write(handshake());
    await client.untilReceived("upgrade_refused");
    expect(service.received).toEqual([]);
    expect(records).toMatchObject([{ status: 400, reason: "upgrade_refused", denial: { place: { line: 7 } } }]);
  });

  test("that a check denies never reaches the service", async () => {
    const { client, service } = await setUp({ evaluate: () => new Denial("scope_missing", null, "a", "b") });
    client.write(handshake() + frame("early").toString("latin1"));
    await client.untilClosed();
    expect(client.received).toContain("scope_missing");
    expect(service.received).toEqual([]);
  });

  test("in HTTP/1.0 is a request like any other (RFC 9110 section 7.8)", async () => {
    const { client, service } = await setUp({}, OK);
    client.write(handshake("/", {}, "1.0"));
    await client.untilReceived("ok");
    expect(service.received[0]).not.toContain("upgrade");
  });
});

describe("the service's answer", () => {
  test("that is not 101 is an answer, and nothing is tunnelled", async () => {
    const heads: string[] = [];
    const upstreamPort = await startScriptedService((head) => {
      heads.push(head);
      return OK;
    });
    const { port } = await startProxy({ upstreamPort, route: { webSocket } });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    client.write(handshake());
    client.write(frame("no tunnel here"));
    await client.untilClosed();
    expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n\r\nok$/);
    expect(heads).toHaveLength(1);
    expect(heads[0]).not.toContain("no tunnel here");
  });

  const wrong: Record<string, string> = {
    "the accept of another key": SWITCH.replace("s3pPLM", "s3pPLN"),
    "no accept": SWITCH.replace(/Sec-WebSocket-Accept.*\r\n/, ""),
    "another protocol": SWITCH.replace("websocket", "h2c"),
    "no Connection": SWITCH.replace("Connection: Upgrade\r\n", ""),
    "a length": SWITCH.replace("Connection", "Content-Length: 5\r\nConnection"),
    "a subprotocol that nobody offered": SWITCH.replace("Connection", "Sec-WebSocket-Protocol: x\r\nConnection"),
    "HTTP/1.0": SWITCH.replace("HTTP/1.1", "HTTP/1.0"),
  };
  for (const [name, answer] of Object.entries(wrong)) {
    test(`of 101 with ${name} is a 502, and nothing behind it leaks`, async () => {
      const { client, records, service } = await setUp({}, `${answer}s3cret`);
      client.write(handshake());
      await client.untilReceived("upstream_response_invalid");
      expect(client.received).toMatch(/^HTTP\/1.1 502 /);
      expect(client.received).not.toContain("s3cret");
      expect(records).toMatchObject([{ status: 502, reason: "upstream_response_invalid" }]);
      await eventually(() => service.sockets[0]?.readableEnded || service.sockets[0]?.destroyed);
    });
  }

  test("may bring the first frame with its 101", async () => {
    const { client } = await setUp({}, Buffer.concat([Buffer.from(SWITCH), frame("at once", false)]));
    client.write(handshake());
    expect(await client.untilReceived("at once")).toMatch(/\r\n\r\n\x82\x07at once$/);
  });
});

describe("a client that does not wait for the 101", () => {
  test("finds its first frames delivered", async () => {
    const { client, service } = await setUp();
    client.write(Buffer.concat([Buffer.from(handshake()), frame("eager"), frame("and again")]));
    await eventually(() => service.received[0]?.includes("and again"));
    client.write(frame("afterwards"));
    await eventually(() => service.received[0]?.includes("afterwards"));
  });

  test("is held back when it sends much, and loses nothing", async () => {
    let answer: () => void = () => {};
    const service = await startRawWebSocketService("");
    const { port } = await startProxy({ upstreamPort: service.port, route: { webSocket } });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    const big = Buffer.alloc(900_000, "x");
    client.write(handshake());
    for (let at = 0; at < 4; at++) client.write(frame(big));
    await eventually(() => service.sockets[0]);
    answer = () => service.sockets[0]?.write(SWITCH);
    expect(service.received[0]).not.toContain("xxx");
    answer();
    await eventually(() => (service.received[0]?.match(/x/g)?.length ?? 0) > 3_600_000);
  });
});

describe("frames", () => {
  const faults: Record<string, [wire: Buffer, code: number]> = {
    "that are not masked": [frame("hi", false), 1002],
    "that are HTTP": [Buffer.from("GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"), 1002],
    "over the limit": [Buffer.concat([frame("first"), frame(Buffer.alloc(1024 * 1024 + 1))]), 1009],
  };
  for (const [name, [wire, code]] of Object.entries(faults)) {
    test(`of a client ${name} close with ${code}, and the service sees a client that goes`, async () => {
      const { client, recorded, arrived, socket } = await setUpOpen();
      client.write(wire);
      await client.untilReceived(closeText(code, "websocket_violation"));
      await client.untilClosed();
      await eventually(() => maskedCloseCode(arrived()) === 1001);
      expect(arrived()).not.toContain("hi");
      expect(arrived()).not.toContain("admin");
      socket.end(closeText(1001), "latin1");
      client.end();
      expect(await recorded()).toMatchObject({ status: 101, reason: "websocket_violation" });
    });
  }

  test("of a service that are masked close it with 1002 and the client with 1014", async () => {
    const { client, recorded, arrived, socket } = await setUpOpen();
    socket.write(frame("masked", true));
    await client.untilReceived(closeText(1014, "upstream_response_invalid"));
    await eventually(() => maskedCloseCode(arrived()) === 1002);
    expect(client.received).not.toContain("masked");
    client.write(frame(Buffer.from([3, 246]), true, 0x88));
    await client.untilClosed();
    client.end();
    socket.end();
    expect(await recorded()).toMatchObject({ reason: "upstream_response_invalid" });
  });

  test("under way are finished before a Close frame stands behind them", async () => {
    const { client, socket } = await setUpOpen();
    const big = frame(Buffer.alloc(1000, "b"), false);
    socket.write(big.subarray(0, 500));
    await client.until(() => client.received.length === 500);
    client.write(frame("not masked", false));
    await eventually(() => socket.bytesRead > 0);
    socket.write(big.subarray(500));
    const close = closeText(1002, "websocket_violation");
    await client.untilReceived(close);
    expect(client.received).toBe(big.toString("latin1") + close);
  });
});

describe("a tunnel ends", () => {
  test("with 1001 when no byte moves, on both sides", async () => {
    const { client, arrived, recorded, socket } = await setUpOpen({ upstream: { streamIdleTimeoutMs: 100 } });
    await client.untilReceived(closeText(1001, "stream_idle"));
    await eventually(() => maskedCloseCode(arrived()) === 1001);
    client.write(frame(Buffer.from([3, 233]), true, 0x88));
    socket.write(frame(Buffer.from([3, 233]), false, 0x88));
    await client.untilClosed();
    client.end();
    socket.end();
    expect(await recorded()).toMatchObject({ status: 101, reason: "stream_idle" });
  });

  test("with 1001 when its life is over, however busy", async () => {
    const { client, recorded } = await setUpOpen({ route: { webSocket: { ...webSocket, lifetimeMs: 300 } } });
    while (!client.received.includes(closeText(1001, "stream_lifetime"))) {
      client.write(frame("busy"));
      await new Promise(setImmediate);
    }
    expect(await recorded()).toMatchObject({ reason: "stream_lifetime" });
  });

  test("with 1001 on both sides when the exchange has taken streamMaxDuration, and is counted once", async () => {
    const clock = new TestClock();
    const upstream = { streamDurationMaxMs: 60_000, streamIdleTimeoutMs: 40_000 };
    const { client, arrived, recorded, records, socket, sweep } = await setUpOpen({ clock, upstream });
    for (const word of ["one", "two"]) {
      clock.monotonic += 29_000;
      sweep();
      socket.write(frame(word, false));
      await client.untilReceived(word);
    }
    expect(records).toEqual([]);
    clock.monotonic += 2_001;
    sweep();
    await client.untilReceived(closeText(1001, "stream_duration_exceeded"));
    await eventually(() => maskedCloseCode(arrived()) === 1001);
    client.write(frame(Buffer.from([3, 233]), true, 0x88));
    socket.write(frame(Buffer.from([3, 233]), false, 0x88));
    await client.untilClosed();
    client.end();
    socket.end();
    expect(await recorded()).toMatchObject({ status: 101, reason: "stream_duration_exceeded" });
  });

  test("though nobody answers the Close frame", async () => {
    const { client, recorded } = await setUpOpen({ upstream: { streamIdleTimeoutMs: 100 } });
    await client.until(() => client.closed || client.ended);
    expect(await recorded()).toMatchObject({ reason: "stream_idle" });
  });

  test("on both sides when the client is gone without a word", async () => {
    const { client, recorded, socket } = await setUpOpen();
    client.destroy();
    await eventually(() => socket.readableEnded);
    expect(await recorded()).toMatchObject({ status: 101, reason: "client_closed" });
  });

  test("on both sides when the service is gone without a word, after what it sent", async () => {
    const { client, recorded, socket } = await setUpOpen();
    socket.write(frame("last words", false), () => socket.destroy());
    await client.untilClosed();
    client.end();
    expect(client.received).toContain("last words");
    expect(await recorded()).toMatchObject({ reason: "upstream_response_cut" });
  });

  test("with 1001 for the client and the service when postern drains", async () => {
    const { client, arrived, proxy, recorded, socket } = await setUpOpen();
    const drained = proxy.drain();
    await client.untilReceived(closeText(1001));
    await eventually(() => maskedCloseCode(arrived()) === 1001);
    client.write(frame(Buffer.from([3, 233]), true, 0x88));
    socket.end(frame(Buffer.from([3, 233]), false, 0x88));
    await client.untilClosed();
    client.end();
    await drained;
    expect(await recorded()).toMatchObject({ status: 101, reason: null });
  });
});

test("a client that never reads does not make postern hoard", async () => {
  const { client, socket, proxy, recorded } = await setUpOpen();
  client.pause();
  const big = frame(Buffer.alloc(500_000, "z"), false);
  let written = 0;
  while (written < 200 && (socket.write(big) || socket.writableLength < 2_000_000)) written++;
  // The service cannot get rid of its bytes: nobody between takes them off its hands.
  await eventually(() => socket.writableLength > 1_000_000);
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(80 * 1024 * 1024);
  proxy.close();
  await recorded();
});

test("a service is pooled again after refusing, and a WebSocket takes no place of plain requests", async () => {
  const { client, port, service } = await setUp({ upstream: { connectionsMax: 1 } });
  client.write(handshake());
  await client.untilReceived("101 Switching");
  const other = await RawClient.connect({ port, host: "127.0.0.1" });
  other.write(handshake("/second"));
  await other.untilReceived("101 Switching");
  expect(service.sockets).toHaveLength(2);
});

test("beyond the streams that may last none begins, and it is not the service that is blamed", () => {
  const service = snapshotOf({}).upstreams.get("app");
  if (service === undefined) throw new Error("no service");
  expect(refuseWebSocket(service, DEFAULTS.lastingStreamsMax - 1)).toBeNull();
  expect(refuseWebSocket(service, DEFAULTS.lastingStreamsMax)?.reason).toBe("overloaded");
});
