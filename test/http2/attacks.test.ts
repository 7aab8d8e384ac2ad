// Goal: what a client can do with frames alone neither harms a client with manners, nor has a request done twice or not at
// all, nor buys time that the limits do not give. Method: raw frames, one attack a test, split into reads where that matters.
import { once } from "node:events";
import { connect, Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { CONTINUE } from "../../src/decision/verdict.ts";
import { FrameOutput } from "../../src/http2/frame-output.ts";
import { ResponseBlocks } from "../../src/http2/hpack-encoder.ts";
import { SendQueue } from "../../src/http2/send-queue.ts";
import { StreamConnection } from "../../src/http2/server-stream.ts";
import { UNIX_PEER } from "../../src/message/address.ts";
import { CHUNKED } from "../../src/message/body.ts";
import type { ProxyServer } from "../../src/proxy/proxy.ts";
import { acceptOf } from "../../src/websocket/handshake.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import {
  ERROR,
  type Field,
  FLAG,
  fields,
  frame,
  H2RawClient,
  PREFACE,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { closeAll, startProxy, startRawService, type TestProxyOptions } from "../fixtures/proxy.ts";
import { listenerOf } from "../fixtures/snapshot.ts";
import { TestClock } from "../fixtures/telemetry.ts";
import { SWITCH, frame as webSocketFrame } from "../fixtures/web-socket.ts";

afterEach(closeAll);

/** A service that notes what comes, answers /ok and whole chunked bodies, and keeps everybody else waiting. */
async function start(options: TestProxyOptions = {}) {
  const service = { received: "", connections: 0 };
  const upstreamPort = await startRawService((socket) => {
    service.connections++;
    socket.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      service.received += text;
      if (text.includes(" /ok ") || text.endsWith("0\r\n\r\n"))
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    socket.on("end", () => socket.end());
  });
  const running = await startProxy({ upstreamPort, protocol: "h2", ...options });
  const client = await H2RawClient.connect({ port: running.port, host: "127.0.0.1" });
  await client.until(() => client.frames.some((one) => one.type === TYPE.settings));
  return { ...running, service, client };
}

/** The proxy's end of a connection whose client may stop reading: nothing of it lies in the kernel. */
class HeldSocket extends Socket {
  holds = false;
  written = 0;
  text = "";
  #held: (() => void)[] = [];

  release(): void {
    this.holds = false;
    for (const taken of this.#held.splice(0)) taken();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    const write = (): void => {
      this.written += chunk.length;
      this.text += chunk.toString("latin1");
      taken();
    };
    if (this.holds) this.#held.push(write);
    else write();
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], taken: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "latin1", taken);
  }

  override _final(done: () => void): void {
    if (this.holds) this.#held.push(done);
    else done();
  }
}

function serveHeld(proxy: ProxyServer): HeldSocket {
  const socket = new HeldSocket({ allowHalfOpen: true });
  const place = { file: "test.yaml", line: 7, column: 3, path: "routes[0]" };
  const facts = { listener: "test", peer: UNIX_PEER, proxyPeer: null, secure: false, certificate: null } as const;
  proxy.serve(socket, { ...facts, protocol: "h2" }, listenerOf({ name: "test", place }));
  return socket;
}

/** Time for the other side to read what was written as a read of its own. */
async function settle(client: H2RawClient): Promise<void> {
  const pings = () => client.frames.filter((one) => one.type === TYPE.ping && one.flags === FLAG.ack).length;
  const before = pings();
  client.write(frame(TYPE.ping, 0, 0, "settled?"));
  await client.until(() => pings() > before);
}

