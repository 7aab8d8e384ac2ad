import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import {
  closeAll,
  startProxy,
  startRawService,
  startScriptedService,
  type TestProxyOptions,
} from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const MIB = 1024 * 1024;
const post = (bytes: number) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`;
const connect = (port: number) => RawClient.connect({ port, host: "127.0.0.1" });

let clock: TestClock;

beforeEach(() => {
  clock = new TestClock();
});

/** A proxy whose time stands still, and a client of it. */
async function start(options: TestProxyOptions) {
  const proxy = await startProxy({ clock, ...options });
  return { ...proxy, client: await connect(proxy.port) };
}

/** Answers a request once its body, whose length the test knows, is there. */
async function startReader(bodyBytes: number) {
  const reader = { port: 0, bytes: 0 };
  reader.port = await startRawService((socket) => {
    let headEnd = -1;
    socket.on("data", (chunk) => {
      if (headEnd < 0) headEnd = chunk.indexOf("\r\n\r\n") + 4;
      else headEnd = 0;
      reader.bytes += chunk.length - headEnd;
      if (reader.bytes === bodyBytes) socket.write(OK);
    });
  });
  return reader;
}

/** Enough for the request to be forwarded, so that the test sees what arrived. */
const FORWARDED = 20_000;

describe("a request's body", () => {
  const listener = { bodyBytesPerSecondMin: 100, bodyGraceMs: 5_000, bodyProgressTimeoutMs: 30_000 };

  test("that comes a byte now and then is refused, though it never stands still", async () => {
    const { client, records, sweep } = await start({ listener });
    client.write(post(1_000));
    for (let second = 0; records.length === 0; second++) {
      expect(second).toBeLessThan(10);
      client.write("x");
      await unchanging(() => records.length);
      clock.monotonic += 1_000;
      sweep();
    }
    expect(await client.untilReceived("body_timeout")).toMatch(/^HTTP\/1.1 408 /);
    expect(records).toMatchObject([{ status: 408, reason: "body_timeout" }]);
  });

  test("that comes fast at first buys no more than the time it may stand still", async () => {
    const reader = await startReader(MIB);
    const { client } = await start({ listener, upstreamPort: reader.port });
    client.write(post(MIB));
    client.write("x".repeat(60_000)); // ten minutes at the minimum rate
    await eventually(() => reader.bytes === 60_000);
    clock.monotonic += 30_001;
    expect(await client.untilReceived("body_timeout")).toMatch(/^HTTP\/1.1 408 /);
  });

  test("at the minimum rate passes, however long it takes", async () => {
    const rounds = 20;
    const reader = await startReader(rounds * FORWARDED);
    const pace = { bodyBytesPerSecondMin: FORWARDED, bodyGraceMs: 1_000 };
    const { client, records } = await start({ listener: { ...listener, ...pace }, upstreamPort: reader.port });
    client.write(post(rounds * FORWARDED));
    for (let round = 1; round <= rounds; round++) {
      client.write("x".repeat(FORWARDED));
      await eventually(() => reader.bytes === round * FORWARDED);
      clock.monotonic += 999;
    }
    await client.untilReceived("ok");
    expect(records).toMatchObject([{ status: 200, reason: null, requestBodyBytes: rounds * FORWARDED }]);
  });

  test("has no minimum rate where the policy turns it off, and may not stand still all the same", async () => {
    const reader = await startReader(MIB);
    const off = { ...listener, bodyBytesPerSecondMin: 0 };
    const { client, records } = await start({ listener: off, upstreamPort: reader.port });
    client.write(`${post(MIB)}${"x".repeat(FORWARDED)}`);
    for (let bytes = FORWARDED; bytes < FORWARDED + 5; bytes++) {
      await eventually(() => reader.bytes === bytes);
      clock.monotonic += 29_000;
      client.write("x");
    }
    await eventually(() => reader.bytes === FORWARDED + 5);
    expect(records).toEqual([]);
    clock.monotonic += 31_000;
    await client.untilReceived("body_timeout");
  });

  test("must be whole within requestTimeout, however fast it comes", async () => {
    const reader = await startReader(MIB);
    const { client } = await start({ listener: { ...listener, requestTimeoutMs: 3_000 }, upstreamPort: reader.port });
    client.write(post(MIB));
    client.write("x".repeat(FORWARDED));
    await eventually(() => reader.bytes === FORWARDED);
    clock.monotonic += 2_900;
    client.write("x".repeat(FORWARDED));
    await eventually(() => reader.bytes === 2 * FORWARDED);
    clock.monotonic += 200;
    expect(await client.untilReceived("request_timeout")).toMatch(/^HTTP\/1.1 408 /);
  });

  test("is not blamed for a service that does not read: that is 504 upstream_request_timeout, in bounded memory", async () => {
    const sockets: Socket[] = [];
    const upstreamPort = await startRawService((socket) => sockets.push(socket.pause()));
    const { client, records, proxy, sweep } = await start({
      listener,
      upstreamPort,
      upstream: { writeTimeoutMs: 60_000 },
      route: { bodyBytesMax: 512 * MIB },
    });
    client.write(post(512 * MIB));
    const block = Buffer.alloc(MIB);
    let blocks = 0;
    // Goes on until nobody takes any more.
    for (let left = 0; left === 0 && blocks < 64; blocks++) {
      client.write(block);
      left = await unchanging(() => client.writableBytes);
    }
    expect(blocks).toBeLessThan(64);
    clock.monotonic += 40_000; // more than a body may stand still
    sweep();
    expect(records).toEqual([]);
    clock.monotonic += 30_000;
    expect(await client.untilReceived("upstream_request_timeout")).toMatch(/^HTTP\/1.1 504 /);
    expect(records).toMatchObject([{ status: 504, reason: "upstream_request_timeout" }]);
    expect(proxy.requestsInFlight).toBe(0);
  });

  test("a client whose service paused has as much time left afterwards as before", async () => {
    let resume = () => {};
    let read = 0;
    const total = 24 * MIB;
    const upstreamPort = await startRawService((socket) => {
      socket.on("data", (chunk) => {
        read += chunk.length;
        if (read > total) socket.write(OK);
      });
      socket.pause();
      resume = () => socket.resume();
    });
    const { client, records, sweep } = await start({
      listener,
      upstreamPort,
      upstream: { writeTimeoutMs: 600_000 },
      route: { bodyBytesMax: total },
    });
    client.write(post(total));
    client.write(Buffer.alloc(total));
    expect(await unchanging(() => client.writableBytes)).toBeGreaterThan(0);
    clock.monotonic += 100_000;
    sweep();
    expect(records).toEqual([]);
    resume();
    await client.untilReceived("ok");
    expect(records).toMatchObject([{ status: 200, requestBodyBytes: total }]);
  });
});

test("slow uploads hold no connection to the service: others get theirs at once", async () => {
  let connections = 0;
  const upstreamPort = await startRawService((socket) => {
    connections++;
    socket.on("data", () => socket.write(OK));
  });
  const { port, client } = await start({ upstreamPort, upstream: { connectionsMax: 1 } });
  const slow = await Promise.all(Array.from({ length: 20 }, () => connect(port)));
  for (const one of slow) one.write(`${post(MIB)}${"x".repeat(DEFAULTS.bodyPreludeBytes - 1)}`);
  client.write(GET);
  await client.untilReceived("ok");
  expect(connections).toBe(1);
  for (const one of slow) one.destroy();
});

test("a small body goes to the service with its head, in one write", async () => {
  const reads: string[] = [];
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      reads.push(chunk.toString());
      socket.write(OK);
    });
  });
  const { client } = await start({ upstreamPort });
  client.write(`${post(5)}hello`);
  await client.untilReceived("ok");
  expect(reads).toHaveLength(1);
  expect(reads[0]).toMatch(/\r\n\r\nhello$/);
});

describe("an answer", () => {
  const begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";

  test("that stands still is cut after streamIdleTimeout, not after responseTimeout", async () => {
    const upstreamPort = await startScriptedService(() => begun);
    const upstream = { responseTimeoutMs: 1_000, streamIdleTimeoutMs: 60_000 };
    const { client, records, sweep } = await start({ upstreamPort, upstream });
    client.write(GET);
    await client.untilReceived("half");
    clock.monotonic += 50_000;
    sweep();
    expect(records).toEqual([]);
    clock.monotonic += 11_000;
    await client.untilClosed();
    expect(records).toMatchObject([{ status: 200, reason: "stream_idle_timeout" }]);
  });

  test("that goes on for longer than streamMaxDuration is cut, though it never stands still", async () => {
    let socket: Socket | null = null;
    const upstreamPort = await startRawService((one) => {
      socket = one;
      one.once("data", () => one.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    });
    const upstream = { streamDurationMaxMs: 60_000, streamIdleTimeoutMs: 20_000 };
    const { client, records, sweep } = await start({ upstreamPort, upstream });
    client.write(GET);
    for (let at = 0; records.length === 0; at++) {
      expect(at).toBeLessThan(10);
      (socket as Socket | null)?.write("1\r\nx\r\n");
      await unchanging(() => client.received.length);
      clock.monotonic += 15_000;
      sweep();
    }
    await client.untilClosed();
    expect(client.received).not.toContain("0\r\n\r\n");
    expect(records).toMatchObject([{ status: 200, reason: "stream_duration_exceeded" }]);
  });

  test("that never begins within streamMaxDuration is 504", async () => {
    const upstreamPort = await startRawService(() => {});
    const upstream = { streamDurationMaxMs: 2_000, responseTimeoutMs: 60_000 };
    const { client } = await start({ upstreamPort, upstream });
    let came = false;
    client.write(GET);
    await eventually(() => {
      clock.monotonic += 100;
      came ||= client.received.includes("stream_duration_exceeded");
      return came;
    });
    expect(client.received).toMatch(/^HTTP\/1.1 504 /);
  });
});

describe("a client that never reads", () => {
  test("cannot pile up answers by asking on", async () => {
    let asked = 0;
    const body = "x".repeat(100_000);
    const upstreamPort = await startScriptedService((_, count) => {
      asked = count;
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    });
    const { client, proxy } = await start({ upstreamPort, listener: { writeTimeoutMs: 5_000 } });
    client.pause();
    client.write(GET.repeat(2_000));
    await eventually(() => asked > 0);
    expect(await unchanging(() => asked)).toBeLessThan(200);
    // Beside load some of it may be taken after this look, and the time counts anew from there.
    await eventually(() => {
      clock.monotonic += 1_000;
      return proxy.connectionsOpen === 0;
    });
  });

  test("gets all of it when it reads after all", async () => {
    const body = "x".repeat(100_000);
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const { client, records } = await start({ upstreamPort: await startScriptedService(() => answer) });
    client.pause();
    client.write(GET.repeat(100));
    await eventually(() => records.length > 0);
    client.resume();
    await client.until(() => client.received.length >= 100 * body.length && records.length === 100);
    expect(client.received.split("HTTP/1.1 200 OK").length).toBe(101);
  });
});

describe("a connection", () => {
  const denied = () => new Denial("not_authorized", null, "", "");

  for (const [name, body] of Object.entries({ "never comes": "", "is malformed": "xyz\r\n" })) {
    test(`is closed when the body of a refused request ${name}`, async () => {
      const { client, proxy } = await start({ evaluate: denied, listener: { bodyGraceMs: 5_000 } });
      const framing = body === "" ? "Content-Length: 100" : "Transfer-Encoding: chunked";
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
      await client.untilReceived("not_authorized");
      if (body !== "") client.write(body);
      await eventually(() => {
        clock.monotonic += 1_000;
        return proxy.connectionsOpen === 0 || client.ended;
      });
      await client.untilClosed();
    });
  }

  test("is closed after its last request of maxRequestsPerConnection, and says so", async () => {
    const upstreamPort = await startScriptedService(() => OK);
    const { client } = await start({ upstreamPort, listener: { requestsPerConnectionMax: 2 } });
    client.write(GET);
    await client.untilReceived("ok");
    expect(client.received).not.toContain("connection: close");
    client.write(GET + GET);
    await client.untilClosed();
    expect(client.received.split("\r\n\r\nok")).toHaveLength(3);
    expect(client.received).toMatch(/connection: close\r\n\r\nok$/);
  });

  test("is closed after its current request when it is too old", async () => {
    const upstreamPort = await startScriptedService(() => OK);
    const { client } = await start({ upstreamPort, listener: { connectionAgeMaxMs: 1_000 } });
    client.write(GET);
    await client.untilReceived("ok");
    clock.monotonic += 1_001;
    client.write(GET);
    await client.untilClosed();
    expect(client.received).toMatch(/connection: close\r\n\r\nok$/);
  });
});

describe("when the connections to the service run out", () => {
  const big = `HTTP/1.1 200 OK\r\nContent-Length: ${64 * MIB}\r\n\r\n`;

  /** Gives `/big` megabytes to whoever takes them, and a short answer to everything else. */
  const startBigService = () =>
    startRawService((socket) => {
      const block = Buffer.alloc(MIB);
      socket.on("data", (chunk) => {
        if (!chunk.toString("latin1").startsWith("GET /big")) {
          socket.write(OK);
          return;
        }
        socket.write(big);
        const pump = () => {
          while (!socket.destroyed && socket.write(block));
        };
        socket.on("drain", pump);
        pump();
      });
    });

  test("clients that do not read give theirs to those who wait", async () => {
    const upstream = { connectionsMax: 4, connectTimeoutMs: 5_000 };
    const { port, records } = await startProxy({ upstreamPort: await startBigService(), upstream });
    const client = await connect(port);
    const slow = await Promise.all(Array.from({ length: 4 }, () => connect(port)));
    for (const one of slow) {
      one.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
      await one.untilReceived("200 OK");
      one.pause();
    }
    client.write(GET);
    expect(await client.untilReceived("ok")).toMatch(/^HTTP\/1.1 200 /);
    expect(records).toMatchObject([{ reason: "client_read_timeout" }, { status: 200, reason: null }]);
    for (const one of slow) one.destroy();
  });

  test("clients that send on slowly give theirs to those who wait", async () => {
    const upstreamPort = await startRawService((socket) => {
      socket.on("data", (chunk) => chunk.toString("latin1").startsWith("GET") && socket.write(OK));
    });
    const proxy = await startProxy({ upstreamPort, upstream: { connectionsMax: 2, connectTimeoutMs: 5_000 } });
    const slow = await Promise.all([connect(proxy.port), connect(proxy.port)]);
    for (const one of slow) one.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    await eventually(() => proxy.proxy.requestsInFlight === 2);
    const client = await connect(proxy.port);
    client.write(GET);
    expect(await client.untilReceived("ok")).toMatch(/^HTTP\/1.1 200 /);
    expect(proxy.records).toMatchObject([{ status: 408, reason: "body_timeout" }, { status: 200 }]);
    for (const one of slow) one.destroy();
  });
});

describe("why a connection ended is counted", () => {
  const ended = async (options: TestProxyOptions, use: (proxy: Awaited<ReturnType<typeof start>>) => unknown) => {
    const upstreamPort = await startScriptedService(() => OK);
    const proxy = await start({ upstreamPort, ...options });
    await eventually(() => proxy.proxy.connectionsOpen === 1);
    await use(proxy);
    await eventually(() => proxy.connectionsClosed.length > 0);
    return proxy.connectionsClosed;
  };
  const ask = async ({ client, records }: Awaited<ReturnType<typeof start>>): Promise<void> => {
    client.write(GET);
    await client.untilReceived("ok");
    expect(records).toHaveLength(1);
  };

  test("silent: a client that never says a word", async () => {
    const reasons = await ended({ listener: { headTimeoutMs: 1_000 } }, ({ sweep }) => {
      clock.monotonic += 2_000;
      sweep();
    });
    expect(reasons).toEqual(["silent"]);
  });

  test("idle: a client that rests too long behind its request", async () => {
    const reasons = await ended({ listener: { idleTimeoutMs: 1_000 } }, async (proxy) => {
      await ask(proxy);
      clock.monotonic += 2_000;
      proxy.sweep();
    });
    expect(reasons).toEqual(["idle"]);
  });

  test("retired: a client that has had all its requests", async () => {
    expect(await ended({ listener: { requestsPerConnectionMax: 1 } }, ask)).toEqual(["retired"]);
  });

  test("drained: a client that is there when postern goes", async () => {
    const reasons = await ended({}, async (proxy) => {
      await ask(proxy);
      await proxy.proxy.drain();
    });
    expect(reasons).toEqual(["drained"]);
  });

  test("client: one that goes by itself", async () => {
    const reasons = await ended({}, async (proxy) => {
      await ask(proxy);
      proxy.client.destroy();
    });
    expect(reasons).toEqual(["client"]);
  });
});
