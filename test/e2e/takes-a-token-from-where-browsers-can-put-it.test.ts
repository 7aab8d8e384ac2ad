// Goal: a token is taken from a cookie, the query or a WebSocket's sub-protocols as browsers send it, by no other site's page,
// and reaches neither the service nor a log.
// Method: a real postern process over TLS before a real service with ws, which notes what arrives; headers as browsers set
// them, the ws client, which like browsers gives up without an answer to its offer, and raw handshakes.
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { Agent } from "node:https";
import { Agent as BrowserAgent, WebSocket as BrowserSocket, EventSource } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { acceptOf } from "../../src/websocket/handshake.ts";
import { policyHead } from "../fixtures/policy-head.ts";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";
import { handshake, KEY } from "../fixtures/web-socket.ts";

const OKTA = `type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json`;

const policy = (ports: PolicyPorts): string => `${policyHead(ports)}
authenticators:
  okta: { ${OKTA}, websocketProtocol: true }
  pages: { ${OKTA}, cookie: __Host-session }
  feeds: { ${OKTA}, query: access_token }
  guest: { type: anonymous }
routes:
  - { path: /api, authenticate: [okta] }
  - { path: /page, authenticate: [pages] }
  - { path: /open, authenticate: [pages, guest] }
  - { path: /kept, authenticate: [pages], request: { keepCredentials: true } }
  - { path: /events, authenticate: [feeds], validate: { query: { from: { type: integer } }, unknownQuery: refuse } }
  - { path: /socket, authenticate: [okta], websocket: true }
  - { path: /page-socket, authenticate: [pages], websocket: { origins: ["*"] } }
  - { path: /public, public: true }
`;

interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

/** Chooses the last sub-protocol that it is offered. */
async function startNotingService() {
  const arrived: Got[] = [];
  const note = ({ method = "", url = "", headers }: IncomingMessage): void =>
    void arrived.push({ method, url, headers });
  const server = createServer((request, response) => {
    note(request);
    request.resume();
    if (request.headers.accept !== "text/event-stream") response.end("{}");
    else response.writeHead(200, { "Content-Type": "text/event-stream" }).end("data: hello\n\n");
  });
  const sockets = new WebSocketServer({ server, handleProtocols: (offered) => [...offered].at(-1) ?? false });
  sockets.on("connection", (socket, request) => {
    note(request);
    socket.on("message", (data) => socket.send(data));
  });
  const port = await listen(server);
  onClose(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  });
  return { port, arrived };
}

let service: Awaited<ReturnType<typeof startNotingService>>;
let postern: Postern;
let token: string;
let cookie: Record<string, string>;
beforeAll(async () => {
  service = await startNotingService();
  postern = await startPostern(service.port, policy);
  token = await (await theWorld()).mint.token();
  cookie = { Cookie: `theme=dark; __Host-session=${token}; a=1` };
}, 60_000);
afterAll(closeAll);

const own = { Origin: "https://localhost", "Sec-Fetch-Site": "same-origin" };

async function open(path: string, protocols: string[], headers: Record<string, string> = {}): Promise<WebSocket> {
  const { pki } = await theWorld();
  const socket = new WebSocket(`wss://127.0.0.1:${postern.port}${path}`, protocols, {
    agent: new Agent({ ca: pki.ca.certificate, servername: "localhost" }),
    headers: { Host: "localhost", ...headers },
  });
  onClose(() => socket.terminate());
  socket.on("error", () => {});
  return socket;
}

/** What the service echoes, and the sub-protocol that the client sees. */
async function talk(socket: WebSocket): Promise<[string, string]> {
  await once(socket, "open");
  const answer = once(socket, "message") as Promise<[Buffer]>;
  socket.send("hello");
  const [data] = await answer;
  return [data.toString(), socket.protocol];
}

