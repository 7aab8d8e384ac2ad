// Goal: a request over HTTP/2 is the same request: judged, forwarded, answered and reported as over HTTP/1.1.
// Method: the data path behind a plain port that speaks HTTP/2, a service that notes every byte, node:http2 as the client.
import { afterEach, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { eventually } from "../fixtures/eventually.ts";
import { askH2, openH2 } from "../fixtures/h2-client.ts";
import {
  closeAll,
  startProxy,
  startRawService,
  startScriptedService,
  type TestProxyOptions,
} from "../fixtures/proxy.ts";

afterEach(closeAll);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function start(options: TestProxyOptions, answer: (head: string, count: number) => string = () => OK) {
  const heads: string[] = [];
  const upstreamPort = await startScriptedService((head, count) => {
    heads.push(head);
    return answer(head, count);
  });
  const running = await startProxy({ upstreamPort, protocol: "h2", ...options });
  return { ...running, heads, session: openH2(running.port) };
}

describe("what is forwarded", () => {
  test("is written anew as HTTP/1.1: Host from :authority, canonical path, cookies in one line", async () => {
    const { session, heads } = await start({});
    const answer = await askH2(session, { ":path": "/a/%7Eb/../c?d=1", cookie: ["a=1", "b=2"], "x-a": "b" });
    expect(answer).toMatchObject({ status: 200, body: "ok", resetCode: 0 });
    expect(heads).toEqual(["GET /a/c?d=1 HTTP/1.1\r\nhost: localhost\r\ncookie: a=1; b=2\r\nx-a: b\r\n\r\n"]);
  });

  test("a body of announced length goes on with that length, another in chunks", async () => {
    const seen: string[] = [];
    const upstreamPort = await startRawService((socket) => {
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        if (!/(?:hello|0\r\n\r\n)$/.test(text)) return;
        seen.push(text);
        text = "";
        socket.write(OK);
      });
    });
    const { port } = await startProxy({ upstreamPort, protocol: "h2" });
    const session = openH2(port);
    await askH2(session, { ":path": "/", ":method": "POST", "content-length": "5" }, "hello");
    await askH2(session, { ":path": "/", ":method": "PUT" }, "hello");
    expect(seen).toEqual([
      "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello",
      "PUT / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ]);
  });

  test("two streams are under way at once, and the second may be answered first", async () => {
    const waiting: (() => void)[] = [];
    const upstreamPort = await startRawService((socket) => {
      socket.once("data", (chunk) => {
        const answer = (): void => void socket.write(OK);
        if (chunk.toString().startsWith("GET /slow")) waiting.push(answer);
        else answer();
      });
    });
    const { port, proxy, records } = await startProxy({ upstreamPort, protocol: "h2" });
    const session = openH2(port);
    const slow = askH2(session, { ":path": "/slow" });
    await eventually(() => waiting.length === 1);
    expect((await askH2(session, { ":path": "/fast" })).body).toBe("ok");
    expect(proxy.requestsInFlight).toBe(1);
    waiting[0]?.();
    expect((await slow).body).toBe("ok");
    expect(records.map((record) => record.exchange?.target.path)).toEqual(["/fast", "/slow"]);
    expect(records.every((record) => record.protocol === "h2")).toBe(true);
  });
});

describe("what comes back", () => {
  test("HEAD, 204 and 304 have no body; lengths that were announced stay", async () => {
    const { session } = await start({}, (head) => {
      if (head.startsWith("HEAD")) return "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n";
      if (head.startsWith("GET /304")) return "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n";
      return "HTTP/1.1 204 No Content\r\n\r\n";
    });
    const head = await askH2(session, { ":path": "/", ":method": "HEAD" });
    expect(head).toMatchObject({ status: 200, body: "", resetCode: 0, headers: { "content-length": "99" } });
    expect(await askH2(session, { ":path": "/304" })).toMatchObject({ status: 304, body: "", headers: { etag: "x" } });
    const empty = await askH2(session, { ":path": "/204" });
    expect(empty).toMatchObject({ status: 204, body: "", resetCode: 0 });
    expect(empty.headers["content-length"]).toBeUndefined();
  });

  test("nothing that belongs to the service's connection comes along, and a chunked answer has no framing", async () => {
    const { session } = await start(
      {
        route: {
          rewriteResponse: (headers) => headers.names.map((n, at) => `${n}: ${headers.values[at]}\r\n`).join(""),
        },
      },
      () =>
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=1\r\n" +
        "Set-Cookie: b=2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
    const answer = await askH2(session, { ":path": "/" });
    expect(answer).toMatchObject({ status: 200, body: "ok", resetCode: 0 });
    expect(Object.keys(answer.headers).sort()).toEqual([":status", "set-cookie"]);
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  });

  test("103 goes before the answer", async () => {
    const { session } = await start({}, () => `HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n${OK}`);
    expect(await askH2(session, { ":path": "/" })).toMatchObject({ status: 200, informational: [103], body: "ok" });
  });

  test("an answer that the service cuts is a reset stream, never a whole one", async () => {
    const upstreamPort = await startRawService((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal");
        setImmediate(() => socket.destroy());
      });
    });
    const { port, records } = await startProxy({ upstreamPort, protocol: "h2" });
    const session = openH2(port);
    const answer = await askH2(session, { ":path": "/" });
    expect(answer.resetCode).toBe(2);
    await eventually(() => records.length === 1);
    expect(records[0]).toMatchObject({ reason: "upstream_response_cut", status: 200 });
    expect(session.destroyed).toBe(false);
  });

  test("a service that cannot be reached: the same problem document as over HTTP/1.1", async () => {
    const { port } = await startProxy({ protocol: "h2", upstreamPort: 1 });
    const answer = await askH2(openH2(port), { ":path": "/" });
    expect(answer.status).toBe(502);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(answer.body)).toMatchObject({ reason: "upstream_connect_failed", status: 502 });
  });
});