test("an upload whose frames' heads come in reads of their own is no flood of empty frames", async () => {
  const { client, sessionsClosed } = await start();
  client.write(request(1, fields("/up", [], "POST"), false));
  for (let at = 0; at < 150; at++) {
    const one = frame(TYPE.data, 0, 1, "x");
    client.write(one.subarray(0, 9));
    await new Promise((resolve) => setTimeout(resolve, 3));
    client.write(one.subarray(9));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  client.write(frame(TYPE.data, FLAG.endStream, 1));
  expect(await client.outcome(1)).toBe(200);
  expect(sessionsClosed).toEqual([]);
});

test("a client that measures its bandwidth with a ping for each frame, as gRPC in Go does, is no flood", async () => {
  const { client, sessionsClosed } = await start();
  for (let at = 0, id = 1; at < 60; at++) {
    const asked = Array.from({ length: 40 }, () => {
      id += 2;
      return id - 2;
    });
    client.write(...asked.map((one) => request(one, fields("/ok"))));
    for (const one of asked) await client.until(() => client.ended(one));
    client.write(windowUpdate(0, 80), ...asked.map(() => frame(TYPE.ping, 0, 0, "bandwith")));
  }
  await settle(client);
  expect(client.goaway).toBeUndefined();
  expect(sessionsClosed).toEqual([]);
});

/** Ways in which an upload comes to nothing; each sends `size` bytes of DATA, or fewer where that is the way. */
const LOST_UPLOADS: Record<string, (id: number, part: (id: number, flags?: number) => Buffer) => Buffer> = {
  "of a head that has no reading": (id, part) =>
    Buffer.concat([request(id, fields("/", [["connection", "x"]], "POST"), false), part(id)]),
  "that is denied": (id, part) => Buffer.concat([request(id, fields("/", [], "TRACE"), false), part(id)]),
  "that its client resets": (id, part) =>
    Buffer.concat([request(id, fields("/hang", [], "POST"), false), part(id), rstStream(id)]),
  "longer than announced": (id, part) =>
    Buffer.concat([request(id, fields("/hang", [["content-length", "9"]], "POST"), false), part(id)]),
  "that is too large": (id, part) => Buffer.concat([request(id, fields("/hang", [], "POST"), false), part(id)]),
  "of a method that has none": (id, part) => Buffer.concat([request(id, fields("/hang"), false), part(id)]),
  "after the end": (id, part) => Buffer.concat([request(id, fields("/hang")), part(id).subarray(0, 9 + 16_384)]),
  "that is not to come": (id, part) =>
    Buffer.concat([request(id, fields("/hang", [["content-length", "0"]], "POST"), false), part(id)]),
  "with padding": (id) =>
    Buffer.concat([
      request(id, fields("/hang", [], "POST"), false),
      ...[0, 0, 0].map(() => frame(TYPE.data, FLAG.padded, id, Buffer.alloc(16_384, 255))),
      rstStream(id),
    ]),
  "behind a malformed end": (id, part) =>
    Buffer.concat([request(id, fields("/hang", [], "POST"), false), part(id), request(id, [[":path", "/"]])]),
};

describe("the connection's window comes back for an upload", () => {
  for (const [title, upload] of Object.entries(LOST_UPLOADS)) {
    test(title, async () => {
      const { client, proxy } = await start({ route: { bodyBytesMax: 20_000 } });
      const size = 3 * 16_384;
      const part = (id: number, flags = 0) =>
        Buffer.concat([0, 0, flags].map((flag) => frame(TYPE.data, flag, id, Buffer.alloc(16_384))));
      let id = 1;
      for (let at = 0; at < 40; at++, id += 2) {
        client.write(upload(id, part));
        await settle(client);
      }
      // 40 times 48 KiB are nearly twice the window, of which half may be announced later.
      const granted = client.frames
        .filter((one) => one.type === TYPE.windowUpdate && one.stream === 0)
        .reduce((sum, one) => sum + one.payload.readUInt32BE(0), 65_535);
      expect(client.goaway).toBeUndefined();
      const spent = 40 * (title === "after the end" ? 16_384 : size);
      expect(granted - spent).toBeGreaterThan(512 * 1024 - 1);
      client.write(
        request(id, fields("/up", [], "POST"), false),
        frame(TYPE.data, FLAG.endStream, id, Buffer.alloc(16_384)),
      );
      expect(await client.outcome(id)).toBe(200);
      await client.until(() => client.goaway !== undefined || client.ended(id));
      client.destroy();
      await eventually(() => proxy.requestsInFlight === 0);
    });
  }
});

test("requests that their clients take back in the same read never reach the service, nor does what is no request", async () => {
  const { client, proxy, service, records } = await start();
  const post = (id: number) => request(id, fields("/taken-back", [], "POST"), false);
  client.write(request(1, fields("/taken-back")), rstStream(1), post(3), frame(TYPE.data, 0, 3, "x"), rstStream(3));
  client.write(
    post(5),
    windowUpdate(5, 0),
    post(7),
    frame(TYPE.data, FLAG.endStream, 7, "x"),
    frame(TYPE.data, 0, 7, "y"),
  );
  await settle(client);
  expect([client.reset(5), client.reset(7)]).toEqual([ERROR.protocol, ERROR.streamClosed]);
  client.write(request(9, fields("/ok")));
  expect(await client.outcome(9)).toBe(200);
  expect(service.received).not.toContain("taken-back");
  expect(records).toHaveLength(1);
  // The frame behind it ends the connection, and the request with it: nobody can say whether its client meant it.
  client.write(request(11, fields("/taken-back")), windowUpdate(0, 0));
  await client.untilClosed();
  expect(service.received).not.toContain("taken-back");
  expect([records.length, proxy.requestsInFlight]).toEqual([1, 0]);
});

test("a client that ends its side in the middle of a request is gone, one that has none is told goodbye", async () => {
  const { port, records, sessionsClosed, service } = await start();
  const ended = async (...frames: readonly Buffer[]) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.resume();
    const closed = once(socket, "close");
    socket.end(Buffer.concat([PREFACE, settings(), ...frames]));
    await closed;
  };
  await ended();
  expect(records).toEqual([]);
  await ended(request(1, fields("/hang")));
  await eventually(() => sessionsClosed.length === 2);
  expect(records).toMatchObject([{ status: 499, reason: "client_closed" }]);
  expect(service.connections).toBeLessThan(2);
});