async function statusOf(socket: WebSocket): Promise<number> {
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

test("A page's own requests come in by its cookie, and the service gets the other cookies", async () => {
  for (const [method, headers] of [
    ["GET", {}],
    ["GET", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" }],
    ["POST", own],
    ["POST", { Origin: "https://localhost" }],
    ["DELETE", { "Sec-Fetch-Site": "same-origin" }],
    ["POST", { "Sec-Fetch-Site": "none" }],
  ] as const) {
    const answer = await postern.call({ method, path: "/page", headers: { ...cookie, ...headers } });
    expect(answer, `${method} ${JSON.stringify(headers)}`).toMatchObject({ status: 200 });
    expect(service.arrived.at(-1)?.headers).toMatchObject({
      cookie: "theme=dark; a=1",
      "x-postern-principal": "alice",
    });
  }
  await postern.call({ path: "/public", headers: cookie });
  expect(service.arrived.at(-1)?.headers.cookie).toBe("theme=dark; a=1");
  await postern.call({ path: "/kept", headers: cookie });
  expect(service.arrived.at(-1)?.headers.cookie).toBe(cookie["Cookie"]);
});

test("Another site's page changes nothing with the user's cookie, and nothing arrives", async () => {
  const before = service.arrived.length;
  for (const headers of [
    { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
    { Origin: "https://blog.localhost", "Sec-Fetch-Site": "same-site" },
    { Origin: "null", "Sec-Fetch-Site": "cross-site" },
    { Origin: "null" },
    { Origin: "https://localhost.evil.example" },
    // Over TLS, whoever sits on the way can be a page of http://.
    { Origin: "http://localhost" },
    { "Sec-Fetch-Site": "same-origin, cross-site" },
    {},
  ]) {
    for (const path of ["/page", "/open"]) {
      const answer = await postern.call({ method: "POST", path, headers: { ...cookie, ...headers } as never });
      expect(answer, JSON.stringify(headers)).toMatchObject({ status: 403, reason: "origin_denied" });
      expect(answer.headers["www-authenticate"]).toBeUndefined();
    }
  }
  const link = { ...cookie, "Sec-Fetch-Site": "cross-site" };
  expect(await postern.call({ path: "/page?_method=DELETE", headers: link })).toMatchObject({ status: 403 });
  const raw = await postern.raw();
  raw.write(
    `POST /page HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-session=${token}\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  expect(await raw.untilClosed()).toContain("403 Forbidden");
  expect(service.arrived.length).toBe(before);
});

test("Twins and other spellings of a cookie or a parameter are refused, and nothing arrives", async () => {
  const before = service.arrived.length;
  for (const [path, headers, reason] of [
    ["/page", { Cookie: `__Host-session=${token}; __Host-session=x` }, "token_malformed"],
    ["/page", { Cookie: `__Host-session="x"; __Host-session="${token}"` }, "token_malformed"],
    ["/page", { Cookie: `\u00a0__Host-session=${token}` }, "token_malformed"],
    ["/page", { Cookie: `__host-session=${token}` }, "credentials_missing"],
    [`/events?access_token=${token}&access_token=${token}`, {}, "token_malformed"],
    [`/events?access_token=${token}&%61ccess_token=x`, {}, "token_malformed"],
    [`/events?access_token=${token}&access_token[]=x`, {}, "token_malformed"],
    [`/events?ACCESS_TOKEN=${token}`, {}, "credentials_missing"],
  ] as const) {
    expect(await postern.call({ path, headers }), path).toMatchObject({ status: 401, reason });
  }
  expect(service.arrived.length).toBe(before);
});

test("An EventSource has its token in the query, which the service does not get", async () => {
  const headers = { Accept: "text/event-stream", "Cache-Control": "no-cache", ...own };
  const answer = await postern.call({ path: `/events?access%5Ftoken=${token}&from=2`, headers });
  expect(answer).toMatchObject({ status: 200, body: "data: hello\n\n" });
  expect(service.arrived.at(-1)).toMatchObject({ url: "/events?from=2", headers: { "x-postern-principal": "alice" } });
});

test("A WebSocket has its token among the sub-protocols, and the client gets the one that the service chose", async () => {
  const encoded = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
  for (const [protocols, arrives, chosen] of [
    [["bearer", token], undefined, "bearer"],
    [["bearer", token, "v1.chat", "v2.chat"], "v1.chat, v2.chat", "v2.chat"],
    [["v2.chat", "bearer", token], "v2.chat", "v2.chat"],
    [[encoded, "v4.channel.k8s.io"], "v4.channel.k8s.io", "v4.channel.k8s.io"],
  ] as const) {
    const socket = await open("/socket", [...protocols]);
    expect(await talk(socket), String(arrives)).toEqual(["hello", chosen]);
    socket.close();
    const { headers } = service.arrived.at(-1) as Got;
    expect(headers["sec-websocket-protocol"]).toBe(arrives);
    expect(headers["x-postern-principal"]).toBe("alice");
  }
  const { headers } = await postern.call({ path: "/api", headers: { Authorization: `Bearer ${token}` } });
  expect(headers["sec-websocket-protocol"]).toBeUndefined();
});

test("The WebSocket and the EventSource of browsers' own standard come in by the same words", async () => {
  const { pki } = await theWorld();
  const dispatcher = new BrowserAgent({ allowH2: false, connect: { ca: pki.ca.certificate } });
  onClose(() => void dispatcher.destroy());
  const socket = new BrowserSocket(`wss://localhost:${postern.port}/socket`, {
    protocols: ["bearer", token],
    dispatcher,
  });
  onClose(() => socket.close());
  await once(socket, "open");
  expect(socket.protocol).toBe("bearer");

  const events = new EventSource(`https://localhost:${postern.port}/events?access_token=${token}`, {
    node: { dispatcher },
  });
  onClose(() => events.close());
  const [event] = (await once(events, "message")) as [{ data: string }];
  events.close();
  expect(event.data).toBe("hello");
});

test("The bytes of the handshake: the word in its own line and no token, over several lines as over one", async () => {
  for (const lines of [`bearer, ${token}`, `bearer\r\nSec-WebSocket-Protocol: ${token}`]) {
    const raw = await postern.raw();
    raw.write(handshake("/socket", { Host: "localhost", "Sec-WebSocket-Protocol": lines }));
    const answer = await raw.untilReceived("\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).toContain(acceptOf(KEY));
    expect(answer.match(/sec-websocket-protocol: .*/gi)).toEqual(["sec-websocket-protocol: bearer"]);
    expect(answer).not.toContain(token);
    raw.destroy();
  }
});

test("Over HTTP/2 the answer to a token alone is the same word, once", async () => {
  const { pki } = await theWorld();
  const session = connectHttp2(`https://localhost:${postern.port}`, { ca: pki.ca.certificate });
  session.on("error", () => {});
  onClose(() => session.destroy());
  await once(session, "remoteSettings");
  const stream = session.request(
    {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": "/socket",
      "sec-websocket-version": "13",
      "sec-websocket-protocol": `bearer, ${token}`,
    },
    { endStream: false },
  );
  stream.on("error", () => {});
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  expect(headers).toMatchObject({ ":status": 200, "sec-websocket-protocol": "bearer" });
  stream.close();
  expect(service.arrived.at(-1)?.headers["sec-websocket-protocol"]).toBeUndefined();
});

test("A WebSocket without a good token, or with two, is not opened", async () => {
  const before = service.arrived.length;
  for (const [protocols, status] of [
    [["bearer", `${token}x`], 401],
    [["chat"], 401],
    [["chat", "bearer"], 401],
    [["bearer", token, `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`], 401],
  ] as const) {
    expect(await statusOf(await open("/socket", [...protocols]))).toBe(status);
  }
  const both = await open("/socket", ["bearer", token], { Authorization: `Bearer ${token}` });
  expect(await statusOf(both)).toBe(401);
  expect(service.arrived.length).toBe(before);
});

test("A WebSocket by cookie is opened by the service's own pages alone, whatever the route lets in", async () => {
  const socket = await open("/page-socket", ["chat"], { ...cookie, Origin: "https://localhost" });
  expect(await talk(socket)).toEqual(["hello", "chat"]);
  socket.close();
  expect(service.arrived.at(-1)?.headers.cookie).toBe("theme=dark; a=1");
  const before = service.arrived.length;
  for (const headers of [{ Origin: "https://evil.example" }, {}]) {
    expect(await statusOf(await open("/page-socket", ["chat"], { ...cookie, ...headers }))).toBe(403);
  }
  expect(service.arrived.length).toBe(before);
});

test("A token in the wrong place is told in the log as that, is no anonymous caller, and is in no line", async () => {
  for (const [path, headers, seen] of [
    [
      `/api?access_token=${token}`,
      {},
      "no credentials; a token in the query parameter 'access_token', expected Authorization: Bearer or Sec-WebSocket-Protocol",
    ],
    [
      "/open",
      { Authorization: `Bearer ${token}` },
      "no credentials; a token in Authorization, expected cookie __Host-session",
    ],
  ] as const) {
    const answer = await postern.call({ path, headers });
    expect(answer).toMatchObject({ status: 401, reason: "credentials_missing" });
    expect(answer.body).not.toContain(token);
    const line = await postern.logged((one) => one["id"] === answer.id);
    expect(line["seen"]).toBe(seen);
  }
  expect(await postern.call({ path: "/open" })).toMatchObject({ status: 200 });
  expect(postern.output()).not.toContain(token.slice(-40));
  expect(postern.output()).not.toContain(Buffer.from(token).toString("base64url").slice(-60, -20));
  expect(postern.output()).toContain("tokens in the query stay in the logs of proxies");
});

test("A metric and a page of the admin port have no token either", async () => {
  for (const path of ["/metrics", "/policy"]) expect((await postern.admins(path)).body).not.toContain(token.slice(-40));
});
