// Goal: no more requests are under way than the policy says, whoever asks; those that wait get their turn by caller and not by
// who came first; and a place is free again however its request ends.
// Method: a real postern process before a service that answers when the test says so; callers with tokens, over HTTP/1.1, HTTP/2
// and WebSocket. What is under way and what waits is read from the metrics.
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { eventually } from "../fixtures/eventually.ts";
import { openH2 } from "../fixtures/h2-client.ts";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

afterEach(closeAll);

/** Answers a request when the test does; WebSockets at once. */
async function startHoldingService() {
  const held: { readonly caller: string; readonly response: ServerResponse }[] = [];
  const server = createServer((request, response) => {
    held.push({ caller: String(request.headers["x-caller"]), response });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("error", () => {}));
  const port = await listen(server);
  onClose(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
  });
  return { port, held, answer: (at: number) => held[at]?.response.end("done") };
}

const policyOf =
  (limits: string, routes: string) =>
  ({ port, admin, app }: PolicyPorts): string =>
    `version: 1
service: orders
listeners: [{ name: inbound, address: "127.0.0.1:${port}", protocols: [h2c, http/1.1] }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
limits:
${limits}
defaults: { authenticate: [okta] }
routes:
${routes}
`;

interface Pending {
  readonly answer: Promise<{ status: number; reason: string | undefined; retryAfter: string | undefined }>;
  readonly leave: () => void;
}

const tokens = new Map<string, string>();

/** Asks as `caller`; the promise settles with the answer, or with status 0 where there is none. */
async function ask(postern: Postern, caller: string, path = "/"): Promise<Pending> {
  const { mint } = await theWorld();
  const token = tokens.get(caller) ?? (await mint.token({ sub: caller }));
  tokens.set(caller, token);
  const request = httpRequest({
    port: postern.port,
    path,
    agent: false,
    headers: { Authorization: `Bearer ${token}`, "X-Caller": caller },
  });
  const answer = new Promise<Awaited<Pending["answer"]>>((resolve) => {
    request.on("error", () => resolve({ status: 0, reason: undefined, retryAfter: undefined }));
    request.on("response", async (response: IncomingMessage) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      const reason = body.startsWith("{") ? (JSON.parse(body) as { reason: string }).reason : undefined;
      resolve({ status: response.statusCode ?? 0, reason, retryAfter: response.headers["retry-after"] });
    });
  });
  request.end();
  onClose(() => request.destroy());
  return { answer, leave: () => request.destroy() };
}

async function figure(postern: Postern, name: string, limit: string): Promise<number> {
  const { body } = await postern.admins("/metrics");
  return Number(new RegExp(`^${name}\\{limit="${limit}"\\} (\\S+)$`, "m").exec(body)?.[1]);
}

const underWay = (postern: Postern, count: number, limit = "places"): Promise<unknown> =>
  eventually(async () => (await figure(postern, "postern_limit_in_flight", limit)) === count);
const waiting = (postern: Postern, count: number, limit = "places"): Promise<unknown> =>
  eventually(async () => (await figure(postern, "postern_limit_waiting", limit)) === count);

describe("without a queue", () => {
  test("what finds no place is refused at once, and a place is free when its request is over", async () => {
    const service = await startHoldingService();
    const limits = "  places: { concurrency: 2 }\n  own: { concurrency: 1, key: principal }";
    const postern = await startPostern(
      service.port,
      policyOf(limits, "  - { path: /, limit: [places] }\n  - { path: /own, limit: [own] }"),
    );
    const first = await ask(postern, "a");
    await ask(postern, "b");
    await eventually(() => service.held.length === 2);
    expect(await (await ask(postern, "c")).answer).toEqual({
      status: 503,
      reason: "concurrency_full",
      retryAfter: "1",
    });
    service.answer(0);
    expect(await first.answer).toMatchObject({ status: 200 });
    await underWay(postern, 1);
    await ask(postern, "c");
    await eventually(() => service.held.length === 3);
    await ask(postern, "a", "/own");
    await eventually(() => service.held.length === 4);
    expect(await (await ask(postern, "a", "/own")).answer).toMatchObject({
      status: 429,
      reason: "concurrency_limited",
    });
    await ask(postern, "b", "/own");
    await eventually(() => service.held.length === 5);
  });

  test("a client that leaves, an HTTP/2 stream that is reset and a WebSocket that ends give their places back", async () => {
    const service = await startHoldingService();
    const postern = await startPostern(
      service.port,
      policyOf("  places: { concurrency: 2 }", "  - { path: /, limit: [places], websocket: true }"),
    );
    const leaves = await ask(postern, "a");
    await underWay(postern, 1);
    leaves.leave();
    await underWay(postern, 0);
    const { mint } = await theWorld();
    const authorization = `Bearer ${await mint.token({ sub: "b" })}`;
    const session = openH2(postern.port);
    const streams = [0, 1].map(() => session.request({ ":path": "/", ":authority": "localhost", authorization }));
    for (const stream of streams) stream.on("error", () => {});
    await underWay(postern, 2);
    const third = session.request({ ":path": "/", ":authority": "localhost", authorization });
    const [head] = (await once(third, "response")) as [{ ":status": number }];
    expect(head[":status"]).toBe(503);
    for (const stream of streams) stream.close(8);
    await underWay(postern, 0);
    const socket = new WebSocket(`ws://127.0.0.1:${postern.port}/`, { headers: { authorization } });
    onClose(() => socket.terminate());
    await once(socket, "open");
    await underWay(postern, 1);
    socket.close();
    await underWay(postern, 0);
  });

  test("a stream that a reload ends gives its place back, and the next policy knows of those that go on", async () => {
    const service = await startHoldingService();
    const routes = (rule: string): string => `  - { path: /, limit: [places], websocket: true${rule} }`;
    const policy = (rule: string, count: number) => policyOf(`  places: { concurrency: ${count} }`, routes(rule));
    const postern = await startPostern(service.port, policy("", 2));
    const { mint } = await theWorld();
    const open = async (sub: string): Promise<WebSocket> => {
      const authorization = `Bearer ${await mint.token({ sub })}`;
      const socket = new WebSocket(`ws://127.0.0.1:${postern.port}/`, { headers: { authorization } });
      onClose(() => socket.terminate());
      await once(socket, "open");
      return socket;
    };
    const ended = await open("a");
    await open("b");
    await underWay(postern, 2);
    postern.write("policy.yaml", policy(", authorize: { claims: { sub: [b] } }", 1)(postern));
    await once(ended, "close");
    await underWay(postern, 1);
    expect(await (await ask(postern, "b")).answer).toMatchObject({ status: 503, reason: "concurrency_full" });
  });

  test("a request that a later check refuses holds no place", async () => {
    const service = await startHoldingService();
    const postern = await startPostern(
      service.port,
      policyOf(
        "  places: { concurrency: 1 }",
        "  - { path: '/{id}', limit: [places], validate: { path: { id: { type: integer } } } }",
      ),
    );
    for (let at = 0; at < 5; at++) {
      expect(await (await ask(postern, "a", "/no-number")).answer).toMatchObject({ reason: "parameter_invalid" });
    }
    await underWay(postern, 0);
    await ask(postern, "a", "/7");
    await eventually(() => service.held.length === 1);
  });
});