describe("denials", () => {
  test("concern their stream alone; a body that nobody reads is given up, and the session lives on", async () => {
    const { session, heads } = await start({
      evaluate: ({ method }) => (method === "POST" ? new Denial("not_authorized", null, "x", "y") : null),
    });
    const denied = await askH2(session, { ":path": "/", ":method": "POST" }, "x".repeat(60_000));
    expect(denied).toMatchObject({ status: 403, headers: { "content-type": "application/problem+json" } });
    expect(JSON.parse(denied.body)).toMatchObject({ reason: "not_authorized" });
    expect((await askH2(session, { ":path": "/" })).status).toBe(200);
    expect(heads).toHaveLength(1);
  });

  test("CONNECT, TRACE, dot segments above the root: as over HTTP/1.1", async () => {
    const { session, records } = await start({});
    expect((await askH2(session, { ":path": "/", ":method": "TRACE" })).status).toBe(405);
    expect((await askH2(session, { ":path": "/../a" })).status).toBe(400);
    expect((await askH2(session, { ":path": "*", ":method": "OPTIONS" })).status).toBe(400);
    expect(records.map((record) => record.reason)).toEqual([
      "method_forbidden",
      "target_ambiguous",
      "target_ambiguous",
    ]);
  });
});

describe("request bodies", () => {
  const ends = { POST: "\r\n\r\n0\r\n\r\n", GET: "\r\n\r\n" };
  for (const [method, end] of Object.entries(ends)) {
    test(`that come to nothing before there is a connection to the service end all the same: ${method}`, async () => {
      const upstreamPort = await startRawService((socket) => {
        socket.on("data", (chunk) => chunk.toString().endsWith(end) && socket.write(OK));
      });
      const { port } = await startProxy({ upstreamPort, protocol: "h2" });
      const session = openH2(port);
      const stream = session.request({ ":path": "/", ":method": method }, { endStream: false });
      stream.end();
      const status = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
      expect(status).toBe(200);
    });
  }

  test("over the route's limit are refused, announced or not", async () => {
    const { session, records } = await start({ route: { bodyBytesMax: 10 } });
    const announced = { ":path": "/", ":method": "POST", "content-length": "11" };
    expect((await askH2(session, announced, "x".repeat(11))).status).toBe(413);
    expect((await askH2(session, { ":path": "/", ":method": "POST" }, "x".repeat(11))).status).toBe(413);
    expect(records.map((record) => record.reason)).toEqual(["body_too_large", "body_too_large"]);
  });

  test("that do not come are given up in time: 408", async () => {
    const upstreamPort = await startRawService((socket) => socket.resume());
    const { port, records } = await startProxy({
      upstreamPort,
      protocol: "h2",
      listener: { bodyProgressTimeoutMs: 100 },
    });
    const session = openH2(port);
    const stream = session.request({ ":path": "/", ":method": "POST", ":authority": "localhost" });
    stream.write("a");
    const status = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
    expect(status).toBe(408);
    expect(records[0]).toMatchObject({ reason: "body_timeout", requestBodyBytes: 1 });
  });

  test("100 Continue is sent when somebody wants the body, and not for a refused one", async () => {
    const { session } = await start({
      evaluate: ({ target }) => (target.path === "/no" ? new Denial("not_authorized", null, "x", "y") : null),
    });
    const send = (path: string): Promise<string[]> =>
      new Promise((resolve) => {
        const events: string[] = [];
        const stream = session.request({ ":path": path, ":method": "POST", expect: "100-continue" });
        stream.on("continue", () => {
          events.push("continue");
          stream.end("body");
        });
        stream.on("response", (headers) => events.push(String(headers[":status"])));
        stream.on("close", () => resolve(events));
        stream.resume();
      });
    expect(await send("/no")).toEqual(["403"]);
    expect(await send("/yes")).toEqual(["continue", "200"]);
  });
});

