import { afterEach, describe, expect, test, vi } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { expectRows } from "../fixtures/interop-page.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { closeAll, startProxy, startRawService, startScriptedService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;

/** Heads that reached the service, and a client connected to a proxy before it. */
async function setUp(answer: (head: string, count: number) => string, options = {}) {
  const heads: string[] = [];
  const upstreamPort = await startScriptedService((head, count) => {
    heads.push(head);
    return answer(head, count);
  });
  const proxy = await startProxy({ upstreamPort, ...options });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  return { ...proxy, heads, client };
}

test("a request is written anew and the answer comes back", async () => {
  const { client, heads, records } = await setUp(() => OK);
  client.write(
    "GET /v1/%7Ex/../orders?a=1 HTTP/1.1\r\nHOST:  A.example:80 \r\nX-One:\t1 \r\nConnection: keep-alive\r\n\r\n",
  );
  await client.untilReceived("\r\n\r\nok");
  expect(heads).toEqual(["GET /v1/orders?a=1 HTTP/1.1\r\nhost: A.example:80\r\nx-one: 1\r\n\r\n"]);
  expect(client.received).toBe("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  expect(records).toMatchObject([{ status: 200, reason: null, responseBodyBytes: 2 }]);
});

test("requests whose bodies come in one read with their heads each get their own answer, cut wherever they are", async () => {
  const post = (body: string) => `POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const all = [post("one"), get("/y"), post("three"), post("four")].join("");
  for (const cut of [
    all.length,
    10,
    post("one").length - 1,
    post("one").length,
    post("one").length + get("/y").length + 5,
  ]) {
    const { client, records } = await setUp(() => OK);
    client.write(all.slice(0, cut));
    if (cut < all.length) await new Promise((resolve) => setImmediate(resolve));
    client.write(all.slice(cut));
    await vi.waitFor(() => expect(client.received.split("\r\n\r\nok")).toHaveLength(5), {
      timeout: PATIENCE_MS,
    });
    expect(records.map(({ requestBodyBytes }) => requestBodyBytes)).toEqual([3, 0, 5, 4]);
  }
});

describe("what has one reading passes, written anew without its oddity", () => {
  const cases: Record<string, readonly [request: string, arrives: string]> = {
    "an offer of another protocol": [
      get("/", "Connection: Upgrade", "Upgrade: h2c"),
      "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n",
    ],
    "an offer with a body": [
      "POST / HTTP/1.1\r\nHost: a.example\r\nUpgrade: TLS/1.0\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nhi",
      "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\n",
    ],
    "a line end before a request": [`\r\n${get("/")}`, "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"],
    "an empty port": ["GET / HTTP/1.1\r\nHost: a.example:\r\n\r\n", "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"],
    "an empty port in an absolute target": [
      "GET http://a.example:/x HTTP/1.1\r\nHost: a.example\r\n\r\n",
      "GET /x HTTP/1.1\r\nhost: a.example\r\n\r\n",
    ],
    "an empty Expect": [get("/", "Expect:"), "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"],
    "a GET with an empty chunked body": [
      `${get("/", "Transfer-Encoding: chunked")}0\r\n\r\n`,
      "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n",
    ],
    "blanks around a length": [
      "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length:   2  \r\n\r\nhi",
      "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\n",
    ],
  };
  for (const [name, [request, arrives]] of Object.entries(cases)) {
    test.each(["whole", "byte by byte"])(`${name}, %s`, async (cut) => {
      const { client, heads } = await setUp(() => OK);
      for (const bytes of cut === "whole" ? [request] : request) client.write(bytes);
      await client.untilReceived("\r\n\r\nok");
      expect(heads[0]?.startsWith(arrives)).toBe(true);
      client.received = "";
      // What comes behind an offer may be of the other protocol: it costs the connection.
      if (name.startsWith("an offer")) return;
      client.write(get("/second"));
      await client.untilReceived("\r\n\r\nok");
      expect(heads.at(-1)).toContain("GET /second ");
    });
  }

  test("docs/interop.md has a row for each", () => expectRows("proxy/wire.test.ts", Object.keys(cases)));

  test("HTTP/1.0 without Host, as health checks send it; the service is asked by its own name", async () => {
    const { client, heads } = await setUp(() => OK);
    client.write("GET /health HTTP/1.0\r\n\r\n");
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(heads).toEqual([expect.stringMatching(/^GET \/health HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n\r\n$/)]);
  });

  test("a GET whose chunked body is not empty is refused", async () => {
    const { client, heads } = await setUp(() => OK);
    client.write(`${get("/", "Transfer-Encoding: chunked")}1\r\nx\r\n0\r\n\r\n`);
    expect(await client.untilClosed()).toMatch(/^HTTP\/1\.1 400 /);
    expect(heads).toEqual([]);
  });
});

test("pipelined requests are answered in order, whatever their bytes are cut into", async () => {
  const { client, heads } = await setUp((head) => OK.replace("ok", head.slice(5, 7)));
  const bytes = ["/a1", "/a2", "/a3"].map((path) => get(path)).join("");
  for (const byte of bytes) client.write(byte);
  await client.until(() => client.received.endsWith("a3"));
  expect(client.received.match(/a\d/g)).toEqual(["a1", "a2", "a3"]);
  expect(heads).toHaveLength(3);
});

test("a connection is kept alive over many requests and reuses one connection to the service", async () => {
  const { client, proxy } = await setUp((_, count) => OK.replace("ok", String(count).padStart(2, "0")));
  for (let at = 1; at <= 20; at++) {
    client.write(get("/"));
    await client.until(() => client.received.endsWith(`\r\n\r\n${String(at).padStart(2, "0")}`));
  }
  expect(proxy.connectionsOpen).toBe(1);
});

test("a body of known length and a chunked one arrive whole, each with one framing", async () => {
  const seen: string[] = [];
  const upstreamPort = await startRawService((socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.endsWith("END") && !text.endsWith("0\r\n\r\n")) return;
      seen.push(text);
      text = "";
      socket.write(OK);
    });
  });
  const { port } = await startProxy({ upstreamPort });
  const client = await RawClient.connect({ port, host: "127.0.0.1" });
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  client.write("END");
  await client.untilReceived("ok");
  const chunks = "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n";
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
  await client.until(() => client.received.split("ok").length === 3);
  expect(seen).toEqual([
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabcEND",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
  ]);
});

test("thousands of tiny chunks cost the service's side a few writes, not thousands", async () => {
  let seen = "";
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      seen += chunk.toString("latin1");
      if (seen.endsWith("\r\n0\r\n\r\n")) socket.write(OK);
    });
  });
  const { port } = await startProxy({ upstreamPort });
  const client = await RawClient.connect({ port, host: "127.0.0.1" });
  const tiny = "1\r\nx\r\n".repeat(10_000);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${tiny}0\r\n\r\n`);
  await client.untilReceived("ok");
  const sizes = [...seen.matchAll(/^([0-9a-f]+)\r$/gm)].map(([, size = ""]) => Number.parseInt(size, 16));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_000);
  expect(sizes.length).toBeLessThan(100);
});