for (const how of ["drain", "close"] as const) {
  test(`a ${how} in the middle of a read's requests leaves none of them unanswered or unaccounted`, async () => {
    let judged = 0;
    const running = await start({
      evaluate: () => {
        judged++;
        if (judged === 3) running.proxy[how]();
        return CONTINUE;
      },
    });
    const { client, proxy, records } = running;
    const ids = [1, 3, 5, 7, 9];
    client.write(...ids.map((id) => request(id, fields("/ok"))));
    if (how === "drain") for (const id of ids) await client.until(() => client.ended(id));
    else await client.untilClosed();
    await eventually(() => proxy.requestsInFlight === 0 && records.length === ids.length);
    const reasons = new Set(records.map(({ reason }) => reason));
    expect([...reasons]).toEqual([how === "drain" ? null : "client_closed"]);
  });
}

test("who writes and ends an answer as soon as there is room loses nothing of it", () => {
  const socket = new HeldSocket();
  const output = new FrameOutput(socket, () => {});
  const queue = new SendQueue(output);
  const limits = listenerOf();
  const ignore = (): void => {};
  const told = { onTaken: ignore, onSent: ignore, onStreamClosed: ignore };
  const host = { limits, output, queue, responseBlocks: new ResponseBlocks(), nowMs: () => 0, ...told };
  const stream = new StreamConnection(1, null, true, 5, host);
  stream.startResponse(200, "", CHUNKED);
  stream.writeBody(Buffer.from("first.second."));
  expect(stream.flush()).toBe(false);
  stream.owner = {
    onClientClosed: () => expect.unreachable(),
    onClientDrain: () => {
      stream.writeBody(Buffer.from("third."));
      stream.endResponse("x-t: 1\r\n");
    },
  };
  stream.widen(100);
  output.flush();
  expect(socket.text.replace(/[^a-z.]/g, "")).toContain("first.second.third.xt");
  expect(stream.isClosed).toBe(true);
});