describe("a client that goes away", () => {
  test("resets its stream: 499, and the service's request ends", async () => {
    let closed = 0;
    const upstreamPort = await startRawService((socket) => {
      socket.on("end", () => {
        closed++;
        socket.end();
      });
      socket.resume();
    });
    const { port, records, proxy } = await startProxy({ upstreamPort, protocol: "h2" });
    const session = openH2(port);
    const stream = session.request({ ":path": "/", ":authority": "localhost" });
    stream.on("error", () => {});
    await eventually(() => proxy.requestsInFlight === 1);
    stream.close(8);
    await eventually(() => records.length === 1 && closed === 1);
    expect(records[0]).toMatchObject({ status: 499, reason: "client_closed" });
    expect(proxy.requestsInFlight).toBe(0);
  });

  test("takes its whole connection along: every request ends, each is reported once", async () => {
    const upstreamPort = await startRawService((socket) => socket.resume());
    const { port, records, proxy, sessionsClosed } = await startProxy({ upstreamPort, protocol: "h2" });
    const session = openH2(port);
    for (let at = 0; at < 3; at++) session.request({ ":path": "/", ":authority": "localhost" }).on("error", () => {});
    await eventually(() => proxy.requestsInFlight === 3);
    session.destroy();
    await eventually(() => proxy.connectionsOpen === 0);
    expect(records.map((record) => record.status)).toEqual([499, 499, 499]);
    expect(proxy.requestsInFlight).toBe(0);
    expect(sessionsClosed).toEqual(["client"]);
  });
});

describe("the end of a session", () => {
  test("a drain lets streams finish, takes no new ones, and then closes", async () => {
    let answer: (() => void) | null = null;
    const upstreamPort = await startRawService((socket) => {
      socket.once("data", () => {
        answer = () => socket.write(OK);
      });
    });
    const { port, proxy, sessionsClosed } = await startProxy({ upstreamPort, protocol: "h2" });
    const session = openH2(port);
    const goaway = new Promise<number>((resolve) => session.on("goaway", resolve));
    const slow = askH2(session, { ":path": "/" });
    const sendAnswer = await eventually(() => answer);
    const drained = proxy.drain();
    expect(await goaway).toBe(0);
    sendAnswer();
    expect(await slow).toMatchObject({ status: 200, body: "ok", resetCode: 0 });
    await drained;
    expect(sessionsClosed).toEqual(["drained"]);
  });

  test("a session that rests is closed in good order", async () => {
    const { session, sessionsClosed } = await start({ listener: { idleTimeoutMs: 100 } });
    const goaway = new Promise<number>((resolve) => session.on("goaway", resolve));
    await askH2(session, { ":path": "/" });
    expect(await goaway).toBe(0);
    await eventually(() => sessionsClosed.length === 1);
    expect(sessionsClosed).toEqual(["idle"]);
  });
});
