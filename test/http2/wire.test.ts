// Goal: no bytes of an HTTP/2 client become anything else than one HTTP/1.1 request with one reading, and none pass for whole
// that are not. Method: raw frames against the data path; the service notes every byte that reaches it.
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
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
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { closeAll, startProxy, startRawService, type TestProxyOptions } from "../fixtures/proxy.ts";

afterEach(closeAll);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A service that notes all bytes and answers each end of a head. */
async function start(options: TestProxyOptions = {}) {
  const service = { received: "", ended: 0 };
  const upstreamPort = await startRawService((socket) => {
    socket.on("data", (chunk) => {
      service.received += chunk.toString("latin1");
      if (service.received.endsWith("\r\n\r\n")) socket.write(OK);
    });
    socket.on("end", () => {
      service.ended++;
      socket.end();
    });
  });
  const running = await startProxy({ upstreamPort, protocol: "h2", ...options });
  const client = await H2RawClient.connect({ port: running.port, host: "127.0.0.1" });
  return { ...running, service, client };
}

const withField = (name: string, value: string): Field[] => fields("/", [[name, value]]);
const withPseudo = (name: string, value: string): Field[] =>
  fields().map((field) => (field[0] === name ? [name, value] : field));

describe("requests that are refused", () => {
  const refused: Record<string, readonly [fields: readonly Field[], outcome: number]> = {
    "transfer-encoding": [withField("transfer-encoding", "chunked"), 400],
    connection: [withField("connection", "x-postern-principal"), 400],
    "keep-alive": [withField("keep-alive", "1"), 400],
    "proxy-connection": [withField("proxy-connection", "close"), 400],
    upgrade: [withField("upgrade", "h2c"), 400],
    "te: gzip": [withField("te", "gzip"), 400],
    "a value with CR LF": [withField("x-a", "b\r\nx-postern-principal: admin"), 400],
    "a value with a bare LF": [withField("x-a", "b\ntransfer-encoding: chunked"), 400],
    "a value with a bare CR": [withField("x-a", "b\rc"), 400],
    "a value with a NUL": [withField("x-a", "b\0c"), 400],
    "a value with a leading blank": [withField("x-a", " b"), 400],
    "a value with a trailing blank": [withField("x-a", "b "), 400],
    "a name with a blank": [withField("x a", "b"), 400],
    "a name with a colon": [withField("x:a", "b"), 400],
    "an empty name": [withField("", "b"), 400],
    "an upper-case name": [withField("X-A", "b"), 400],
    "a length without a body": [withField("content-length", "5"), 400],
    "a padded length": [withField("content-length", "00"), 400],
    "the CGI twin of a length": [withField("content_length", "5"), 400],
    "the CGI twin of transfer-encoding": [withField("transfer_encoding", "chunked"), 400],
    "a Host of another name": [withField("host", "evil.example"), 400],
    "a path with a line break": [withPseudo(":path", "/\r\nGET /admin"), 400],
    "a path with a blank": [withPseudo(":path", "/ HTTP/1.1"), 400],
    "an absolute path": [withPseudo(":path", "http://evil.example/"), 400],
    "a path with bytes beyond ASCII": [withPseudo(":path", "/\xff"), 400],
    "an escaped slash": [withPseudo(":path", "/a%2Fb"), 400],
    "a method with a line break": [withPseudo(":method", "GET / HTTP/1.1\r\nx: y"), 400],
    "a method with a blank": [withPseudo(":method", "GET /admin"), 400],
    CONNECT: [
      [
        [":method", "CONNECT"],
        [":authority", "localhost:80"],
      ],
      405,
    ],
    "an extended CONNECT that ends at once": [[[":protocol", "websocket"], ...withPseudo(":method", "CONNECT")], 400],
    "a protocol without CONNECT": [[[":protocol", "websocket"], ...withPseudo(":method", "GET")], 400],
    "an extended CONNECT to another protocol": [
      [[":protocol", "connect-udp"], ...withPseudo(":method", "CONNECT")],
      400,
    ],
    "an authority with a user": [withPseudo(":authority", "admin@localhost"), 400],
    "an authority with a line break": [withPseudo(":authority", "a\r\nx-a: b"), 400],
    "an authority that is no host": [withPseudo(":authority", "a[b"), 400],
    "the scheme of TLS on a plain connection": [withPseudo(":scheme", "https"), 400],
    "an unknown scheme": [withPseudo(":scheme", "file"), 400],
    "a pseudo-header twice": [[[":path", "/admin"], ...fields()], 400],
    "a pseudo-header after a field": [[["x-a", "b"], ...fields()], 400],
    "an unknown pseudo-header": [[[":admin", "1"], ...fields()], 400],
    "an expectation that nobody knows": [withField("expect", "gold"), 417],
    "too many fields": [
      fields(
        "/",
        Array.from({ length: 101 }, (_, at) => [`x-${at}`, "v"] as const),
      ),
      431,
    ],
    "too large a head": [withField("x-a", "b".repeat(15_000)).concat([["x-b", "b".repeat(1_000)]]), 431],
  };
  for (const [title, [list, outcome]] of Object.entries(refused)) {
    test(`${title}: ${outcome}`, async () => {
      const { client, service, records } = await start({ listener: { headBytesMax: 15_500 } });
      client.write(request(1, list));
      expect(await client.outcome(1)).toBe(outcome);
      expect(service.received).toBe("");
      expect(records[0]).toMatchObject({ status: outcome, protocol: "h2" });
      // The connection lives on, and the next request is read as if nothing had been.
      client.write(request(3, fields("/next")));
      expect(await client.outcome(3)).toBe(200);
      expect(service.received).toBe("GET /next HTTP/1.1\r\nhost: localhost\r\n\r\n");
      expect(records).toHaveLength(2);
    });
  }

  test("more than twice what is allowed: refused all the same, though nobody holds it", async () => {
    const { client, service, records } = await start({ listener: { headBytesMax: 4096 } });
    client.write(request(1, withField("x-a", "b".repeat(9_000))));
    expect(await client.outcome(1)).toBe(431);
    expect(service.received).toBe("");
    expect(records).toMatchObject([{ status: 431, reason: "head_too_large" }]);
  });

  test("with a body under way: the refusal is told first, what still comes is read away, and the connection lives on", async () => {
    const { client, service } = await start();
    const bad = request(1, fields("/", [["connection", "x"]], "POST"), false);
    client.write(bad, frame(TYPE.data, 0, 1, "a".repeat(10_000)));
    await client.until(() => client.reset(1) !== undefined);
    expect([client.status(1), client.ended(1), client.reset(1)]).toEqual([400, true, ERROR.none]);
    client.write(frame(TYPE.data, FLAG.endStream, 1, "b".repeat(10_000)), request(3, fields("/next")));
    expect(await client.outcome(3)).toBe(200);
    expect(service.received).toBe("GET /next HTTP/1.1\r\nhost: localhost\r\n\r\n");
  });
});

