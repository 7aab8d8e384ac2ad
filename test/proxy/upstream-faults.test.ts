import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { expectRows } from "../fixtures/interop-page.ts";
import { closeAll, onClose, startProxy, startRawService, startScriptedService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

/** The service's connections, in tests that write to them later. */
const sockets: Socket[] = [];

afterEach(() => {
  sockets.length = 0;
  closeAll();
});

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function ask(options: Parameters<typeof startProxy>[0], request = GET) {
  const proxy = await startProxy(options);
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(request);
  return { ...proxy, client };
}

/** A service that answers the first bytes of each connection with `answer` and closes if asked. */
const answering = (answer: string, close = false) =>
  startRawService((socket) => {
    socket.once("data", () => (close ? socket.end(answer, "latin1") : socket.write(answer, "latin1")));
  });

test("a service that is down gives 502 upstream_connect_failed and names no address", async () => {
  const { client, records } = await ask({ upstreamPort: 1 });
  await client.untilReceived("upstream_connect_failed");
  expect(client.received).toMatch(/^HTTP\/1.1 502 Bad Gateway\r\n/);
  expect(client.received).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/);
  expect(records).toMatchObject([
    { status: 502, reason: "upstream_connect_failed", denial: { seen: "ECONNREFUSED; upstream app at 127.0.0.1:1" } },
  ]);
});

test("a service that is slow gives 504 upstream_response_timeout", async () => {
  const upstreamPort = await startRawService(() => {});
  const { client, records } = await ask({ upstreamPort, upstream: { responseTimeoutMs: 50 } });
  await client.untilReceived("upstream_response_timeout");
  expect(client.received).toMatch(/^HTTP\/1.1 504 Gateway Timeout\r\n/);
  expect(records).toMatchObject([{ status: 504 }]);
});

test("a service that closes without an answer gives 502 upstream_closed", async () => {
  const { client } = await ask({ upstreamPort: await answering("", true) });
  expect(await client.untilReceived("upstream_closed")).toMatch(/^HTTP\/1.1 502 /);
});

describe("a service that answers garbage gives 502 upstream_response_invalid and none of it leaks", () => {
  const garbage: Record<string, string> = {
    "no HTTP": "SECRET banner\r\n",
    "malformed status": "HTTP/1.1 2x0 SECRET\r\n\r\n",
    "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 7\r\n\r\nSECRET",
    "length beside chunked": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\nSECRET",
    "bare LF": "HTTP/1.1 200 OK\nX: SECRET\n\n",
    "folded header": "HTTP/1.1 200 OK\r\nX: a\r\n SECRET\r\n\r\n",
    "endless head": `HTTP/1.1 200 OK\r\nX: SECRET${"a".repeat(40_000)}`,
    "more bytes than announced": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokSECRET",
    "a second answer": `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET`,
    "bytes behind the last chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nSECRET",
    "malformed first chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+6\r\nSECRET\r\n0\r\n\r\n",
    "malformed second chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nSECRET\r\nx\r\n",
    "an encoding other than chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nSECRET",
    "chunked twice":
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nSECRET\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nSECRET\r\n0\r\n\r\n",
    "signed length": "HTTP/1.1 200 OK\r\nContent-Length: +6\r\n\r\nSECRET",
    "equal lengths": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 6\r\n\r\nSECRET",
    "bare CR in a value": "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: SECRET\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": "HTTP/1.1 200 OK\r\nX: SECRET\0\r\nContent-Length: 0\r\n\r\n",
    "blank before the colon": "HTTP/1.1 200 OK\r\nX : SECRET\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2.0": "HTTP/2.0 200 OK\r\nX: SECRET\r\nContent-Length: 0\r\n\r\n",
    "status 600": "HTTP/1.1 600 SECRET\r\nContent-Length: 0\r\n\r\n",
    "too many headers": `HTTP/1.1 200 OK\r\n${"X: SECRET\r\n".repeat(101)}\r\n`,
  };
  for (const [name, answer] of Object.entries(garbage)) {
    test(name, async () => {
      const { client, records } = await ask({ upstreamPort: await answering(answer) });
      await client.untilReceived("upstream_response_invalid");
      expect(client.received).toMatch(/^HTTP\/1.1 502 /);
      expect(client.received).not.toContain("SECRET");
      expect(records).toMatchObject([{ status: 502, reason: "upstream_response_invalid" }]);
    });
  }
});

