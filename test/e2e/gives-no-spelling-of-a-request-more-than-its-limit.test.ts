// Goal: a limit is what it says, in whatever form the same request comes: its session spelled otherwise, its method named in a
// parameter, its failure told in a gRPC status, its answer asked for in parts.
// Method: a real postern process before real services that understand each form; every attack gets as much as its plain form.
import { type ClientHttp2Session, connect } from "node:http2";
import { Metadata, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callUnary, createGrpcClient, startGrpcService } from "../fixtures/grpc.ts";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { startRealService } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts, express: number, grpc: number): string => `version: 1
service: spellings
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    upstream: app
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
  express: { address: "http://127.0.0.1:${express}" }
  grpc: { address: "h2c://127.0.0.1:${grpc}" }
limits:
  perSession: { rate: 5/hour, key: 'request.cookies["my_session"]', absent: unlimited }
  perWords: { rate: 5/hour, key: { expression: 'request.cookies["my_session"] + "!"' }, absent: unlimited }
  costly: { rate: 10/hour, key: client.address, cost: { DELETE: 10, GET: 5, default: 1 } }
  perMethod: { rate: 5/hour, key: [client.address, request.method] }
  guesses: { rate: 5/hour, key: client.address, count: failures }
  tokens: { budget: 1000/day, unit: tokens, key: client.address, cost: { estimate: 1, response: $.usage.total_tokens } }
  few: { rate: 20/hour, key: 'request.headers["x-who"]', absent: deny }
  login: { rate: 5/hour, key: 'request.headers["x-who"]', absent: deny, count: failures }
routes:
  - { path: /few, public: true, limit: [few] }
  - { path: /login, methods: [POST], public: true, limit: [login] }
  - { path: /session, methods: [GET], public: true, limit: [perSession] }
  - { path: /words, methods: [GET], public: true, limit: [perWords] }
  - { path: '/items/{id}', methods: [GET, POST, DELETE], public: true, limit: [costly], upstream: express }
  - { path: '/users/{id}', methods: [POST, DELETE], public: true, limit: [perMethod], upstream: express }
  - { path: '/test.Echo/{call}', methods: [POST], public: true, limit: [guesses], upstream: grpc }
  - { path: /chat, methods: [GET], public: true, limit: [tokens] }
`;

let postern: Postern;
/** Requests that the service got. */
let few = 0;
let guesses = 0;

beforeAll(async () => {
  const app = await startService((request, response) => {
    if (request.url === "/few") few++;
    if (request.url === "/login") {
      guesses++;
      setTimeout(() => response.writeHead(401).end(), 20);
      return true;
    }
    if (request.url !== "/chat") return false;
    const text = JSON.stringify({ usage: { total_tokens: 400 }, text: "x".repeat(100) });
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    if (range === undefined) response.setHeader("Content-Type", "application/json").end(text);
    else {
      const head = {
        "Content-Type": "application/json",
        "Content-Range": `bytes ${range}-${text.length - 1}/${text.length}`,
      };
      response.writeHead(206, head).end(text.slice(Number(range)));
    }
    return true;
  });
  const express = await startRealService("express");
  const grpc = await startGrpcService({
    unary: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
      if (String(call.request) === "right") reply(null, Buffer.from("welcome"));
      else reply({ code: status.UNAUTHENTICATED, details: "wrong password" });
    },
  });
  postern = await startPostern(app.port, (ports) => policy(ports, express.port, grpc));
});

afterAll(closeAll);

test.each(["/session", "/words"])("one session has one counter at %s, however its cookie is spelled", async (path) => {
  const spelled = (cookie: string): Promise<number> =>
    postern.call({ path, headers: { Cookie: cookie } }).then((answer) => answer.status);
  const forms = ["abc", "%61bc", '"abc"', "a%62c", String.raw`"\141bc"`].map((value) => `my_session=${value}`);
  for (const form of forms) expect(await spelled(form)).toBe(200);
  for (const form of [...forms, "my_session=%61%62%63", "a=1; my_session=ab%63"]) expect(await spelled(form)).toBe(429);
  expect(await spelled("my_session=other")).toBe(200);
  // What PHP takes for the name, and what is there twice.
  expect(await spelled("my.session=abc")).toBe(403);
  expect(await spelled("my_session=other; my_session=abc")).toBe(403);
});