test("a chunked answer, one until the end of the connection, 204, 304 and HEAD keep their framing", async () => {
  const { client } = await setUp((head) => {
    if (head.startsWith("HEAD")) return "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    if (head.includes("/204")) return "HTTP/1.1 204 No Content\r\n\r\n";
    if (head.includes("/304")) return "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: x\r\n\r\n";
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  });
  client.write(get("/").replace("GET", "HEAD") + get("/204") + get("/304") + get("/chunked"));
  await client.untilReceived("abc\r\n0\r\n\r\n");
  expect(client.received).toBe(
    "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n" +
      "HTTP/1.1 204 No Content\r\n\r\n" +
      "HTTP/1.1 304 Not Modified\r\netag: x\r\ncontent-length: 7\r\n\r\n" +
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  );
});

test("an answer that ends with its connection reaches the client whole and chunked", async () => {
  const upstreamPort = await startRawService((socket) => {
    socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nall of it"));
  });
  const { port, records } = await startProxy({ upstreamPort });
  const client = await RawClient.connect({ port, host: "127.0.0.1" });
  client.write(get("/"));
  expect(await client.untilReceived("0\r\n\r\n")).toContain("9\r\nall of it\r\n");
  expect(records).toMatchObject([{ status: 200, reason: null }]);
});

