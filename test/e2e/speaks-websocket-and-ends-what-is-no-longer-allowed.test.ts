// Goal: a WebSocket passes the whole policy when it opens and goes on obeying it: what an edit or the end of a token
// forbids is closed with 1008 and a reason, all else notices nothing. Event streams alike.
// Method: ws before and behind a real process over real TLS; the policy is edited on disk, tokens are short-lived.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { Agent, createServer as createHttpsServer, request as httpsRequest } from "node:https";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Issued } from "../../src/cli/development-ca.ts";
import { eventually } from "../fixtures/eventually.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";
import { closeText, frame, handshake } from "../fixtures/web-socket.ts";

afterEach(closeAll);

/** A service that echoes on WebSockets and never ends its event streams. */
async function startStreamingService(identity: Issued | null = null) {
  const streams: ServerResponse[] = [];
  const answer = (_: unknown, response: ServerResponse): void => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("data: hello\n\n");
    streams.push(response);
  };
  const server =
    identity === null
      ? createServer(answer)
      : createHttpsServer({ cert: identity.certificate, key: identity.key }, answer);
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: true,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  const closes: number[] = [];
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("close", (code) => closes.push(code));
    socket.on("error", () => {});
  });
  const port = await listen(server);
  onClose(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  });
  return { port, closes, streams };
}

function policy(ports: PolicyPorts): string {
  return `${policyHead(ports, { service: "chat" })}
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json, skew: 0s }
defaults:
  authenticate: [okta]
routes:
  - path: /chat
    authorize: { scopes: [orders:read] }
    websocket: true
  - path: /other
    authorize: { scopes: [orders:read] }
    websocket: { origins: ["https://app.example.org"] }
  - path: /events
    authorize: { scopes: [orders:read] }
`;
}

const setUp = async () => {
  const service = await startStreamingService();
  const postern = await startPostern(service.port, policy);
  const { mint } = await theWorld();
  return { service, postern, mint };
};

async function connect(postern: Postern, path: string, token: string, options = {}): Promise<WebSocket> {
  const { pki } = await theWorld();
  const socket = new WebSocket(`wss://127.0.0.1:${postern.port}${path}`, ["v2.chat"], {
    agent: new Agent({ ca: pki.ca.certificate, servername: "localhost" }),
    headers: { Host: "localhost", Authorization: `Bearer ${token}` },
    ...options,
  });
  onClose(() => socket.terminate());
  socket.on("error", () => {});
  return socket;
}

async function open(postern: Postern, path: string, token: string, options = {}): Promise<WebSocket> {
  const socket = await connect(postern, path, token, options);
  await once(socket, "open");
  return socket;
}

async function echo(socket: WebSocket, text: string | Buffer): Promise<string> {
  const answer = once(socket, "message") as Promise<[Buffer, boolean]>;
  socket.send(text);
  const [data] = await answer;
  return data.toString("latin1");
}

/** Status and reason of a refused handshake. */
async function refusal(socket: WebSocket): Promise<[number, string]> {
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, import("node:http").IncomingMessage];
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return [response.statusCode ?? 0, (JSON.parse(body) as { reason: string }).reason];
}

const closed = async (socket: WebSocket): Promise<[number, string]> => {
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return [code, reason.toString()];
};

const ended = (postern: Postern, route: string, reason: string | undefined) =>
  postern.logged((line) => line["event"] === "request" && line["route"] === route && line["reason"] === reason);

/** An event stream that has begun. */
async function listenToEvents(postern: Postern, token: string): Promise<{ received: string; cut: boolean }> {
  const { pki } = await theWorld();
  const state = { received: "", cut: false };
  const request = httpsRequest({
    host: "127.0.0.1",
    port: postern.port,
    servername: "localhost",
    ca: pki.ca.certificate,
    path: "/events",
    headers: { Host: "localhost", Authorization: `Bearer ${token}` },
    agent: false,
  });
  onClose(() => request.destroy());
  request.on("error", () => {});
  request.end();
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  response.on("data", (chunk: Buffer) => {
    state.received += chunk;
  });
  response.on("error", () => {});
  response.on("close", () => {
    state.cut = !response.complete;
  });
  await eventually(() => state.received.includes("hello"));
  return state;
}