test("an answer that is cut cuts the client's connection, so that nobody takes it for whole", async () => {
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
  const { client, records } = await ask({ upstreamPort: await answering(answer, true) });
  await client.untilClosed();
  expect(client.received).not.toContain("HTTP/1.1 502");
  expect(records).toMatchObject([{ status: 200, reason: "upstream_response_cut" }]);
});

test("a chunked answer that is cut has no last chunk", async () => {
  const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
  const { client } = await ask({ upstreamPort: await answering(answer, true) });
  await client.untilClosed();
  expect(client.received).not.toContain("0\r\n\r\n");
});

test("a flood of informational answers gives 502 after the first few", async () => {
  const { client, records } = await ask({
    upstreamPort: await answering(`${"HTTP/1.1 103 x\r\nLink: </a>\r\n\r\n".repeat(10_000)}${OK}`),
  });
  await client.untilReceived("upstream_response_invalid");
  expect(client.received.match(/^HTTP\/1.1 103 /gm)).toHaveLength(32);
  expect(records).toMatchObject([
    { status: 502, denial: { seen: expect.stringMatching(/^too many informational responses; upstream app at /) } },
  ]);
});

test("an informational answer with a body is read to the end of its head, and what follows is no answer", async () => {
  const answer = `HTTP/1.1 103 x\r\nContent-Length: 6\r\n\r\nSECRET${OK}`;
  const { client, records } = await ask({ upstreamPort: await answering(answer) });
  expect(await client.untilReceived("upstream_response_invalid")).toMatch(/^HTTP\/1.1 103 \r\n\r\nHTTP\/1.1 502 /);
  expect(client.received).not.toContain("SECRET");
  expect(records).toMatchObject([{ status: 502 }]);
});

describe("an answer that ends with its head ends there (RFC 9112 section 6.3), and nothing is read behind it", () => {
  const next = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";
  const cases: Record<string, readonly [method: string, answer: string, arrives: RegExp]> = {
    "204 with a length": ["GET", "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", /^HTTP\/1.1 204 No Content\r\n\r\n$/],
    "204 that announces a body": [
      "GET",
      "HTTP/1.1 204 No\r\nContent-Length: 6\r\n\r\nSECRET",
      /^HTTP\/1.1 204 No Content\r\n\r\n$/,
    ],
    "204 with a chunked body": [
      "DELETE",
      "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1.1 204 No Content\r\n\r\n$/,
    ],
    "204 with another answer behind it": ["GET", `HTTP/1.1 204 No\r\n\r\n${OK}`, /^HTTP\/1.1 204 No Content\r\n\r\n$/],
    "304 with the body that it announces": [
      "GET",
      "HTTP/1.1 304 No\r\nContent-Length: 6\r\n\r\nSECRET",
      /^HTTP\/1.1 304 Not Modified\r\ncontent-length: 6\r\n\r\n$/,
    ],
    "HEAD with the body that it announces": [
      "HEAD",
      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET",
      /^HTTP\/1.1 200 OK\r\ncontent-length: 6\r\n\r\n$/,
    ],
    "HEAD with a chunked body": [
      "HEAD",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nSECRET\r\n0\r\n\r\n",
      /^HTTP\/1.1 200 OK\r\n(?:.+\r\n)*\r\n$/,
    ],
    "a line end behind a body": [
      "GET",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
      /^HTTP\/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok$/,
    ],
    "the first byte of one behind a body": [
      "GET",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r",
      /^HTTP\/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok$/,
    ],
    "a line end behind the last chunk": [
      "GET",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n\r\n",
      /\r\n\r\n2\r\nok\r\n0\r\n\r\n$/,
    ],
    "blanks around a length": [
      "GET",
      "HTTP/1.1 200 OK\r\nContent-Length:   2  \r\n\r\nok",
      /^HTTP\/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok$/,
    ],
    "an informational answer with a length": [
      "GET",
      `HTTP/1.1 103 x\r\nContent-Length: 0\r\n\r\n${OK}`,
      /^HTTP\/1.1 103 \r\n\r\nHTTP\/1.1 200 OK\r\n/,
    ],
  };
  test("docs/interop.md has a row for each", () => expectRows("proxy/upstream-faults.test.ts", Object.keys(cases)));

  test.each(Object.entries(cases))("%s", async (name, [method, answer, arrives]) => {
    let connections = 0;
    const upstreamPort = await startRawService((socket) => {
      const bytes = connections++ === 0 ? answer : next;
      socket.once("data", () => socket.write(bytes, "latin1"));
    });
    const { client } = await ask({ upstreamPort }, GET.replace("GET", method));
    await client.until(({ received }) => arrives.test(received));
    client.received = "";
    client.write(GET);
    // On a connection of its own, unless the answer was in order after all.
    if (name === "blanks around a length") return;
    await client.untilReceived("next");
    expect(client.received).not.toContain("SECRET");
    expect(connections).toBe(2);
  });
});