describe("a connection that goes away", () => {
  const noticed = async (client: H2RawClient) => {
    await client.until(() => client.goaway !== undefined);
    const ping = client.frames.find((one) => one.type === TYPE.ping && (one.flags & FLAG.ack) === 0);
    return frame(TYPE.ping, FLAG.ack, 0, ping?.payload ?? "");
  };
  const goaways = (client: H2RawClient) =>
    client.frames
      .filter((one) => one.type === TYPE.goaway)
      .map((one) => [one.payload.readUInt32BE(0), one.payload.readUInt32BE(4)]);

  test("does not forward a request that comes in one read with the answer to the notice: its client will ask again elsewhere", async () => {
    const { client, proxy, service, records } = await start();
    client.write(request(1, fields("/ok")));
    expect(await client.outcome(1)).toBe(200);
    proxy.drain();
    const heard = await noticed(client);
    client.write(heard, request(3, fields("/twice")));
    await client.untilClosed();
    expect(goaways(client).at(-1)).toEqual([1, ERROR.none]);
    expect(service.received).not.toContain("/twice");
    expect(records).toHaveLength(1);
    expect(proxy.requestsInFlight).toBe(0);
  });

  test("does not forward a request that comes behind the reset of the last one", async () => {
    const { client, proxy, service, records, sessionsClosed } = await start();
    // Its connection to the service rests in the pool: what is forwarded goes out at once.
    client.write(request(1, fields("/hang")), request(3, fields("/ok")));
    expect(await client.outcome(3)).toBe(200);
    proxy.drain();
    client.write(await noticed(client));
    await client.until(() => goaways(client).length === 2);
    client.write(rstStream(1), request(5, fields("/twice")));
    await client.untilClosed();
    await eventually(() => sessionsClosed.length === 1);
    expect(service.received).not.toContain("/twice");
    expect(records.map(({ status }) => status)).toEqual([200, 499]);
  });

  test("lets an upload that crosses the name of the last stream pass unread, and serves those that it named", async () => {
    const { client, proxy, service, sessionsClosed } = await start();
    client.write(request(1, fields("/up", [], "POST"), false));
    await eventually(() => service.received.includes("/up"));
    proxy.drain();
    client.write(await noticed(client));
    await client.until(() => goaways(client).length === 2);
    client.write(request(3, fields("/late", [], "POST"), false), frame(TYPE.data, 0, 3, "late"), windowUpdate(3, 10));
    client.write(
      frame(TYPE.data, FLAG.endStream, 3, "r"),
      request(5, fields("/later", [], "POST"), false),
      rstStream(5),
    );
    await settle(client);
    client.write(frame(TYPE.data, FLAG.endStream, 1, "whole"));
    await client.untilClosed();
    expect([client.status(1), client.ended(1)]).toEqual([200, true]);
    expect(goaways(client)).toEqual([
      [0x7fff_ffff, ERROR.none],
      [1, ERROR.none],
    ]);
    await eventually(() => sessionsClosed.length === 1);
    expect(sessionsClosed).toEqual(["drained"]);
  });

  test("gives its client the time for the last bytes that it gave for the others, and no more", async () => {
    for (const taken of [true, false]) {
      const clock = new TestClock();
      const { proxy, sweep, service } = await start({ clock, listener: { writeTimeoutMs: 30_000 } });
      const socket = serveHeld(proxy);
      socket.push(Buffer.concat([PREFACE, settings(), request(1, fields("/ok"))]));
      await eventually(() => service.received.includes("/ok") && socket.text.includes("ok"));
      socket.holds = true;
      proxy.drain();
      await eventually(() => socket.writableLength > 0);
      socket.push(Buffer.concat([request(3, fields("/ok")), frame(TYPE.ping, FLAG.ack, 0, "draining")]));
      await eventually(() => socket.writableEnded);
      clock.monotonic += 20_000;
      sweep();
      expect(socket.destroyed).toBe(false);
      if (taken) socket.release();
      await unchanging(() => socket.written);
      clock.monotonic += taken ? 3_000 : 11_000;
      sweep();
      sweep();
      expect([socket.destroyed, socket.text.split("ok").length - 1]).toEqual([true, taken ? 2 : 1]);
    }
  });
});

