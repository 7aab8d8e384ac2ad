// Goal: what a client can do with frames alone neither harms a client with manners, nor has a request done twice or not at
// all, nor costs the connection its window. Method: raw frames, one attack a test, split into reads where that matters.
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { CONTINUE } from "../../src/decision/verdict.ts";
import { LingerRoom } from "../../src/http1/linger.ts";
import { FrameOutput } from "../../src/http2/frame-output.ts";
import { ResponseBlocks } from "../../src/http2/hpack-encoder.ts";
import { SendQueue } from "../../src/http2/send-queue.ts";
import { StreamConnection } from "../../src/http2/server-stream.ts";
import { Charge } from "../../src/memory/account.ts";
import { NOBODY, unlimitedMemory } from "../../src/memory/budget.ts";
import { CHUNKED } from "../../src/message/body.ts";
import { eventually } from "../fixtures/eventually.ts";
import { settle, startAttacked as start } from "../fixtures/h2-attacked.ts";
import {
  ERROR,
  FLAG,
  fields,
  frame,
  PREFACE,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { HeldSocket, serveHeld } from "../fixtures/held-socket.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { listenerOf } from "../fixtures/snapshot.ts";

afterEach(closeAll);

test("an upload whose frames' heads come in reads of their own is no flood of empty frames", async () => {
  const { proxy, service, records } = await start();
  const socket = serveHeld(proxy);
  socket.push(Buffer.concat([PREFACE, settings(), request(1, fields("/up", [], "POST"), false)]));
  const one = frame(TYPE.data, 0, 1, "x");
  for (let at = 0; at < 300; at++) {
    socket.push(one.subarray(0, 9));
    socket.push(one.subarray(9));
  }
  socket.push(frame(TYPE.data, FLAG.endStream, 1));
  await eventually(() => records.length === 1);
  expect(records).toMatchObject([{ status: 200, reason: null, requestBodyBytes: 300 }]);
  expect(service.received.split("x").length - 1).toBe(300);
  expect(socket.text).not.toContain("invalid_frame_flood");
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
  const { client, proxy, service, records, unjudged } = await start();
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
  // Nobody was asked, but all five are counted: an attack that stays below the flood gate shows, too.
  expect(unjudged).toEqual(["taken_back", "taken_back", "taken_back", "taken_back", "connection_fault"]);
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
  const memory = { body: () => new Charge(unlimitedMemory().bodies, NOBODY) };
  const told = { memory, lingerRoom: new LingerRoom(), onTaken: ignore, onSent: ignore, onStreamClosed: ignore };
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