test("a dear method is none of the cheap ones, and HEAD costs what GET does", async () => {
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const post = (body: string, path = "/items/1") => postern.call({ method: "POST", path, headers: form, body });
  expect(await post("_method=DELETE")).toMatchObject({ status: 400, reason: "method_overridden" });
  expect((await post("_method=DELETE", "/items/1?_method=DELETE")).reason).toBe("method_overridden");
  expect(await post("a=1")).toMatchObject({ status: 200 });
  const ask = (method: string) => postern.call({ method, path: "/items/1" }).then((answer) => answer.status);
  // The service has no page there, and was asked.
  expect(await ask("HEAD")).toBe(404);
  for (const method of ["HEAD", "GET", "DELETE"]) expect(await ask(method)).toBe(429);
});

test("methods that are counted apart are not named for each other", async () => {
  const post = (path: string) => postern.call({ method: "POST", path });
  expect((await post("/users/1?_method=DELETE")).reason).toBe("method_overridden");
  expect(await post("/users/1?_method=POST")).toMatchObject({ status: 404, reason: undefined });
});

test("a wrong password is a failure in a gRPC call, too, and a right one is none", async () => {
  const { pki } = await theWorld();
  const client = createGrpcClient(postern.port, pki.ca.certificate);
  const guess = (password: string) => callUnary(client, password, new Metadata()).then(({ code }) => code);
  for (let at = 0; at < 20; at++) expect(await guess("right")).toBe(status.OK);
  for (let at = 0; at < 5; at++) expect(await guess("wrong")).toBe(status.UNAUTHENTICATED);
  expect(await guess("wrong")).toBe(status.RESOURCE_EXHAUSTED);
  expect(await guess("right")).toBe(status.RESOURCE_EXHAUSTED);
});

test("an answer that is asked for in parts says what it cost", async () => {
  const parts = () => postern.call({ path: "/chat", headers: { Range: "bytes=0-", "If-Range": "x" } });
  for (const left of [999, 599, 199]) {
    const answer = await parts();
    expect(answer.status).toBe(200);
    expect(answer.headers["ratelimit"]).toContain(`r=${left};`);
  }
  expect(await parts()).toMatchObject({ status: 429, reason: "budget_exceeded" });
});

async function session(): Promise<ClientHttp2Session> {
  const { pki } = await theWorld();
  const one = connect(`https://localhost:${postern.port}`, { ca: pki.ca.certificate });
  one.on("error", () => {});
  onClose(() => one.destroy());
  return one;
}

/** Status of each; 0 where it was left before the answer. */
function send(one: ClientHttp2Session, headers: Readonly<Record<string, string>>, leaves = false): Promise<number> {
  const stream = one.request({ "x-who": "mallory", ...headers }, { endStream: true });
  stream.on("error", () => {}).resume();
  if (leaves) setTimeout(() => stream.close(8), 5);
  return new Promise((done) => {
    stream.on("response", (answer) => done(Number(answer[":status"])));
    stream.on("close", () => done(0));
  });
}

test("no protocol, connection, method or pipeline has a counter of its own", async () => {
  const h2 = [await session(), await session()];
  const raw = await postern.raw();
  const line = (method: string, more = ""): string =>
    `${method} /few HTTP/1.1\r\nHost: localhost\r\nX-Who: mallory\r\n${more}\r\n`;
  const pipeline = [
    line("GET"),
    line("HEAD"),
    line("OPTIONS"),
    `${line("POST", "Content-Length: 2\r\nExpect: 100-continue\r\n")}{}`,
  ];
  raw.write(pipeline.join("").repeat(10));
  const sent = h2.flatMap((one) =>
    Array.from({ length: 30 }, (_, at) =>
      send(one, { ":path": "/few", ":method": at % 2 === 0 ? "GET" : "HEAD" }, at % 3 === 0),
    ),
  );
  await Promise.all(sent);
  await raw.untilReceived("429");
  for (let at = 0; at < 5; at++) {
    await postern.call({ path: "/few", headers: { "X-Who": "mallory" } });
  }
  expect((await postern.call({ path: "/few", headers: { "X-Who": "mallory" } })).status).toBe(429);
  expect((await postern.call({ path: "/few", headers: { "X-Who": "honest" } })).status).toBe(200);
  expect(few).toBeGreaterThan(1);
  expect(few).toBeLessThanOrEqual(20 + 1);
});

test("guesses at once, and guesses that are left before the answer, are no more than one after the other", async () => {
  const h2 = await session();
  const guess = (at: number): Promise<number> => send(h2, { ":path": "/login", ":method": "POST" }, at % 2 === 0);
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 40 }, (_, at) => guess(at)));
  expect(guesses).toBeGreaterThan(0);
  expect(guesses).toBeLessThanOrEqual(5);
  expect(await guess(1)).toBe(429);
});
