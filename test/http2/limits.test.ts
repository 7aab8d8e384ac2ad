// Goal: a client gets no more time over HTTP/2 than over HTTP/1.1 (docs/limits.md). Method: a clock that stands still until
// the test moves it; one attack a test.
import type { ClientHttp2Stream } from "node:http2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { openH2 } from "../fixtures/h2-client.ts";
import {
  ERROR,
  type Field,
  FLAG,
  fields,
  frame,
  H2RawClient,
  headerBlock,
  request,
  rstStream,
  TYPE,
} from "../fixtures/h2-frames.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import {
  closeAll,
  startProxy,
  startRawService,
  startScriptedService,
  type TestProxyOptions,
} from "../fixtures/proxy.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

const PACE = { bodyBytesPerSecondMin: 100, bodyGraceMs: 5_000, bodyProgressTimeoutMs: 30_000 };
/** Id of the setting (RFC 9113 section 6.5.2). */
const MAX_CONCURRENT_STREAMS = 3;
const GRPC: readonly Field[] = [["content-type", "application/grpc"]];
const post = (stream: number, more: readonly Field[] = []) =>
  request(
    stream,
    fields("/", more, "POST").map(([name, value]): Field => [name, name === ":scheme" ? "http" : value]),
    false,
  );
const get = (stream: number) =>
  request(
    stream,
    fields("/").map(([name, value]): Field => [name, name === ":scheme" ? "http" : value]),
  );

let clock: TestClock;

beforeEach(() => {
  clock = new TestClock();
});

