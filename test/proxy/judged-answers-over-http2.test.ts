import { connect, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { afterEach, describe, expect, test } from "vitest";
import type { ResponseCheck } from "../../src/filters/response-check.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { bodyCheck, forbidding, headCheck, refused, replacing, whole } from "../fixtures/answer-rules.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { closeAll, onClose, startProxy } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { frame, handshake, startRawWebSocketService } from "../fixtures/web-socket.ts";

afterEach(closeAll);

const GRPC = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };

interface Got {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: IncomingHttpHeaders;
  body: string;
  resetCode: number;
}

/** HTTP/2 on both sides, and a client's session. */
async function setUp(serve: (stream: ServerHttp2Stream) => void, checks: readonly ResponseCheck[]) {
  const service = await startH2Service(serve);
  const proxy = await startProxy({
    protocol: "h2",
    upstreamPort: service.port,
    upstream: { protocol: "h2" },
    route: { responseChecks: checks },
  });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  session.on("error", () => {});
  onClose(() => session.destroy());
  const begin = (head: Record<string, string> = {}) => {
    const got: Got = { status: 0, headers: {}, trailers: {}, body: "", resetCode: 0 };
    const stream = session.request({ ":path": "/", te: "trailers", ...head });
    stream.on("response", (headers) => Object.assign(got, { headers, status: headers[":status"] }));
    stream.on("trailers", (trailers) => Object.assign(got, { trailers }));
    stream.on("data", (chunk: Buffer) => {
      got.body += chunk.toString();
    });
    stream.on("error", () => {});
    stream.end();
    const closed = new Promise<Got>((resolve) => {
      stream.on("close", () => resolve({ ...got, resetCode: stream.rstCode }));
    });
    return { got, closed };
  };
  return { ...proxy, begin };
}

/** `body` in one piece, then trailers. */
const answering =
  (body: string, trailers: Record<string, string> = {}, head: Record<string, string> = {}) =>
  (stream: ServerHttp2Stream): void => {
    const waitForTrailers = Object.keys(trailers).length > 0;
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.respond({ ":status": 200, ...head }, { waitForTrailers });
    stream.end(body);
  };

describe("answers over HTTP/2", () => {
  test("are refused by their head, and the session serves on", async () => {
    let asked = 0;
    const { begin } = await setUp(answering("body"), [headCheck(() => (++asked === 1 ? refused("first") : null))]);
    expect(await begin().closed).toMatchObject({ status: 502, body: expect.stringContaining("response_denied") });
    expect(await begin().closed).toMatchObject({ status: 200, body: "body" });
  });

  test("are changed as they stream, and their trailers with them", async () => {
    const rule = (): ReturnType<typeof replacing> =>
      replacing("secret", "***", {
        judgeTrailers: (trailers) => new HeaderBlock(["x-sum"], [`${trailers.get("x-sum")} changed`]),
      });
    const { begin } = await setUp(answering("a secret", { "x-sum": "1", "x-secret": "2" }), [bodyCheck(rule)]);
    const got = await begin().closed;
    expect(got).toMatchObject({ status: 200, body: "a ***", trailers: { "x-sum": "1 changed" } });
    expect(got.trailers).not.toHaveProperty("x-secret");
  });

  test("are judged whole, trailers too; what only audits changes neither", async () => {
    const rule = whole((body) => Buffer.from(`[${body}]`), 1024, { judgeTrailers: () => refused("trailers") });
    const enforced = await setUp(answering("body", { "x-sum": "1" }), [bodyCheck(() => rule)]);
    expect(await enforced.begin().closed).toMatchObject({ status: 502, trailers: {} });
    const audited = await setUp(answering("body", { "x-sum": "1" }), [bodyCheck(() => rule, 0)]);
    expect(await audited.begin().closed).toMatchObject({ status: 200, body: "body", trailers: { "x-sum": "1" } });
    expect((await eventually(() => audited.records[0])).exchange.audited).toHaveLength(1);
  });

  test("are cut by a reset where the denial comes late", async () => {
    let more: () => void = () => {};
    const { begin } = await setUp(
      (stream) => {
        stream.respond({ ":status": 200 });
        stream.write("first ");
        more = () => stream.end("taboo");
      },
      [bodyCheck(() => forbidding("taboo"))],
    );
    const { got, closed } = begin();
    await eventually(() => got.body === "first ");
    more();
    expect(await closed).toMatchObject({ status: 200, body: "first ", resetCode: 2 });
  });

  test("HEAD is judged by its head alone", async () => {
    const checks = [bodyCheck(() => replacing("a", "b"))];
    const serve = (stream: ServerHttp2Stream): void =>
      stream.respond({ ":status": 200, "content-length": "6", "x-a": "1" }, { endStream: true });
    const got = await (await setUp(serve, checks)).begin({ ":method": "HEAD" }).closed;
    expect(got).toMatchObject({ status: 200, headers: { "x-a": "1" } });
    expect(got.headers).not.toHaveProperty("content-length");
  });

  test("wait for the rest where a rule sees the whole, and one waiting holds up no other", async () => {
    const ends: (() => void)[] = [];
    const { begin } = await setUp(
      (stream) => {
        stream.respond({ ":status": 200 });
        stream.write("half");
        ends.push(() => stream.end(" whole"));
      },
      [bodyCheck(() => whole((body) => body, 1024))],
    );
    const first = begin();
    const second = begin();
    await eventually(() => ends.length === 2);
    await unchanging(() => first.got.status);
    expect(first.got.status).toBe(0);
    ends[1]?.();
    expect(await second.closed).toMatchObject({ status: 200, body: "half whole" });
    expect(first.got.status).toBe(0);
    ends[0]?.();
    expect(await first.closed).toMatchObject({ status: 200, body: "half whole" });
  });
});