test("more bytes than announced, once the answer has begun, cut it", async () => {
  const upstreamPort = await startRawService((socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha"));
    sockets.push(socket);
  });
  const { client, records } = await ask({ upstreamPort });
  await client.untilReceived("ha");
  sockets[0]?.write("lfSECRET");
  await client.untilClosed();
  expect(client.received).not.toMatch(/lf|SECRET/);
  expect(records).toMatchObject([{ status: 200, reason: "upstream_response_cut" }]);
});

test("bytes that come when nobody asked are nobody's: the connection is dropped, not reused", async () => {
  const upstreamPort = await startRawService((socket) => {
    sockets.push(socket);
    socket.on("data", () => socket.write(OK));
  });
  const { client } = await ask({ upstreamPort, upstream: { idleTimeoutMs: 60_000 } });
  await client.untilReceived("ok");
  const dropped = new Promise((resolve) => sockets[0]?.once("end", resolve));
  // The service itself leaves the connection open.
  sockets[0]?.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET");
  await dropped;
  client.write(GET);
  await client.until(() => client.received.split("ok").length === 3);
  expect(sockets).toHaveLength(2);
  expect(client.received).not.toContain("SECRET");
});

test("after an invalid answer the connection is never used again", async () => {
  const upstreamPort = await startRawService((socket) => {
    const isFirst = sockets.push(socket) === 1;
    socket.on("data", () => socket.write(isFirst ? `${OK}SECRET` : OK));
  });
  const { client } = await ask({ upstreamPort });
  await client.untilReceived("upstream_response_invalid");
  client.write(GET);
  await client.untilReceived("\r\n\r\nok");
  expect(sockets).toHaveLength(2);
});

test("a chunked answer reaches the client whole, however it is cut", async () => {
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nde"));
    sockets.push(socket);
  });
  const { client } = await ask({ upstreamPort });
  await client.untilReceived("de");
  sockets[0]?.write("f\r\n0\r\nX: y\r\n\r\n");
  await client.untilReceived("0\r\n\r\n");
  expect(client.received.split("\r\n\r\n")[1]).toBe("3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0");
});

test("a reused connection that the service has just closed is retried once on a new one", async () => {
  let connections = 0;
  const upstreamPort = await startRawService((socket) => {
    const isFirst = connections++ === 0;
    let requests = 0;
    socket.on("data", () => (isFirst && requests++ > 0 ? socket.destroy() : socket.write(OK)));
  });
  const { client, records } = await ask({ upstreamPort });
  await client.untilReceived("ok");
  client.write(GET);
  await client.until(() => client.received.split("ok").length === 3);
  expect(connections).toBe(2);
  expect(records.map((record) => record.status)).toEqual([200, 200]);
});

test.each(["Content-Length: 2\r\n\r\nhi", "Content-Length: 0\r\n\r\n"])(
  "a POST is never sent twice: %j",
  async (rest) => {
    let posts = 0;
    const upstreamPort = await startRawService((socket) => {
      socket.on("data", (chunk) => {
        if (!chunk.toString().startsWith("POST")) return socket.write(OK);
        posts++;
        return socket.destroy();
      });
    });
    const { client } = await ask({ upstreamPort });
    await client.untilReceived("ok");
    client.write(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
    await client.untilReceived("upstream_closed");
    expect(posts).toBe(1);
  },
);

test("requests beyond the service's connections wait, and time out with 503", async () => {
  const upstreamPort = await startRawService(() => {});
  const { port, client } = await ask({ upstreamPort, upstream: { connectionsMax: 1, connectTimeoutMs: 50 } });
  const second = await RawClient.connect({ port, host: "127.0.0.1" });
  second.write(GET);
  expect(await second.untilReceived("upstream_overloaded")).toMatch(/^HTTP\/1.1 503 /);
  client.destroy();
});

test("a client that goes away ends the service's request and is counted once as 499", async () => {
  let closed: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  let asked: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", () => asked());
    socket.on("end", closed);
  });
  const { client, records } = await ask({ upstreamPort });
  await arrived;
  client.destroy();
  await gone;
  expect(records).toMatchObject([{ status: 499, reason: "client_closed" }]);
});

