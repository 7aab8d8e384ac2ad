import { mkdtempSync, rmSync } from "node:fs";
import type { ServerHttp2Stream } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { UpstreamSettings } from "../../src/policy/snapshot.ts";
import { eventually } from "../fixtures/eventually.ts";
import { ERROR, type Field, FLAG, frame, headerBlock, TYPE, windowUpdate } from "../fixtures/h2-frames.ts";
import { type H2RawService, startH2RawService, startH2Service } from "../fixtures/h2-upstream.ts";
import {
  closeAll,
  onClose,
  startProxy,
  startRawService,
  startScriptedService,
  type TestProxyOptions,
} from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const GET = "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: readonly Field[] = [[":status", "200"]];

async function open(upstreamPort: number, upstream: Partial<UpstreamSettings> = {}, more: TestProxyOptions = {}) {
  const proxy = await startProxy({ upstreamPort, upstream: { protocol: "h2", ...upstream }, ...more });
  const connect = () => RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  return { ...proxy, connect, client: await connect() };
}

/** One GET against a service scripted in frames. */
async function ask(
  onRequest: (service: H2RawService, stream: number, connection: number) => void,
  request = GET,
  upstream: Partial<UpstreamSettings> = {},
) {
  const service = await startH2RawService(onRequest);
  const proxy = await open(service.port, upstream);
  proxy.client.write(request);
  return { ...proxy, service };
}