describe("a gRPC call", () => {
  const serve = answering("message", { "grpc-status": "0" }, { "content-type": "application/grpc" });

  test("whose answer is refused by its head or whole is told in its own way", async () => {
    const rule = whole(() => refused("message"), 1024, { changes: false });
    for (const check of [headCheck(() => refused("head")), bodyCheck(() => rule)]) {
      const { begin, records } = await setUp(serve, [check]);
      const got = await begin(GRPC).closed;
      expect(got).toMatchObject({ status: 200, body: "", headers: { "grpc-status": "14" } });
      expect(records).toMatchObject([{ status: 502, grpcStatus: 14, reason: "response_denied" }]);
    }
  });

  test("whose answer is refused while it streams ends with a status in trailers", async () => {
    let more: () => void = () => {};
    const { begin } = await setUp(
      (stream) => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" });
        stream.write("first ");
        more = () => stream.end("taboo");
      },
      [bodyCheck(() => forbidding("taboo"))],
    );
    const { got, closed } = begin(GRPC);
    await eventually(() => got.body === "first ");
    more();
    const end = await closed;
    expect(end).toMatchObject({
      body: "first ",
      trailers: { "grpc-status": "14", "x-postern-reason": "response_denied" },
    });
  });

  test("whose answer passes keeps its status in the trailers", async () => {
    const { begin } = await setUp(serve, [bodyCheck(() => replacing("never", "*"))]);
    expect(await begin(GRPC).closed).toMatchObject({ body: "message", trailers: { "grpc-status": "0" } });
  });
});

describe("a WebSocket", () => {
  const webSocket = { frameBytesMax: 1024 * 1024, lifetimeMs: Number.POSITIVE_INFINITY };

  async function open(checks: readonly ResponseCheck[]) {
    const service = await startRawWebSocketService();
    const proxy = await startProxy({ upstreamPort: service.port, route: { webSocket, responseChecks: checks } });
    const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    client.write(handshake());
    return { service, client };
  }

  test("is judged by the head of its 101; no rule of bodies sees its frames", async () => {
    let bodies = 0;
    const checks = [
      bodyCheck(() => {
        bodies++;
        return replacing("secret", "*");
      }),
    ];
    const { service, client } = await open(checks);
    await client.untilReceived("101");
    service.sockets[0]?.write(frame("a secret", false));
    await client.untilReceived("a secret");
    expect(bodies).toBe(0);
  });

  test("whose 101 is denied does not open, and the service is let go", async () => {
    const { service, client } = await open([
      headCheck((_exchange, { status }) => (status === 101 ? refused("101") : null)),
    ]);
    await client.untilReceived("response_denied");
    expect(client.received).toMatch(/^HTTP\/1.1 502 /);
    await eventually(() => service.sockets[0]?.readableEnded);
  });
});