test("a client that never reads does not make postern hoard the answer", async () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  let sent = 0;
  const upstreamPort = await startRawService((socket) => {
    const pump = () => {
      while (sent < 256 * 1024 * 1024 && socket.write(chunk)) sent += chunk.length;
    };
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${256 * 1024 * 1024}\r\n\r\n`);
      pump();
    });
    socket.on("drain", pump);
  });
  const { client, proxy, records } = await ask({ upstreamPort, listener: { writeTimeoutMs: 300 } });
  client.pause();
  // The one clock that must run here is postern's own: the stalled client is cut by its deadline.
  while (records.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toBeLessThan(32 * 1024 * 1024);
  expect(proxy.requestsInFlight).toBe(0);
  expect(records).toMatchObject([{ status: 200, reason: "client_read_timeout" }]);
});

test("a service on a Unix socket is reached", async () => {
  const folder = mkdtempSync(join(tmpdir(), "postern-"));
  onClose(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "app.sock");
  await startScriptedService(() => OK, path);
  const { client } = await ask({ upstream: { address: { type: "unix", path } } });
  expect(await client.untilReceived("ok")).toMatch(/^HTTP\/1.1 200 OK/);
});

test("draining lets the request in flight finish, then closes", async () => {
  let answer: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    void startRawService((socket) => {
      socket.on("data", () => {
        answer = () => socket.write(OK);
        resolve();
      });
    }).then((port) => ports.push(port));
  });
  const ports: number[] = [];
  while (ports.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const { client, proxy } = await ask({ upstreamPort: ports[0] ?? 0 });
  await asked;
  const drained = proxy.drain();
  answer();
  await drained;
  await client.untilClosed();
  expect(client.received).toContain("connection: close\r\n\r\nok");
});

describe("a service whose answers have large heads", () => {
  const lines = 300;
  const large = `HTTP/1.1 200 OK\r\n${"X-Line: 1\r\n".repeat(lines)}X-Long: ${"y".repeat(60_000)}\r\nContent-Length: 2\r\n\r\nok`;

  test("is heard where the policy says so, and only as far", async () => {
    const upstreamPort = await answering(large);
    const roomy = { headBytesMax: 128 * 1024, headersCountMax: 500 };
    const { client } = await ask({ upstreamPort, upstream: roomy });
    await client.untilReceived("\r\n\r\nok");
    expect(client.received.match(/^x-line: 1\r$/gm)).toHaveLength(lines);
    for (const upstream of [
      { ...roomy, headBytesMax: 60_000 },
      { ...roomy, headersCountMax: lines + 1 },
    ]) {
      const { client: refused } = await ask({ upstreamPort: await answering(large), upstream });
      expect(await refused.untilReceived("upstream_response_invalid")).toMatch(/^HTTP\/1.1 502 /);
    }
  });

  test("and so is one that speaks HTTP/2", async () => {
    const service = await startH2Service((stream) => {
      const many = Object.fromEntries(Array.from({ length: lines }, (_, at) => [`x-line-${at}`, "y".repeat(120)]));
      stream.respond({ ":status": 200, ...many });
      stream.end("ok");
    });
    const upstream = { protocol: "h2", headBytesMax: 128 * 1024, headersCountMax: 500 } as const;
    const { client } = await ask({ upstreamPort: service.port, upstream });
    await client.untilReceived("ok");
    expect(client.received.match(/^x-line-\d+: y{120}\r$/gm)).toHaveLength(lines);
    const { client: refused } = await ask({
      upstreamPort: service.port,
      upstream: { ...upstream, headersCountMax: lines - 1 },
    });
    await refused.untilReceived("upstream_response_invalid");
  });
});