test("an HTTP/1.0 client gets a closed connection instead of chunks", async () => {
  const { client } = await setUp(() => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  client.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  expect(await client.untilClosed()).toBe("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc");
});

test.each([
  ["of known length", `Content-Length: 1000000\r\n\r\n${"x".repeat(20_000)}`],
  ["in chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n"],
])("an answer before the end of an upload %s says that it is the last of its connection", async (_, upload) => {
  const { client } = await setUp(() => OK);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${upload}`);
  await client.untilClosed();
  expect(client.received).toBe("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
});

test("'Expect: 100-continue' is answered once the request is allowed, and never reaches the service", async () => {
  const { client, heads } = await setUp(() => OK);
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  await client.untilReceived("HTTP/1.1 100 Continue\r\n\r\n");
  client.write("hi");
  await client.untilReceived("ok");
  expect(heads[0]).not.toContain("expect");
});

test("'Expect: 100-continue' of a denied request is never answered with 100", async () => {
  const { client, heads } = await setUp(() => OK, {
    evaluate: () => new Denial("scope_missing", null, "nothing", "something"),
  });
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
  expect(heads).toEqual([]);
});

test("an offer of the service, as Apache makes one in each answer, goes no further and costs nothing", async () => {
  const offer = "Upgrade: h2,h2c\r\nConnection: Upgrade, Keep-Alive\r\nKeep-Alive: timeout=5, max=100\r\n";
  const { client, heads } = await setUp(() => OK.replace("\r\n", `\r\n${offer}`));
  client.write(get("/1") + get("/2"));
  await client.until(() => client.received.split("\r\n\r\nok").length === 3);
  expect(client.received).toBe("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".repeat(2));
  expect(heads).toHaveLength(2);
});

test("early hints pass, a 101 that nobody asked for does not", async () => {
  const { client } = await setUp((head) =>
    head.includes("/hints")
      ? `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`
      : "HTTP/1.1 101 Switching\r\n\r\nraw",
  );
  client.write(get("/hints") + get("/switch"));
  await client.untilReceived("upstream_response_invalid");
  expect(client.received).toMatch(/^HTTP\/1.1 103 \r\nlink: <\/a>\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  expect(client.received).not.toContain("raw");
});

describe("what has no single reading is refused with its reason and the connection closed", () => {
  const refused: Record<string, [wire: string, status: number, reason: string]> = {
    "bare LF": ["GET / HTTP/1.1\nHost: a\n\n", 400, "request_malformed"],
    "HTTP/0.9": ["GET /\r\n\r\n", 400, "request_malformed"],
    "HTTP/2.0": ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400, "http_version_unsupported"],
    "no Host": ["GET / HTTP/1.1\r\n\r\n", 400, "host_invalid"],
    "two Hosts": ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "host_invalid"],
    "length beside chunked": [
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      400,
      "request_malformed",
    ],
    "chunked in HTTP/1.0": [
      "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      400,
      "request_malformed",
    ],
    garbage: ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400, "request_malformed"],
    "head too large": [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(40_000)}`, 431, "head_too_large"],
    "too many headers": [`GET / HTTP/1.1\r\nHost: a\r\n${"X: a\r\n".repeat(101)}\r\n`, 431, "headers_too_many"],
    "unknown expectation": ["GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417, "expectation_failed"],
  };
  for (const [name, [wire, status, reason]] of Object.entries(refused)) {
    test(name, async () => {
      const { client, heads, records } = await setUp(() => OK);
      client.write(wire);
      await client.untilClosed();
      expect(client.received).toMatch(
        new RegExp(`^HTTP/1\\.1 ${status} [^\\r]+\\r\\ncontent-type: application/problem\\+json\\r\\n`),
      );
      expect(client.received).toContain(`"reason":"${reason}"`);
      expect(client.received).toContain("connection: close\r\n");
      expect(heads).toEqual([]);
      expect(records).toMatchObject([{ status, reason }]);
    });
  }
});

test("a path with two readings is refused and the connection lives on: where the request ends is not in doubt", async () => {
  const { client, heads } = await setUp(() => OK);
  client.write(get("/a%2fb") + get("/a/../../b") + get("http://A.example/x"));
  await client.untilReceived("\r\n\r\nok");
  expect(client.received.match(/target_ambiguous/g)).toHaveLength(2);
  expect(heads).toEqual(["GET /x HTTP/1.1\r\nhost: a.example\r\n\r\n"]);
});

test.each(["http://other.example/", "*", "a.example:80", "ftp://a.example/"])(
  "the target %s is refused and the connection closed",
  async (target) => {
    const { client, heads, records } = await setUp(() => OK);
    client.write(get(target) + get("/next"));
    await client.untilClosed();
    expect(client.received).toMatch(/^HTTP\/1.1 400 /);
    expect(heads).toEqual([]);
    expect(records).toMatchObject([{ status: 400, reason: "target_ambiguous" }]);
  },
);

