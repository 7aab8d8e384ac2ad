// Goal: reading little or sending in pieces buys a client neither time nor memory. Method: raw frames, a clock that the test
// moves, and a socket that nothing leaves before the test lets it.
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { settle, startAttacked as start } from "../fixtures/h2-attacked.ts";
import {
  ERROR,
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
import { serveHeld } from "../fixtures/held-socket.ts";
import { closeAll, startProxy, startRawService } from "../fixtures/proxy.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

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

test("more than a stream's window, in one read, costs the stream; what was within it is not answered", async () => {
  const { proxy, records, sessionsClosed } = await start();
  const socket = serveHeld(proxy);
  const beyond = Array.from({ length: DEFAULTS.h2WindowBytes / 16_384 + 1 }, () =>
    frame(TYPE.data, 0, 1, Buffer.alloc(16_384)),
  );
  socket.push(Buffer.concat([PREFACE, settings(), request(1, fields("/up", [], "POST"), false), ...beyond]));
  const reset = rstStream(1, ERROR.flowControl).toString("latin1");
  await eventually(() => socket.text.includes(reset));
  socket.push(request(3, fields("/ok")));
  await eventually(() => records.some(({ exchange }) => exchange?.target.path === "/ok"));
  expect(sessionsClosed).toEqual([]);
  socket.destroy();
});