describe("with a queue", () => {
  const QUEUED = policyOf(
    "  places: { concurrency: 1, queue: { length: 4, timeout: 50s } }",
    "  - { path: /, limit: [places] }",
  );

  test("one caller fills it, and others get their share all the same", async () => {
    const service = await startHoldingService();
    const postern = await startPostern(service.port, QUEUED);
    await ask(postern, "greedy");
    await underWay(postern, 1);
    const greedy: Pending[] = [];
    for (let at = 1; at <= 4; at++) {
      greedy.push(await ask(postern, "greedy"));
      await waiting(postern, at);
    }
    expect(await (await ask(postern, "greedy")).answer).toMatchObject({ status: 503, reason: "concurrency_full" });
    const honest = await ask(postern, "honest");
    // The newest of who has the most waiting gives way.
    expect(await greedy[3]?.answer).toMatchObject({ status: 503, reason: "concurrency_full" });
    await waiting(postern, 4);
    for (let at = 0; at < 3; at++) {
      service.answer(at);
      await eventually(() => service.held.length === at + 2);
    }
    expect(service.held.slice(0, 4).map(({ caller }) => caller)).toContain("honest");
    expect(service.held.slice(0, 3).map(({ caller }) => caller)).toContain("honest");
    for (let at = 3; at < 5; at++) service.answer(at);
    expect(await honest.answer).toMatchObject({ status: 200 });
  });

  test("clients that leave while they wait free their places in it, and the service never hears of them", async () => {
    const service = await startHoldingService();
    const postern = await startPostern(service.port, QUEUED);
    await ask(postern, "a");
    await underWay(postern, 1);
    const leaving = await Promise.all(["x", "y", "z"].map((caller) => ask(postern, caller)));
    await waiting(postern, 3);
    for (const { leave } of leaving) leave();
    await waiting(postern, 0);
    await ask(postern, "b");
    await waiting(postern, 1);
    service.answer(0);
    await eventually(() => service.held.length === 2);
    expect(service.held.map(({ caller }) => caller)).toEqual(["a", "b"]);
  });

  test("patience ends with a reason of its own, and nothing is left of the request", async () => {
    const service = await startHoldingService();
    const postern = await startPostern(
      service.port,
      policyOf("  places: { concurrency: 1, queue: { timeout: 100ms } }", "  - { path: /, limit: [places] }"),
    );
    await ask(postern, "a");
    await underWay(postern, 1);
    expect(await (await ask(postern, "b")).answer).toEqual({ status: 503, reason: "queue_timeout", retryAfter: "1" });
    expect(await figure(postern, "postern_limit_waiting", "places")).toBe(0);
    expect(service.held).toHaveLength(1);
  });

  test("a limit that is only tried out delays nobody", async () => {
    const service = await startHoldingService();
    const postern = await startPostern(
      service.port,
      policyOf(
        "  places: { concurrency: 1, queue: { timeout: 50s }, mode: audit }",
        "  - { path: /, limit: [places] }",
      ),
    );
    for (let at = 0; at < 3; at++) await ask(postern, "a");
    await eventually(() => service.held.length === 3);
    expect(await figure(postern, "postern_limit_waiting", "places")).toBe(0);
  });
});

test("a spike beyond a rate with 'throttle' is delayed, callers in turn, and reaches the service whole", async () => {
  const service = await startHoldingService();
  const postern = await startPostern(
    service.port,
    policyOf(
      "  smooth: { rate: 2/second, burst: 1, key: route, throttle: { queue: 10, timeout: 50s } }",
      "  - { path: /, limit: [smooth] }",
    ),
  );
  await ask(postern, "greedy");
  await eventually(() => service.held.length === 1);
  for (let at = 0; at < 4; at++) await ask(postern, "greedy");
  await ask(postern, "honest");
  await eventually(() => service.held.length === 6);
  const place = service.held.findIndex(({ caller }) => caller === "honest");
  expect(place).toBeLessThan(5);
  expect(await figure(postern, "postern_limit_waiting", "smooth")).toBe(0);
});