async function start(options: TestProxyOptions) {
  const proxy = await startProxy({ clock, protocol: "h2", ...options });
  return { ...proxy, client: await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" }) };
}

/** A byte a second, until the request is over or ten seconds are. */
async function drip({ client, records, sweep }: Awaited<ReturnType<typeof start>>): Promise<void> {
  for (let second = 0; records.length === 0 && second < 10; second++) {
    client.write(frame(TYPE.data, 0, 1, "x"));
    await unchanging(() => records.length);
    clock.monotonic += 1_000;
    sweep();
  }
}

test("a body that comes a byte now and then is refused, though it never stands still", async () => {
  const upstreamPort = await startScriptedService(() => "");
  const world = await start({ listener: PACE, upstreamPort });
  const { client, records } = world;
  client.write(post(1));
  await drip(world);
  expect(records).toMatchObject([{ status: 408, reason: "body_timeout" }]);
});

test("naming its call gRPC buys a slow body nothing where the service speaks HTTP/1.1", async () => {
  const upstreamPort = await startScriptedService(() => "");
  const world = await start({ listener: PACE, upstreamPort });
  const { client, records } = world;
  client.write(post(1, GRPC));
  await drip(world);
  expect(records).toMatchObject([{ reason: "body_timeout" }]);
});

test("a stream whose answer has begun may send a byte now and then; neither rate nor request's time cuts it", async () => {
  const got: string[] = [];
  const { port: upstreamPort } = await startH2Service((stream) => {
    stream.respond({ ":status": 200 });
    stream.on("data", (chunk: Buffer) => got.push(chunk.toString()));
  });
  const upstream = { protocol: "h2", streamIdleTimeoutMs: 60_000 } as const;
  const { client, records } = await start({ listener: { ...PACE, requestTimeoutMs: 5_000 }, upstream, upstreamPort });
  client.write(post(1));
  await client.until(() => client.status(1) === 200);
  for (let round = 1; round <= 5; round++) {
    clock.monotonic += 40_000;
    client.write(frame(TYPE.data, 0, 1, "x"));
    await eventually(() => got.join("").length === round);
  }
  expect(records).toEqual([]);
  clock.monotonic += 60_001;
  await eventually(() => records.length === 1);
});

test("a gRPC call whose answer has not begun is bounded by the request's time", async () => {
  const { port: upstreamPort } = await startH2Service(() => {});
  const upstream = { protocol: "h2", streamIdleTimeoutMs: 60_000, responseTimeoutMs: 60_000 } as const;
  const world = await start({ listener: { ...PACE, requestTimeoutMs: 20_000 }, upstream, upstreamPort });
  const { client, records } = world;
  client.write(post(1, GRPC));
  await drip(world);
  expect(records).toEqual([]); // ten seconds at a byte a second: no rate holds
  clock.monotonic += 20_000;
  await eventually(() => records.length === 1);
  expect(records).toMatchObject([{ reason: "request_timeout" }]);
});

test("a body that takes longer than a request may is refused, however fast it comes", async () => {
  const upstreamPort = await startScriptedService(() => "");
  const world = await start({ listener: { requestTimeoutMs: 3_000 }, upstreamPort });
  const { client, records } = world;
  client.write(post(1));
  await drip(world);
  expect(records).toMatchObject([{ status: 408, reason: "request_timeout" }]);
});

/** An upload of so many bytes that no buffer between here and a service that does not read holds them. */
function upload(port: number): ClientHttp2Stream {
  const stream = openH2(port).request({ ":path": "/", ":method": "POST", ":authority": "localhost" });
  stream.on("error", () => {});
  stream.write(Buffer.alloc(32 * 1024 * 1024));
  return stream;
}

test("time does not count against a client while the service does not read", async () => {
  const upstreamPort = await startRawService((socket) => socket.pause());
  const upstream = { writeTimeoutMs: 1e9 };
  const route = { bodyBytesMax: 1e9 };
  const { port, records, sweep } = await startProxy({
    clock,
    protocol: "h2",
    listener: PACE,
    upstream,
    route,
    upstreamPort,
  });
  const stream = upload(port);
  // Until every buffer is full.
  const sent = () => stream.session?.socket.bytesWritten ?? 0;
  await eventually(() => sent() > 1_000_000);
  await unchanging(sent);
  clock.monotonic += 60_000;
  sweep();
  expect(records).toEqual([]);
});

test("a service over HTTP/2 that does not take the request is given up: 504", async () => {
  const { port: upstreamPort } = await startH2Service((stream) => stream.pause());
  const upstream = { protocol: "h2", writeTimeoutMs: 1_000 } as const;
  const listener = { bodyBytesPerSecondMin: 0, bodyGraceMs: 1e9, bodyProgressTimeoutMs: 1e9 };
  const route = { bodyBytesMax: 1e9 };
  const { port, records } = await startProxy({ clock, protocol: "h2", listener, upstream, route, upstreamPort });
  upload(port);
  await eventually(() => {
    clock.monotonic += 10;
    return records.length > 0;
  });
  expect(records).toMatchObject([{ status: 504, reason: "upstream_request_timeout" }]);
});

test("the last request that a connection may carry is answered, and the session ends", async () => {
  const upstreamPort = await startScriptedService(() => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const { client, records } = await start({ listener: { requestsPerConnectionMax: 2 }, upstreamPort });
  client.write(get(1));
  await client.until(() => client.ended(1));
  client.write(get(3));
  await client.until(() => client.ended(3));
  expect([client.status(1), client.status(3)]).toEqual([200, 200]);
  await client.until(() => client.frames.some((one) => one.type === TYPE.goaway));
  expect(records.map(({ status }) => status)).toEqual([200, 200]);
});

test("128 streams are taken at a time, as SETTINGS say; one more is refused unjudged, and may be repeated", async () => {
  const upstreamPort = await startRawService((socket) => socket.resume());
  let judged = 0;
  const evaluate = () => {
    judged++;
    return null;
  };
  const running = await start({ upstreamPort, evaluate, upstream: { connectionsMax: 256 } });
  const { client, sessionsClosed, unjudged } = running;
  // Acknowledged by the client as it comes.
  await client.until(() => client.frames.some((one) => one.type === TYPE.settings));
  const said = client.frames.find((one) => one.type === TYPE.settings)?.payload ?? Buffer.alloc(0);
  const entries = Array.from({ length: said.length / 6 }, (_, at) => said.subarray(6 * at, 6 * at + 6));
  expect(entries.find((entry) => entry.readUInt16BE(0) === MAX_CONCURRENT_STREAMS)?.readUInt32BE(2)).toBe(128);
  for (let at = 0; at < 128; at++) client.write(get(2 * at + 1));
  await eventually(() => judged === 128);
  client.write(get(257));
  expect(await client.outcome(257)).toBe(`reset ${ERROR.refusedStream}`);
  expect(judged).toBe(128);
  client.write(rstStream(1), get(259));
  await eventually(() => judged === 129);
  expect([sessionsClosed, unjudged]).toEqual([[], ["streams_max"]]);
});

test("a head that does not end has the time of one over HTTP/1.1, whatever other streams do meanwhile", async () => {
  const upstreamPort = await startRawService((socket) => socket.resume());
  const { client, records, sessionsClosed, sweep } = await start({ upstreamPort, listener: { headTimeoutMs: 5_000 } });
  client.write(get(1));
  await client.until(() => client.frames.some((one) => one.type === TYPE.settings));
  client.write(frame(TYPE.headers, FLAG.endStream, 3, headerBlock(fields("/late"))));
  for (let second = 0; second < 5; second++) {
    client.write(frame(TYPE.continuation, 0, 3, headerBlock([["x-a", "b"]])));
    await unchanging(() => records.length);
    clock.monotonic += 999;
    sweep();
  }
  expect(sessionsClosed).toEqual([]);
  clock.monotonic += 6;
  sweep();
  await client.untilClosed();
  await eventually(() => sessionsClosed.length === 1);
  expect([client.goaway, sessionsClosed]).toEqual([ERROR.none, ["head_timeout"]]);
  expect(client.frames.findLast((one) => one.type === TYPE.goaway)?.payload.readUInt32BE(0)).toBe(1);
  expect(records).toMatchObject([{ status: 499, reason: "client_closed" }]);
});

test("a frame that does not end has that time, too", async () => {
  const { client, records, sessionsClosed, sweep } = await start({ listener: { headTimeoutMs: 5_000 } });
  client.write(get(1).subarray(0, 20));
  await unchanging(() => client.frames.length);
  clock.monotonic += 5_001;
  sweep();
  await client.untilClosed();
  await eventually(() => sessionsClosed.length === 1);
  expect([sessionsClosed, records]).toEqual([["head_timeout"], []]);
});