describe("ws before and behind", () => {
  test("messages small, large and compressed come back, and the end is counted once with its bytes", async () => {
    const { postern, mint } = await setUp();
    const socket = await open(postern, "/chat", await mint.token());
    expect(socket.protocol).toBe("v2.chat");
    expect(await echo(socket, "hello")).toBe("hello");
    expect(await echo(socket, "x".repeat(3_000_000))).toHaveLength(3_000_000);
    const noise = randomBytes(3_000_000);
    expect((await echo(socket, noise)) === noise.toString("latin1")).toBe(true);
    const pong = once(socket, "pong");
    socket.ping();
    await pong;
    socket.close(1000, "done");
    expect(await closed(socket)).toEqual([1000, "done"]);
    const line = await ended(postern, "/chat", undefined);
    expect(line).toMatchObject({ status: 101, principal: "alice", method: "GET" });
    expect(line["bytesIn"]).toBeGreaterThan(3_000_000);
    expect(line["bytesOut"]).toBeGreaterThan(3_000_000);
    const { body } = await postern.admins("/metrics");
    expect(body).toMatch(/^postern_requests_total\{.*route="\/chat".*status_class="1xx",reason="none".*\} 1$/m);
    expect(body).toMatch(/^postern_requests_in_flight 0$/m);
  });

  test("without a token, without the scope, from a foreign page or where no route says so there is none", async () => {
    const { postern, mint } = await setUp();
    const token = await mint.token();
    expect(await refusal(await connect(postern, "/chat", "nonsense"))).toEqual([401, "token_malformed"]);
    const poor = await mint.token({ scope: "orders:list" });
    expect(await refusal(await connect(postern, "/chat", poor))).toEqual([403, "scope_missing"]);
    const foreign = { origin: "https://evil.example" };
    expect(await refusal(await connect(postern, "/chat", token, foreign))).toEqual([403, "origin_denied"]);
    expect(await refusal(await connect(postern, "/other", token, foreign))).toEqual([403, "origin_denied"]);
    expect(await refusal(await connect(postern, "/events", token))).toEqual([400, "upgrade_refused"]);
    const welcome = await open(postern, "/other", token, { origin: "https://app.example.org" });
    expect(await echo(welcome, "hi")).toBe("hi");
  });
});

test("a service behind TLS is reached alike", async () => {
  const { pki, mint } = await theWorld();
  const service = await startStreamingService(pki.server);
  const postern = await startPostern(service.port, (ports) =>
    policy(ports).replace(
      /\{ address: "http:[^}]*\}/,
      `{ address: "https://localhost:${ports.app}", tls: { ca: ca.pem } }`,
    ),
  );
  const socket = await open(postern, "/chat", await mint.token());
  expect(await echo(socket, "x".repeat(100_000))).toHaveLength(100_000);
  socket.close(1000, "done");
  expect(await closed(socket)).toEqual([1000, "done"]);
});

describe("an edit of the policy", () => {
  test("closes with 1008 what it denies, names the line that does, and leaves all else alone", async () => {
    const { postern, service, mint } = await setUp();
    const token = await mint.token();
    const denied = await open(postern, "/chat", token);
    const other = await open(postern, "/other", token);
    const events = await listenToEvents(postern, token);
    const closing = closed(denied);
    postern.write("policy.yaml", policy(postern).replace("scopes: [orders:read]", "scopes: [orders:admin]"));
    expect(await closing).toEqual([1008, "stream_denied"]);
    await eventually(() => service.closes.includes(1001));
    const line = await ended(postern, "/chat", "stream_denied");
    expect(line).toMatchObject({ status: 101, rule: "routes[0].authorize.scopes", wanted: "scopes orders:admin" });
    expect(line["seen"]).toMatch(/^scope_missing: /);
    expect(await echo(other, "still here")).toBe("still here");
    service.streams[0]?.write("data: still here\n\n");
    await eventually(() => events.received.includes("still here"));
    expect(events.cut).toBe(false);
  });

  test("cuts an event stream that it denies", async () => {
    const { postern, service, mint } = await setUp();
    const token = await mint.token();
    const socket = await open(postern, "/chat", token);
    const events = await listenToEvents(postern, token);
    const text = policy(postern);
    postern.write("policy.yaml", `${text.slice(0, text.lastIndexOf("    authorize"))}    authorize: { scopes: [x] }\n`);
    await eventually(() => events.cut);
    expect(await ended(postern, "/events", "stream_denied")).toMatchObject({ status: 200 });
    await eventually(() => service.streams[0]?.destroyed);
    expect(await echo(socket, "still here")).toBe("still here");
  });

  test("that takes the route or its 'websocket' away closes too, and one that says the same closes none", async () => {
    const { postern, mint } = await setUp();
    const token = await mint.token();
    const chat = await open(postern, "/chat", token);
    const other = await open(postern, "/other", token);
    postern.write("policy.yaml", `${policy(postern)}# nothing new\n`);
    await postern.logged((line) => line["event"] === "reload" && line["result"] === "ok");
    expect(await echo(chat, "still here")).toBe("still here");
    const closing = [closed(chat), closed(other)];
    const gone = policy(postern).replace("    websocket: true\n", "").replace("path: /other", "path: /another");
    postern.write("policy.yaml", gone);
    expect(await Promise.all(closing)).toEqual([
      [1008, "stream_denied"],
      [1008, "stream_denied"],
    ]);
    expect((await ended(postern, "/chat", "stream_denied"))["seen"]).toMatch(/^upgrade_refused/);
    expect((await ended(postern, "/other", "stream_denied"))["seen"]).toMatch(/^route_not_found/);
  });
});

/** A WebSocket on a stream of HTTP/2 (RFC 8441); what comes on it, and whether it has ended. */
async function openOverHttp2(postern: Postern, token: string): Promise<{ received: string; ended: boolean }> {
  const { pki } = await theWorld();
  const session = connectHttp2(`https://localhost:${postern.port}`, { ca: pki.ca.certificate });
  session.on("error", () => {});
  onClose(() => session.destroy());
  await once(session, "remoteSettings");
  const fields = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat", "sec-websocket-version": "13" };
  const stream = session.request({ ...fields, authorization: `Bearer ${token}` }, { endStream: false });
  const state = { received: "", ended: false };
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    state.received += chunk.toString("latin1");
  });
  stream.on("end", () => {
    state.ended = true;
  });
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  expect(headers[":status"]).toBe(200);
  stream.write(frame("over HTTP/2"));
  await eventually(() => state.received.includes("over HTTP/2"));
  return state;
}