describe("an HTTP/2 service", () => {
  test("gets the request as it was judged, and its answer comes back", async () => {
    const service = await startH2Service((stream, headers) => {
      stream.respond({ ":status": 201, "x-got": `${headers[":method"]} ${headers[":path"]} ${headers[":authority"]}` });
      stream.end("made");
    });
    const { client } = await open(service.port);
    client.write("POST /a?b HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\nUser-Agent: x\r\nUser-Agent: y\r\n\r\nhello");
    expect(await client.untilReceived("made")).toMatch(/^HTTP\/1.1 201 [\s\S]*x-got: POST \/a\?b a:1/);
  });

  test("carries requests of many clients on one connection, as many as it allows, and then on another", async () => {
    const held: ServerHttp2Stream[] = [];
    const service = await startH2Service((stream) => void held.push(stream), { settings: { maxConcurrentStreams: 2 } });
    const { connect, client, records } = await open(service.port, { connectionsMax: 2 });
    const finish = (count: number): void => {
      for (const stream of held.splice(0, count)) {
        stream.respond({ ":status": 200, "content-length": 2 });
        stream.end("ok");
      }
    };
    client.write(GET);
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    finish(1);
    await client.untilReceived("ok"); // by now the service's SETTINGS are known
    const clients = await Promise.all([1, 2, 3, 4].map(connect));
    for (const one of clients) one.write(GET);
    while (held.length < 4) await new Promise((resolve) => setImmediate(resolve));
    expect(service.sessions).toBe(2);
    const fifth = await connect();
    fifth.write(GET);
    finish(4);
    await Promise.all(clients.map((one) => one.untilReceived("ok")));
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    finish(1);
    await fifth.untilReceived("ok");
    expect(records.map((record) => record.status)).toEqual([200, 200, 200, 200, 200, 200]);
  });

  test("that answers HEAD tells the length of what it does not send", async () => {
    const service = await startH2Service((stream) =>
      stream.respond({ ":status": 200, "content-length": 7 }, { endStream: true }),
    );
    const { client } = await open(service.port);
    client.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await client.untilReceived("\r\n\r\n")).toContain("content-length: 7\r\n");
  });

  test("that answers with a head alone leaves the client's connection in step", async () => {
    const service = await startH2Service((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
    const { client } = await open(service.port);
    client.write(GET + GET);
    await client.until(() => client.received.split("HTTP/1.1 200").length === 3);
    expect(client.received).toContain("content-length: 0\r\n");
  });

  test("gets a body as it comes, and is not sent more than it takes", async () => {
    let held: ServerHttp2Stream | null = null;
    const service = await startH2Service((stream) => {
      held = stream; // never read
    });
    const { client, proxy } = await open(
      service.port,
      {},
      { route: { bodyBytesMax: 1e9 }, listener: { bodyProgressTimeoutMs: 1e6 } },
    );
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000000\r\n\r\n");
    let sent = 0;
    const chunk = Buffer.alloc(1 << 20);
    // What nobody reads stays with the client: its socket stops taking more.
    while (client.writableBytes < 1 << 24 && sent < 500) {
      client.write(chunk);
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(100);
    expect(held).not.toBeNull();
    expect(proxy.requestsInFlight).toBe(1);
  });

  test("an early hint passes on", async () => {
    const { client } = await ask((service, stream) => {
      service.head(stream, [
        [":status", "103"],
        ["link", "</a>"],
      ]);
      service.head(stream, OK);
      service.data(stream, "ok", true);
    });
    expect(await client.untilReceived("ok")).toMatch(/^HTTP\/1.1 103 [^\r]*\r\nlink: <\/a>\r\n\r\nHTTP\/1.1 200 OK/);
  });

  test("is reached on a Unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "postern-"));
    onClose(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "app.sock");
    await startH2Service((stream) => stream.respond({ ":status": 204 }, { endStream: true }), {}, path);
    const { client } = await open(1, { address: { type: "unix", path } });
    client.write(GET);
    expect(await client.untilReceived("\r\n\r\n")).toMatch(/^HTTP\/1.1 204 /);
  });

  test("that is down gives the reasons of any service", async () => {
    const { client, records } = await open(1);
    client.write(GET);
    await client.untilReceived("upstream_connect_failed");
    expect(records).toMatchObject([{ status: 502, denial: { seen: "ECONNREFUSED; upstream app at 127.0.0.1:1" } }]);
  });
});

describe("going away", () => {
  test("a session that the service closes finishes what it has begun; the next request takes a new one", async () => {
    const { client, service } = await ask((raw, stream, connection) => {
      if (connection === 0) raw.goaway(stream, ERROR.none);
      raw.head(stream, OK);
      raw.data(stream, connection === 0 ? "old" : "new", true);
    });
    await client.untilReceived("old");
    client.write(GET);
    await client.untilReceived("new");
    expect(service.connections).toHaveLength(2);
  });

  test.each([
    ["GOAWAY", (raw: H2RawService) => raw.goaway(0, ERROR.none)],
    ["GOAWAY with an error", (raw: H2RawService) => raw.goaway(0, ERROR.enhanceYourCalm)],
    ["REFUSED_STREAM", (raw: H2RawService, stream: number) => raw.reset(stream, ERROR.refusedStream)],
  ])("what the service vouches not to have begun is sent again, whatever its method (%s)", async (_name, refuse) => {
    let requests = 0;
    const answer = (raw: H2RawService, stream: number): void => {
      if (++requests === 1) refuse(raw, stream);
      else {
        raw.head(stream, OK);
        raw.data(stream, "second", true);
      }
    };
    const { client } = await ask(answer, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.untilReceived("second");
    expect(requests).toBe(2);
  });
});

describe("an answer that breaks off is never taken for whole", () => {
  const BREAKS: Record<string, (raw: H2RawService, stream: number) => void> = {
    "RST_STREAM INTERNAL_ERROR": (raw, stream) => raw.reset(stream, ERROR.internal),
    "RST_STREAM CANCEL": (raw, stream) => raw.reset(stream, ERROR.cancel),
    "RST_STREAM NO_ERROR, which node:http2 takes for an end": (raw, stream) => raw.reset(stream, ERROR.none),
    "GOAWAY with an error": (raw) => raw.goaway(0, ERROR.internal),
    "the connection's end": (raw) => raw.end(),
  };
  for (const [name, cut] of Object.entries(BREAKS)) {
    test(`by ${name} in the middle`, async () => {
      const { client, records } = await ask((raw, stream) => {
        raw.head(stream, OK);
        raw.data(stream, "half");
        cut(raw, stream);
      });
      await client.untilClosed();
      expect(client.received).not.toContain("\r\n0\r\n\r\n");
      expect(records).toMatchObject([{ status: 200, reason: "upstream_response_cut" }]);
    });

    test(`by ${name} before it began`, async () => {
      const { client, records } = await ask((raw, stream) => cut(raw, stream), "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
      await client.untilReceived('"reason":"upstream_');
      expect(records[0]?.status).toBe(name.startsWith("GOAWAY") ? 503 : 502);
    });
  }

  test("by fewer bytes than announced", async () => {
    const { client, records } = await ask((raw, stream) => {
      raw.head(stream, [...OK, ["content-length", "100"]]);
      raw.data(stream, "half", true);
    });
    await client.untilClosed();
    expect(records).toMatchObject([{ reason: "upstream_response_cut" }]);
  });
});

describe("an answer with no valid reading gives 502 and none of it leaks", () => {
  const GARBAGE: Record<string, readonly Field[]> = {
    "no status": [["x", "SECRET"]],
    "a status that is none": [
      [":status", "2x0"],
      ["x", "SECRET"],
    ],
    "101": [
      [":status", "101"],
      ["x", "SECRET"],
    ],
    "upper case": [...OK, ["X-Upper", "SECRET"]],
    connection: [...OK, ["connection", "SECRET"]],
    "transfer-encoding": [...OK, ["transfer-encoding", "chunked"], ["x", "SECRET"]],
    "two lengths": [...OK, ["content-length", "6"], ["content-length", "7"], ["x", "SECRET"]],
    "a signed length": [...OK, ["content-length", "+6"], ["x", "SECRET"]],
    "a line break in a value": [...OK, ["x", "SECRET\r\nset-cookie: b=c"]],
    "a NUL in a value": [...OK, ["x", "SECRET\0"]],
    "a pseudo-field of requests": [...OK, [":path", "/SECRET"]],
    "a pseudo-field after a field": [["x", "SECRET"], ...OK],
    "too many fields": [...OK, ...Array.from({ length: 200 }, (): Field => ["x", "SECRET"])],
  };
  for (const [name, head] of Object.entries(GARBAGE)) {
    test(name, async () => {
      const { client, records } = await ask((raw, stream) => {
        raw.head(stream, head);
        raw.data(stream, "SECRET", true);
      });
      await client.untilReceived('"reason":"upstream_');
      expect(client.received).toMatch(/^HTTP\/1.1 502 /);
      expect(client.received).not.toContain("SECRET");
      expect(records[0]?.status).toBe(502);
    });
  }

  test("an HTTP/1.1 service behind an address of h2c", async () => {
    const port = await startScriptedService(() => "HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\nSECRET");
    const { client, records } = await open(port);
    client.write(GET);
    await client.untilReceived("upstream_response_invalid");
    expect(records).toMatchObject([{ status: 502, denial: { seen: expect.stringContaining("HTTP/2") } }]);
    expect(client.received).not.toContain("SECRET");
  });
});

describe("a service that breaks the protocol loses its connection; its request gets 502, the next a new connection", () => {
  const padded = Buffer.concat([Buffer.of(9), Buffer.from("SECRET")]);
  const part = frame(TYPE.continuation, 0, 1, headerBlock([["x", "SECRET"]]));
  const BREACHES: Record<string, (raw: H2RawService, stream: number) => void> = {
    "a head on a stream that nobody opened": (raw) => raw.head(99, OK),
    "a stream of its own": (raw) => raw.head(2, OK),
    PUSH_PROMISE: (raw, stream) => raw.write(frame(TYPE.pushPromise, FLAG.endHeaders, stream, Buffer.alloc(4))),
    "data on a stream that nobody opened": (raw) => raw.data(99, "SECRET"),
    "data of the connection": (raw) => raw.data(0, "SECRET"),
    "more padding than frame": (raw, stream) => raw.write(frame(TYPE.data, FLAG.padded, stream, padded)),
    "a frame larger than agreed on": (raw, stream) => raw.write(frame(TYPE.data, 0, stream, Buffer.alloc(16_385, "S"))),
    "HPACK that is none": (raw, stream) => raw.write(frame(TYPE.headers, FLAG.endHeaders, stream, Buffer.of(0x80))),
    "a frame within a head": (raw, stream) =>
      raw.write(frame(TYPE.headers, 0, stream, headerBlock(OK)), frame(TYPE.ping, 0, 0, "12345678")),
    "a head without end": (raw, stream) =>
      raw.write(frame(TYPE.headers, 0, stream, headerBlock(OK)), ...Array.from({ length: 40 }, () => part)),
    "WINDOW_UPDATE of nothing": (raw) => raw.write(windowUpdate(0, 0)),
    "a window beyond all bounds": (raw) => raw.write(windowUpdate(0, 2 ** 31 - 1)),
    "SETTINGS of a stream": (raw, stream) => raw.write(frame(TYPE.settings, 0, stream)),
    "a PING of seven bytes": (raw) => raw.write(frame(TYPE.ping, 0, 0, "1234567")),
    "a flood of PING": (raw) => raw.write(...Array.from({ length: 2_000 }, () => frame(TYPE.ping, 0, 0, "12345678"))),
  };
  for (const [name, breach] of Object.entries(BREACHES)) {
    test(name, async () => {
      const { client, connect, service, records } = await ask((raw, stream, connection) => {
        if (connection === 0) {
          breach(raw, stream);
          return;
        }
        raw.head(stream, OK);
        raw.data(stream, "from the second", true);
      }, "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
      await eventually(() => records.length === 1);
      expect(records).toMatchObject([{ status: 502, reason: "upstream_response_invalid" }]);
      expect(client.received).not.toContain("SECRET");
      const next = await connect();
      next.write(GET);
      await next.untilReceived("from the second");
      expect(service.connections).toHaveLength(2);
    });
  }
});

describe("times", () => {
  test("a service that is slow gives 504, and its stream is reset", async () => {
    const { client, service } = await ask(() => {}, GET, { responseTimeoutMs: 50 });
    await client.untilReceived("upstream_response_timeout");
    expect(client.received).toMatch(/^HTTP\/1.1 504 /);
    const reset = () => service.connections[0]?.frames.find((one) => one.type === 3)?.payload.readUInt32BE(0);
    while (reset() === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(reset()).toBe(ERROR.cancel);
  });

  test("a service that never says a word of HTTP/2 is slow, too", async () => {
    const port = await startRawService(() => {});
    const { client } = await open(port, { responseTimeoutMs: 50 });
    client.write(GET);
    await client.untilReceived("upstream_response_timeout");
  });

  test("a stream may rest longer than the time for its head, but not for ever", async () => {
    const { client, records } = await ask(
      (raw, stream) => {
        raw.head(stream, OK);
        raw.data(stream, "first");
      },
      GET,
      { responseTimeoutMs: 20, streamIdleTimeoutMs: 600 },
    );
    await client.untilClosed();
    expect(records).toMatchObject([{ reason: "stream_idle_timeout" }]);
    expect(records[0]?.durationMs).toBeGreaterThan(500);
  });

  test("an idle session is closed", async () => {
    const { client, service } = await ask(
      (raw, stream) => {
        raw.head(stream, OK);
        raw.data(stream, "ok", true);
      },
      GET,
      { idleTimeoutMs: 10 },
    );
    await client.untilReceived("ok");
    const goaway = () => service.connections[0]?.frames.some((one) => one.type === 7);
    while (!goaway()) await new Promise((resolve) => setImmediate(resolve));
  });

  test("a client that goes away in the middle of its body cuts the request: it has no end that could pass for whole", async () => {
    const service = await startH2RawService(() => {});
    const { client, records } = await open(service.port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    const frames = () => service.connections[0]?.frames.filter((one) => one.stream === 1) ?? [];
    while (!frames().some((one) => one.type === TYPE.data)) await new Promise((resolve) => setImmediate(resolve));
    client.destroy();
    while (!frames().some((one) => one.type === TYPE.rstStream)) await new Promise((resolve) => setImmediate(resolve));
    expect(frames().filter((one) => one.type !== TYPE.rstStream && (one.flags & FLAG.endStream) !== 0)).toEqual([]);
    expect(records).toMatchObject([{ status: 499 }]);
  });

  test("an answer before the end of an upload does not give the upload an end", async () => {
    const service = await startH2RawService((raw, stream) => {
      raw.head(stream, OK);
      raw.data(stream, "enough", true);
    });
    const { client } = await open(service.port);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    await client.untilReceived("enough");
    const frames = () => service.connections[0]?.frames.filter((one) => one.stream === 1) ?? [];
    while (!frames().some((one) => one.type === TYPE.rstStream)) await new Promise((resolve) => setImmediate(resolve));
    expect(frames().filter((one) => one.type !== TYPE.rstStream && (one.flags & FLAG.endStream) !== 0)).toEqual([]);
  });

  test("a client that goes away resets its stream and no other", async () => {
    const { client, connect, service, records } = await ask((raw, stream) => {
      if (stream === 1) return;
      raw.head(stream, OK);
      raw.data(stream, "other", true);
    });
    while (service.connections[0]?.frames.some((one) => one.type === 1) !== true) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.destroy();
    const second = await connect();
    second.write(GET);
    await second.untilReceived("other");
    expect(service.connections).toHaveLength(1);
    expect(records[0]).toMatchObject({ status: 499, reason: "client_closed" });
  });
});
