import { createServer, type ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { type Field, FLAG, fields, frame, H2RawClient, request, TYPE } from "../fixtures/h2-frames.ts";
import { startH2RawService, startH2Service } from "../fixtures/h2-upstream.ts";
import { closeAll, listen, onClose, startProxy } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

const GRPC: readonly Field[] = [
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];
const h2 = (more: readonly Field[] = [], method = "GET") =>
  fields("/", more, method).map(([name, value]): Field => [name, name === ":scheme" ? "http" : value]);

/** An event stream under the test's hand: an event is written when the test says so. */
async function eventSource(protocol: "http/1.1" | "h2") {
  let begun: (send: (event: string) => void) => void = () => {};
  const source = new Promise<(event: string) => void>((resolve) => {
    begun = resolve;
  });
  if (protocol === "h2") {
    const { port } = await startH2Service((stream: ServerHttp2Stream) => {
      stream.respond({ ":status": 200, "content-type": "text/event-stream" });
      begun((event) => stream.write(`data: ${event}\n\n`));
    });
    return { port, source };
  }
  const server = createServer((_request, response: ServerResponse) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.flushHeaders();
    begun((event) => response.write(`data: ${event}\n\n`));
  });
  onClose(() => server.closeAllConnections());
  return { port: await listen(server), source };
}

describe("an event stream: each event is with the client before the next one is written", () => {
  for (const behind of ["http/1.1", "h2"] as const) {
    test(`HTTP/1.1 in front, ${behind} behind`, async () => {
      const { port, source } = await eventSource(behind);
      const proxy = await startProxy({ upstreamPort: port, upstream: { protocol: behind } });
      const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
      client.write("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
      const send = await source;
      await client.untilReceived("text/event-stream");
      for (let at = 0; at < 5; at++) {
        send(`event-${at}`);
        await client.untilReceived(`event-${at}`);
      }
    });

    test(`HTTP/2 in front, ${behind} behind`, async () => {
      const { port, source } = await eventSource(behind);
      const proxy = await startProxy({ protocol: "h2", upstreamPort: port, upstream: { protocol: behind } });
      const client = await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
      client.write(request(1, h2()));
      const send = await source;
      await client.until(() => client.status(1) === 200);
      for (let at = 0; at < 5; at++) {
        send(`event-${at}`);
        await client.until(() => client.body(1).includes(`event-${at}`));
      }
    });
  }

  test("may be silent for longer than an answer's head may take", async () => {
    const { port, source } = await eventSource("http/1.1");
    const clock = new TestClock();
    const upstream = { responseTimeoutMs: 1_000, streamIdleTimeoutMs: 60_000 };
    const proxy = await startProxy({ clock, upstreamPort: port, upstream });
    const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const send = await source;
    await client.untilReceived("text/event-stream");
    clock.monotonic += 59_000;
    proxy.sweep();
    send("late");
    await client.untilReceived("late");
  });
});

describe("a stream that goes both ways", () => {
  test("is alive while either side speaks, and over when neither does", async () => {
    const got: string[] = [];
    const service = await startH2Service((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.on("data", (chunk: Buffer) => got.push(chunk.toString()));
    });
    const clock = new TestClock();
    const proxy = await startProxy({
      clock,
      protocol: "h2",
      upstreamPort: service.port,
      listener: { bodyProgressTimeoutMs: 20 },
      upstream: { protocol: "h2", responseTimeoutMs: 20, streamIdleTimeoutMs: 60_000 },
    });
    const client = await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    client.write(request(1, h2(GRPC, "POST"), false));
    await client.until(() => client.status(1) === 200);
    for (let at = 0; at < 3; at++) {
      clock.monotonic += 40_000;
      proxy.sweep();
      client.write(frame(TYPE.data, 0, 1, `m${at}`));
      await eventually(() => got.join("").endsWith(`m${at}`));
    }
    expect(proxy.records).toEqual([]);
    clock.monotonic += 60_001;
    proxy.sweep();
    await client.until(() => client.ended(1));
    expect(got.join("")).toBe("m0m1m2");
    expect(proxy.records).toHaveLength(1);
  });

  test("that the service cuts ends a gRPC call with a status in trailers, and another answer with a reset", async () => {
    for (const [more, last] of [
      [GRPC, [TYPE.headers, FLAG.endHeaders | FLAG.endStream]],
      [[], [TYPE.rstStream, 0]],
    ] as const) {
      const service = await startH2RawService((raw, stream) => {
        raw.head(stream, [[":status", "200"]]);
        raw.data(stream, "half");
        raw.reset(stream, 2);
      });
      const proxy = await startProxy({ protocol: "h2", upstreamPort: service.port, upstream: { protocol: "h2" } });
      const client = await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
      client.write(request(1, h2(more, "POST")));
      await client.until(() => client.ended(1) || client.reset(1) !== undefined);
      const end = client.frames.findLast((one) => one.stream === 1);
      expect([end?.type, end?.flags]).toEqual(last);
      expect(proxy.records).toMatchObject([{ reason: "upstream_response_cut" }]);
    }
  });

  test("te: trailers reaches an HTTP/2 service where the client sent it, and nowhere else", async () => {
    const tes: unknown[] = [];
    const service = await startH2Service((stream, headers) => {
      tes.push(headers["te"]);
      stream.respond({ ":status": 200 }, { endStream: true });
    });
    const proxy = await startProxy({
      protocol: "h2",
      upstreamPort: service.port,
      upstream: { protocol: "h2" },
      route: { rewriteRequest: () => "" },
    });
    const client = await H2RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    client.write(request(1, h2(GRPC, "POST")), request(3, h2([], "POST")));
    await client.until(() => client.ended(1) && client.ended(3));
    expect(new Set(tes)).toEqual(new Set(["trailers", undefined]));
  });
});