describe("bodies", () => {
  const post = (more: readonly Field[] = []): Buffer => request(1, fields("/", more, "POST"), false);

  test("longer than announced: refused, and the service's connection ends", async () => {
    const { client, service, records } = await start();
    // Less would not have gone to the service before it was whole.
    const begun = "a".repeat(DEFAULTS.bodyPreludeBytes);
    client.write(post([["content-length", String(begun.length + 1)]]), frame(TYPE.data, 0, 1, begun));
    await eventually(() => service.received.endsWith(begun));
    client.write(frame(TYPE.data, FLAG.endStream, 1, "cGET / HTTP/1.1\r\n\r\n"));
    await client.until(() => client.ended(1));
    expect(client.status(1)).toBe(400);
    await eventually(() => service.ended === 1 && records.length === 1);
    const head = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${begun.length + 1}\r\n\r\n`;
    expect(service.received).toBe(head + begun);
    expect(records[0]).toMatchObject({ status: 400, reason: "request_malformed" });
  });

  test("shorter than announced: refused", async () => {
    const { client, service } = await start();
    client.write(post([["content-length", "3"]]), frame(TYPE.data, FLAG.endStream, 1, "ab"));
    expect(await client.outcome(1)).toBe(400);
    await eventually(() => service.received === "" || service.ended === 1);
    expect(service.received.endsWith("abc")).toBe(false);
  });

  for (const code of [0, 8]) {
    test(`cut by a reset with code ${code}: the service never gets an end`, async () => {
      const { client, service, records } = await start();
      client.write(post(), frame(TYPE.data, 0, 1, "half"));
      await eventually(() => service.received.endsWith("half\r\n"));
      client.write(rstStream(1, code));
      await eventually(() => service.ended === 1 && records.length === 1);
      expect(service.received.endsWith("4\r\nhalf\r\n")).toBe(true);
      expect(records[0]).toMatchObject({ status: 499, reason: "client_closed" });
    });
  }

  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    test(`of a ${method} are refused, announced or not, as over HTTP/1.1; the next request is read as if nothing had been`, async () => {
      const { client, service, records } = await start();
      client.write(request(1, fields("/warm")));
      expect(await client.outcome(1)).toBe(200); // its connection to the service rests in the pool
      const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
      client.write(request(3, fields("/first", [], method), false), frame(TYPE.data, 0, 3, smuggled));
      await client.until(() => client.ended(3));
      expect(client.status(3)).toBe(400);
      const announced = fields("/second", [["content-length", String(smuggled.length)]], method);
      client.write(request(5, announced, false), frame(TYPE.data, FLAG.endStream, 5, smuggled));
      await client.until(() => client.ended(5));
      expect(client.status(5)).toBe(400);
      client.write(request(7, fields("/next")));
      expect(await client.outcome(7)).toBe(200);
      expect(service.received).not.toContain("smuggled");
      expect(service.received.endsWith("GET /next HTTP/1.1\r\nhost: localhost\r\n\r\n")).toBe(true);
      expect(records.map(({ status, reason }) => [status, reason])).toEqual([
        [200, null],
        [400, "request_malformed"],
        [400, "request_malformed"],
        [200, null],
      ]);
    });
  }

  test("of a GET that come to nothing are none to the service", async () => {
    const connections: string[] = [];
    const upstreamPort = await startRawService((socket) => {
      const at = connections.push("") - 1;
      socket.on("data", (chunk) => {
        connections[at] += chunk.toString("latin1");
        if (connections[at]?.endsWith("\r\n\r\n")) socket.write(OK);
      });
    });
    const { port } = await startProxy({ upstreamPort, protocol: "h2" });
    const client = await H2RawClient.connect({ port, host: "127.0.0.1" });
    for (const stream of [1, 3]) {
      client.write(request(stream, fields(`/${stream}`), stream === 3));
      if (stream === 1) client.write(frame(TYPE.data, FLAG.endStream, stream));
      expect(await client.outcome(stream)).toBe(200);
    }
    expect(connections).toEqual([
      "GET /1 HTTP/1.1\r\nhost: localhost\r\n\r\nGET /3 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ]);
  });

  test("that look like chunks are data", async () => {
    const { client, service } = await start();
    client.write(post(), frame(TYPE.data, FLAG.endStream, 1, "0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n"));
    expect(await client.outcome(1)).toBe(200);
    expect(service.received.split("\r\n\r\n")[1]).toBe("1c\r\n0");
    expect(service.received.endsWith("\r\n0\r\n\r\n")).toBe(true);
  });

  test("with padding come without it", async () => {
    const { client, service } = await start();
    const padded = Buffer.concat([Buffer.of(4), Buffer.from("ab"), Buffer.alloc(4)]);
    client.write(post(), frame(TYPE.data, FLAG.endStream | FLAG.padded, 1, padded));
    expect(await client.outcome(1)).toBe(200);
    expect(service.received.endsWith("\r\n2\r\nab\r\n0\r\n\r\n")).toBe(true);
  });

  test("trailers end a body and go no further", async () => {
    const { client, service } = await start();
    const trailers = frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, headerBlock([["x-trailer", "1"]]));
    client.write(post(), frame(TYPE.data, 0, 1, "ab"), trailers);
    expect(await client.outcome(1)).toBe(200);
    expect(service.received).not.toContain("x-trailer");
    expect(service.received.endsWith("2\r\nab\r\n0\r\n\r\n")).toBe(true);
  });

  test("a service that does not read stops the client by its window", async () => {
    const upstreamPort = await startRawService((socket) => socket.pause());
    const { port } = await startProxy({ upstreamPort, protocol: "h2", route: { bodyBytesMax: 1e9 } });
    const client = await H2RawClient.connect({ port, host: "127.0.0.1" });
    client.write(post());
    // A client that keeps to its window, as the protocol wants: it may send what it was granted.
    let window = 65_535;
    let counted = 0;
    let sent = 0;
    const take = (): void => {
      const grants = client.frames.filter((one) => one.type === TYPE.windowUpdate && one.stream === 1);
      for (const grant of grants.slice(counted)) window += grant.payload.readUInt32BE(0);
      counted = grants.length;
    };
    let still = 0;
    await eventually(() => {
      take();
      still = window === 0 ? still + 1 : 0;
      for (; window > 0 && sent < 64e6; ) {
        const size = Math.min(window, 16_384);
        client.write(frame(TYPE.data, 0, 1, Buffer.alloc(size)));
        window -= size;
        sent += size;
      }
      return still > 40;
    });
    // What the sockets' buffers took; without the window it would be all of it.
    expect(sent).toBeLessThan(32e6);
    client.write(windowUpdate(0, 1));
    client.destroy();
  });
});