describe("tunnels (RFC 8441)", () => {
  const connectFields = (): Field[] => [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "http"],
    [":authority", "localhost"],
    [":path", "/chat"],
    ["sec-websocket-version", "13"],
  ];

  async function open(first = Buffer.concat([PREFACE, settings()])) {
    const sockets: Socket[] = [];
    const upstreamPort = await startRawService((socket) => {
      sockets.push(socket);
      socket.on("end", () => socket.end());
      socket.once("data", (chunk) => {
        const key = /sec-websocket-key: (\S+)/.exec(chunk.toString("latin1"))?.[1] ?? "";
        socket.write(SWITCH.replace(/Accept: .*\r/, `Accept: ${acceptOf(key)}\r`));
      });
    });
    const route = { webSocket: { frameBytesMax: 1024 * 1024, lifetimeMs: Number.POSITIVE_INFINITY } };
    const running = await startProxy({ upstreamPort, protocol: "h2", route });
    const client = await H2RawClient.connect({ port: running.port, host: "127.0.0.1" }, first);
    client.write(request(1, connectFields(), false));
    await client.until(() => client.status(1) === 200);
    return { ...running, client, sockets };
  }

  test("end once, whatever windows open afterwards: a second end would cost the client its connection", async () => {
    const { client, sockets, proxy, records } = await open();
    client.write(frame(TYPE.data, 0, 1, webSocketFrame(Buffer.from([3, 232]), true, 0x88)));
    await eventually(() => sockets.length === 1);
    sockets[0]?.end(webSocketFrame(Buffer.from([3, 232]), false, 0x88));
    await client.until(() => client.ended(1));
    client.write(windowUpdate(1, 1_000), settings([[4, 70_000]]), windowUpdate(1, 1_000));
    await settle(client);
    client.write(frame(TYPE.data, FLAG.endStream, 1));
    await eventually(() => records.length === 1 && proxy.requestsInFlight === 0);
    await settle(client);
    const ends = client.frames.filter((one) => one.stream === 1 && one.type === TYPE.data && (one.flags & 1) === 1);
    expect(ends).toHaveLength(1);
    expect([client.reset(1), client.goaway]).toEqual([undefined, undefined]);
  });

  test("of a client that takes a byte at a time bring every byte in order, and one end", async () => {
    const { client, sockets } = await open(Buffer.concat([PREFACE, settings([[4, 0]])]));
    const text = Array.from({ length: 40 }, (_, at) => String.fromCharCode(65 + (at % 26))).join("");
    const said = [...text].map((one) => webSocketFrame(one, false));
    for (const one of said) sockets[0]?.write(one);
    const bytes = Buffer.concat(said).length;
    for (let at = 0; at < bytes; at++) client.write(windowUpdate(1, 1));
    await client.until(() => client.body(1).length >= bytes);
    expect(client.body(1).replace(/[^A-Z]/g, "")).toBe(text);
    sockets[0]?.end(webSocketFrame(Buffer.from([3, 232]), false, 0x88));
    client.write(
      windowUpdate(1, 100),
      frame(TYPE.data, FLAG.endStream, 1, webSocketFrame(Buffer.from([3, 232]), true, 0x88)),
    );
    await client.until(() => client.ended(1));
  });

  test("that their clients reset, or whose connections break, are over and accounted for once", async () => {
    const { client, sockets, records, proxy } = await open();
    client.write(request(3, connectFields(), false));
    await client.until(() => client.status(3) === 200);
    client.write(frame(TYPE.data, 0, 1, webSocketFrame("half").subarray(0, 5)), rstStream(1));
    await eventually(() => records.length === 1);
    client.destroy();
    await eventually(() => records.length === 2 && proxy.requestsInFlight === 0);
    expect(records.map(({ status, reason }) => [status, reason])).toEqual([
      [101, "client_closed"],
      [101, "client_closed"],
    ]);
    await eventually(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  test("to which much was said before their answer hand it over first, and no more of it than a window", async () => {
    const { client, records } = await open();
    client.write(
      request(3, connectFields(), false),
      ...Array.from({ length: 5 }, () => frame(TYPE.data, 0, 3, Buffer.alloc(16_384))),
    );
    expect(await client.outcome(3)).toBe(`reset ${ERROR.flowControl}`);
    await eventually(() => records.length <= 1);
    expect(client.goaway).toBeUndefined();
  });
});

describe("time", () => {
  test("a client that opens its window byte by byte gets no more of it than one that opens it not at all", async () => {
    const clock = new TestClock();
    const upstreamPort = await startRawService((socket) => {
      socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${"a".repeat(1_000)}`));
    });
    const { port, records, sweep } = await startProxy({
      upstreamPort,
      protocol: "h2",
      clock,
      listener: { writeTimeoutMs: 30_000 },
    });
    const client = await H2RawClient.connect({ port, host: "127.0.0.1" }, Buffer.concat([PREFACE, settings([[4, 1]])]));
    client.write(request(1, fields("/drip")));
    await client.until(() => client.body(1).length === 1);
    for (let at = 0; at < 16 && client.reset(1) === undefined; at++) {
      clock.monotonic += 2_000;
      sweep();
      client.write(windowUpdate(1, 1));
      await settle(client);
    }
    expect(client.reset(1)).toBe(ERROR.internal);
    expect(client.body(1).length).toBeLessThan(20);
    expect(records).toMatchObject([{ status: 200 }]);
  });

  test("a client that stops taking its answer in the middle of its upload is reported as that, and not as gone", async () => {
    const clock = new TestClock();
    const upstreamPort = await startRawService((socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n123456789"));
    });
    const { port, records, sweep } = await startProxy({
      upstreamPort,
      protocol: "h2",
      clock,
      listener: { writeTimeoutMs: 3_000 },
    });
    const client = await H2RawClient.connect({ port, host: "127.0.0.1" }, Buffer.concat([PREFACE, settings([[4, 1]])]));
    client.write(request(1, fields("/both", [], "POST"), false));
    await client.until(() => client.body(1).length === 1);
    clock.monotonic += 4_000;
    sweep();
    await client.until(() => client.reset(1) === ERROR.internal);
    expect(records.map(({ reason }) => reason)).toEqual(["client_read_timeout"]);
  });

  test("frames that end are no head that does not, though every read ends in the middle of one", async () => {
    const clock = new TestClock();
    const { client, sweep } = await start({ clock, upstream: { responseTimeoutMs: 100_000 } });
    const ping = frame(TYPE.ping, 0, 0, "12345678");
    client.write(request(1, fields("/hang"))); // a connection without requests has no more time than a head
    client.write(ping.subarray(0, 5));
    for (let at = 0; at < 12; at++) {
      clock.monotonic += 2_000;
      const before = client.frames.length;
      client.write(ping.subarray(5), ping.subarray(0, 5));
      await client.until(() => client.frames.length > before);
      sweep();
    }
    expect(client.goaway).toBeUndefined();
    clock.monotonic += 11_000;
    sweep();
    await client.until(() => client.goaway !== undefined);
  });
});

describe("a client that does not read", () => {
  test("makes the proxy keep no more than the gates let through, whatever it asks for, and is cut in time", async () => {
    const clock = new TestClock();
    const { proxy, sweep, records, sessionsClosed } = await start({ clock, listener: { writeTimeoutMs: 30_000 } });
    const socket = serveHeld(proxy);
    socket.push(Buffer.concat([PREFACE, settings()]));
    await eventually(() => socket.written > 0);
    socket.holds = true;
    const denied = fields("/", [], "TRACE");
    let kept = 0;
    let id = 1;
    for (let at = 0; at < 290 && !socket.destroyed; at++) {
      clock.monotonic += 100;
      const pings = Array.from({ length: 10 }, () => frame(TYPE.ping, 0, 0, "12345678"));
      const asked = [id, id + 2, id + 4].flatMap((one) => [request(one, denied), rstStream(one)]);
      const left = at < 100 ? [request(id + 6, denied)] : [];
      id += 8;
      socket.push(Buffer.concat([...pings, settings([[4, 65_535 - (at % 2)]]), ...asked, ...left]));
      await unchanging(() => socket.writableLength, 3);
      sweep();
      kept = Math.max(kept, socket.writableLength);
    }
    expect(socket.writableEnded).toBe(false);
    expect(kept).toBeLessThan(256 * 1024);
    clock.monotonic += 31_000;
    sweep();
    sweep();
    await eventually(() => sessionsClosed.includes("client_read_timeout"));
    expect(records.map(({ status, reason }) => [status, reason])).toEqual(Array(100).fill([405, "method_forbidden"]));
    expect(proxy.requestsInFlight).toBe(0);
  });
});