describe("a WebSocket over HTTP/2", () => {
  test("is closed with 1008 by an edit that denies it, and one that lasts lives on", async () => {
    const { postern, service, mint } = await setUp();
    const token = await mint.token();
    const denied = await openOverHttp2(postern, token);
    const other = await open(postern, "/other", token);
    postern.write("policy.yaml", policy(postern).replace("scopes: [orders:read]", "scopes: [orders:admin]"));
    await eventually(() => denied.ended && denied.received.endsWith(closeText(1008, "stream_denied")));
    await eventually(() => service.closes.includes(1001));
    expect(await ended(postern, "/chat", "stream_denied")).toMatchObject({ protocol: "h2" });
    expect(await echo(other, "still here")).toBe("still here");
  });

  test("is closed with 1008 at its token's end", async () => {
    const { postern, mint } = await setUp();
    const exp = Math.floor(Date.now() / 1000) + 2;
    const socket = await openOverHttp2(postern, await mint.token({ exp }));
    await eventually(() => socket.ended && socket.received.endsWith(closeText(1008, "stream_expired")));
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
  });
});

describe("event streams over HTTP/2", () => {
  test("are reset one by one: by an edit that denies them, at their token's end, and their connection goes on", async () => {
    const { postern, service, mint } = await setUp();
    const { pki } = await theWorld();
    const session = connectHttp2(`https://localhost:${postern.port}`, { ca: pki.ca.certificate });
    session.on("error", () => {});
    onClose(() => session.destroy());
    const listen = async (token: string) => {
      const stream = session.request({ ":path": "/events", authorization: `Bearer ${token}` });
      stream.on("error", () => {});
      const state = { stream, cut: false };
      stream.on("close", () => {
        state.cut = stream.rstCode !== 0;
      });
      await once(stream, "data");
      return state;
    };
    const exp = Math.floor(Date.now() / 1000) + 3;
    const short = await listen(await mint.token({ exp }));
    const long = await listen(await mint.token());
    await eventually(() => short.cut);
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
    expect(await ended(postern, "/events", "stream_expired")).toMatchObject({ protocol: "h2", status: 200 });
    expect([long.stream.closed, service.streams.map(({ destroyed }) => destroyed)]).toEqual([false, [true, false]]);
    const text = policy(postern);
    postern.write("policy.yaml", `${text.slice(0, text.lastIndexOf("    authorize"))}    authorize: { scopes: [x] }\n`);
    await eventually(() => long.cut);
    expect(await ended(postern, "/events", "stream_denied")).toMatchObject({ protocol: "h2", status: 200 });
    expect([session.closed, session.destroyed]).toEqual([false, false]);
  });
});

test("a token's end closes the WebSocket and the event stream that began with it, and no other", async () => {
  const { postern, mint } = await setUp();
  const exp = Math.floor(Date.now() / 1000) + 3;
  const short = await mint.token({ exp });
  const lasting = await open(postern, "/chat", await mint.token());
  const socket = await open(postern, "/chat", short);
  const events = await listenToEvents(postern, short);
  expect(await closed(socket)).toEqual([1008, "stream_expired"]);
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
  expect(Date.now()).toBeLessThan(exp * 1000 + 2000);
  await eventually(() => events.cut);
  expect(await ended(postern, "/chat", "stream_expired")).toMatchObject({ rule: "defaults.authenticate" });
  await ended(postern, "/events", "stream_expired");
  expect(await echo(lasting, "still here")).toBe("still here");
});

test("SIGTERM closes WebSockets with 1001 and does not wait for them", async () => {
  const { postern, service, mint } = await setUp();
  const socket = await open(postern, "/chat", await mint.token());
  const closing = closed(socket);
  postern.process.kill("SIGTERM");
  expect((await closing)[0]).toBe(1001);
  expect(await postern.exited).toBe(0);
  expect(service.closes).toEqual([1001]);
  expect(postern.log.find((line) => line["event"] === "stopped")).toMatchObject({ msg: "every request finished" });
});

test("bytes behind a refused handshake are neither a tunnel nor a request", async () => {
  const { postern, mint } = await setUp();
  const client = await postern.raw();
  client.write(handshake("/chat", { Host: "localhost", Authorization: `Bearer ${await mint.token({ aud: "x" })}` }));
  client.write("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.write(frame("a frame"));
  await client.untilClosed();
  const reasons = [...client.received.matchAll(/"reason":"(\w+)"/g)].map((match) => match[1]);
  expect(reasons).toEqual(["token_audience_mismatch"]);
});