test("TRACE and CONNECT get 405 and nothing of the request back", async () => {
  const { client, heads } = await setUp(() => OK);
  client.write("TRACE / HTTP/1.1\r\nHost: a\r\nX-Secret: s3cret\r\n\r\nCONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
  await client.until(() => client.received.split("method_forbidden").length === 3);
  expect(client.received).toContain("allow: GET, HEAD");
  expect(client.received).not.toContain("s3cret");
  expect(heads).toEqual([]);
});

test("a usual method in another case is refused: a service that folds case would run it past its own route", async () => {
  const { client, heads } = await setUp(() => OK);
  for (const method of ["delete", "Get", "trace", "Connect"]) client.write(get("/").replace("GET", method));
  await client.until(() => client.received.split("method_forbidden").length === 5);
  client.write(get("/").replace("GET", "PROPFIND"));
  await client.untilReceived("\r\n\r\nok");
  expect(heads).toHaveLength(1);
});

test("a client that stalls its head is answered 408 and closed", async () => {
  const { client, records } = await setUp(() => OK, { listener: { headTimeoutMs: 50 } });
  client.write("GET / HTTP/1.1\r\nHost: a\r\n");
  await client.untilClosed();
  expect(client.received).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
  expect(records).toMatchObject([{ status: 408, reason: "head_timeout" }]);
});

test("a client that stalls its body is answered 408 and closed", async () => {
  const { client, records } = await setUp(() => "", { listener: { bodyProgressTimeoutMs: 50 } });
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  await client.untilClosed();
  expect(client.received).toMatch(/^HTTP\/1.1 408 /);
  expect(records).toMatchObject([{ reason: "body_timeout" }]);
});

test("an idle connection is closed without a word", async () => {
  const { client, records } = await setUp(() => OK, { listener: { idleTimeoutMs: 50 } });
  client.write(get("/"));
  await client.untilClosed();
  expect(client.received.endsWith("ok")).toBe(true);
  expect(records).toHaveLength(1);
});

describe("a body over the limit", () => {
  test("that is announced is refused before a byte of it is asked for", async () => {
    const { client, records } = await setUp(() => OK, { route: { bodyBytesMax: 10 } });
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
    await client.untilClosed();
    expect(client.received).toMatch(/^HTTP\/1.1 413 /);
    expect(records).toMatchObject([{ reason: "body_too_large", requestBodyBytes: 0 }]);
  });

  test("that is chunked is cut at the limit and the service's request is never completed", async () => {
    const seen: string[] = [];
    const upstreamPort = await startRawService((socket) =>
      socket.on("data", (chunk) => seen.push(chunk.toString("latin1"))),
    );
    const { port, records } = await startProxy({ upstreamPort, route: { bodyBytesMax: 10 } });
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabcdefgh\r\n");
    client.write("8\r\nabcdefgh\r\n0\r\n\r\n");
    await client.untilClosed();
    expect(client.received).toMatch(/^HTTP\/1.1 413 /);
    expect(seen.join("")).not.toContain("0\r\n\r\n");
    expect(records).toMatchObject([{ reason: "body_too_large" }]);
  });
});

test("a denied request with a short body leaves the connection usable, and the body is no second request", async () => {
  let denied = 0;
  const { client, heads } = await setUp(() => OK, {
    evaluate: () => (denied++ === 0 ? new Denial("scope_missing", null, "a", "b") : null),
  });
  const smuggled = get("/smuggled");
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}${get("/next")}`);
  await client.untilReceived("\r\n\r\nok");
  expect(heads.map((head) => head.split(" ")[1])).toEqual(["/next"]);
});

test("a check that throws is a 500, never a way through", async () => {
  const { client, heads } = await setUp(() => OK, {
    evaluate: () => {
      throw new Error("secret detail");
    },
  });
  client.write(get("/"));
  await client.untilReceived("internal_error");
  expect(client.received).not.toContain("secret detail");
  expect(heads).toEqual([]);
});

test("a check that rejects is a 500, never a way through", async () => {
  const { client, heads } = await setUp(() => OK, { evaluate: () => Promise.reject(new Error("secret detail")) });
  client.write(get("/"));
  await client.untilReceived("internal_error");
  expect(heads).toEqual([]);
});
