// Goal: what a caller spends is what the answers of the service say it cost, however they say it and whoever leaves or lies.
// Method: a real postern process before services that speak as those for language models do; what is left is asked of it.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { type Answer, eventually, type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

/**
 * A service that speaks as those for language models do: what a request costs stands in the answer. `x-say` of the request
 * chooses the answer's shape, the path's last segment what it says.
 */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const said = (request.url ?? "").split("/").at(-1) ?? "";
  const body = JSON.stringify({ id: "chat-1", choices: [{ text: "hello" }], usage: { total_tokens: "SAID" } });
  const json = body.replace('"SAID"', said === "duplicate" ? '1, "total_tokens": 400' : decodeURIComponent(said));
  const say = request.headers["x-say"];
  const send = (type: string, content: string | Buffer, more: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(say === "error" ? 500 : 200, { "Content-Type": type, ...more });
    response.end(content);
  };
  if (say === "events") stream(response, said);
  else if (say === "header") send("text/plain", "hello", { "X-Cost": said });
  else if (say === "gzip") send("application/json", gzipSync(json), { "Content-Encoding": "gzip" });
  else if (say === "br") send("application/json", brotliCompressSync(json), { "Content-Encoding": "br" });
  else if (say === "secret-coding") send("application/json", json, { "Content-Encoding": "x-own" });
  else if (say === "bomb")
    send("application/json", gzipSync(Buffer.alloc(70 * 2 ** 20, " ")), { "Content-Encoding": "gzip" });
  else if (say === "nothing") send("text/plain", "hello");
  else if (say === "probe") response.writeHead(404).end();
  else send("application/json", json);
}

/** Chunks as of chat completions, the last of them with the usage; `cut` ends it before that. */
function stream(response: ServerResponse, said: string): void {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for (const word of ["hel", "lo"]) {
    response.write(`data: ${JSON.stringify({ choices: [{ delta: word }], usage: null })}\n\n`);
  }
  if (said === "cut") {
    setImmediate(() => response.destroy());
    return;
  }
  if (said === "stays") return;
  response.write(`data: {"choices":[],"usage":\ndata: {"total_tokens":${said}}}\n\n`);
  response.end("data: [DONE]\n\n");
}

const TENANT = `key: 'request.headers["x-tenant"]', absent: deny`;

const policy = ({ port, admin, app }: PolicyPorts, h2: number): string => `version: 1
service: models
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    upstream: app
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "http://127.0.0.1:${app}" }
  grpc: { address: "h2c://127.0.0.1:${h2}" }
admin: { address: "127.0.0.1:${admin}" }
limits:
  tokens:
    budget: 1000/day
    unit: tokens
    ${TENANT.replace(", ", "\n    ")}
    cost: { estimate: { GET: 1, default: 100 }, response: $.usage.total_tokens, otherwise: nothing-on-errors }
  events: { budget: 1000/day, ${TENANT}, cost: { estimate: 100, response: { event: $.usage.total_tokens } } }
  money: { budget: 1.00/day, unit: eur, ${TENANT}, cost: { estimate: 0.25, response: { header: X-Cost } } }
  units: { budget: 1000/day, ${TENANT}, cost: { estimate: 100, response: { trailer: X-Cost } } }
  traffic: { budget: 1000/day, unit: content-bytes, ${TENANT}, cost: { estimate: 1, response: { bytes: both } } }
  flat: { budget: 10/day, ${TENANT}, cost: { POST: 4, default: 1 } }
routes:
  - { path: "/chat/{said}", methods: [GET, POST], public: true, limit: [tokens] }
  - { path: "/events/{said}", methods: [POST], public: true, limit: [events] }
  - { path: "/paid/{said}", methods: [POST], public: true, limit: [money] }
  - { path: "/units/{said}", methods: [POST], public: true, limit: [units], upstream: grpc }
  - { path: "/traffic/{said}", methods: [POST], public: true, limit: [traffic] }
  - { path: "/flat", methods: [GET, POST], public: true, limit: [flat] }
`;

let postern: Postern;

beforeAll(async () => {
  const server: Server = createServer((request, response) => {
    request.resume().on("end", () => answer(request, response));
  });
  onClose(() => server.closeAllConnections());
  const app = await listen(server);
  const h2 = await startH2Service((one, headers) => {
    const said = String(headers[":path"]).split("/").at(-1) ?? "";
    one.on("wantTrailers", () => one.sendTrailers({ "x-cost": said }));
    one.respond({ ":status": 200 }, { waitForTrailers: true });
    one.end("hello");
  });
  postern = await startPostern(app, (ports) => policy(ports, h2.port));
});

afterAll(closeAll);

let tenants = 0;

/** One who has spent nothing yet. */
function tenant() {
  const name = `tenant-${++tenants}`;
  const post = (path: string, say: string, body = ""): Promise<Answer> =>
    postern.call({ method: "POST", path, headers: { "X-Tenant": name, "X-Say": say }, body });
  const chat = (said: string | number, say = "json"): Promise<Answer> => post(`/chat/${encodeURIComponent(said)}`, say);
  /** What is left of the tokens; asking costs nothing, for its answer is an error. */
  const left = async (): Promise<number> => {
    const probe = await postern.call({ path: "/chat/x", headers: { "X-Tenant": name, "X-Say": "probe" } });
    return remaining(probe) + 1;
  };
  return { post, chat, left };
}

function remaining(one: Answer): number {
  return Number(/;r=(\d+)/.exec(String(one.headers["ratelimit"]))?.[1]);
}

describe("a budget of tokens", () => {
  test("reserves the estimate, and is settled by the usage in the answer", async () => {
    const { chat, left } = tenant();
    const first = await chat(30);
    expect([first.status, remaining(first)]).toEqual([200, 900]);
    expect(first.headers["ratelimit-policy"]).toMatch(/"tokens";q=1000;qu="tokens";w=86400/);
    expect(await left()).toBe(970);
    await chat(500);
    expect(await left()).toBe(470);
  });

  test("is settled by the last event of a stream, whose client gets every byte", async () => {
    const { chat, left } = tenant();
    const { body } = await chat(120, "events");
    expect(body).toMatch(/delta":"hel"}.*delta":"lo".*\[DONE\]\n\n$/s);
    expect(await left()).toBe(880);
  });

  test("refuses what would be too much, says until when, and another caller has its own", async () => {
    const { chat } = tenant();
    expect((await chat(950)).status).toBe(200);
    const denied = await chat(1);
    expect([denied.status, denied.reason]).toEqual([429, "budget_exceeded"]);
    expect(Number(denied.headers["retry-after"])).toBeGreaterThan(0);
    expect((await tenant().chat(1)).status).toBe(200);
  });

  test("lets requests under way cost more than their estimate, and then no other", async () => {
    const { chat, left } = tenant();
    const all = await Promise.all(Array.from({ length: 12 }, () => chat(150)));
    const passed = all.filter(({ status }) => status === 200).length;
    // Ten estimates fit; each of those cost 50 more.
    expect(passed).toBeLessThanOrEqual(10);
    expect(passed).toBeGreaterThan(5);
    expect(await left().catch(() => 0)).toBeLessThanOrEqual(Math.max(1, 1000 - passed * 150));
    expect((await chat(1)).reason).toBe("budget_exceeded");
  });

  test("looks into compressed answers", async () => {
    for (const coding of ["gzip", "br"]) {
      const { chat, left } = tenant();
      await chat(300, coding);
      expect(await eventually(left, (value) => value === 700)).toBe(700);
    }
  });

  test("takes the estimate where it cannot look, where the answer says nothing, and where it lies", async () => {
    for (const [said, say] of [
      [1, "secret-coding"],
      [1, "bomb"],
      [1, "nothing"],
      ["-500", "json"],
      ["NaN", "json"],
      ['"free"', "json"],
    ] as const) {
      const { chat, left } = tenant();
      expect((await chat(said, say)).status).toBe(200);
      expect([said, say, await eventually(left, (value) => value === 900)]).toEqual([said, say, 900]);
    }
  });

  test("takes the greatest of what stands there twice, and of a figure without end no more than all", async () => {
    const twice = tenant();
    await twice.chat("duplicate");
    expect(await twice.left()).toBe(600);
    const huge = tenant();
    await huge.chat("1e300");
    expect((await huge.chat(1)).reason).toBe("budget_exceeded");
  });

  test("takes the estimate of an answer that is cut, and nothing of an error where the policy says so", async () => {
    const cut = tenant();
    await cut.chat("cut", "events").catch(() => null);
    expect(await eventually(cut.left, (value) => value === 900)).toBe(900);
    const failed = tenant();
    expect((await failed.chat("{}", "error")).status).toBe(500);
    expect(await failed.left()).toBe(1000);
  });

  test("is listed at the admin port in its own unit", async () => {
    const { chat } = tenant();
    await chat(777);
    const { status, body } = await postern.admins("/quotas?limit=tokens");
    const { quotas } = JSON.parse(body) as {
      quotas: { quota: number; counts: { used: number; remaining: number }[] }[];
    };
    expect([status, quotas[0]?.quota]).toEqual([200, 1000]);
    expect(quotas[0]?.counts).toContainEqual(expect.objectContaining({ used: 777, remaining: 223 }));
  });

  test("takes nothing of a request that was refused before it was forwarded", async () => {
    const { left } = tenant();
    const anonymous = await postern.call({ method: "POST", path: "/chat/1" });
    expect([anonymous.status, anonymous.reason]).toEqual([403, "limit_key_missing"]);
    expect(await left()).toBe(1000);
  });
});

describe("other places for what a request cost", () => {
  test("a header, in money: a tenth ten times is one", async () => {
    const { post } = tenant();
    for (let at = 0; at < 7; at++) expect((await post("/paid/0.1", "header")).status).toBe(200);
    expect((await post("/paid/0.05", "header")).status).toBe(200);
    const last = await post("/paid/0.25", "header");
    expect(last.status).toBe(200);
    expect((await post("/paid/0.1", "header")).reason).toBe("budget_exceeded");
  });

  test("a trailer over HTTP/2", async () => {
    const { post } = tenant();
    await post("/units/400", "");
    expect(remaining(await post("/units/400", ""))).toBe(500);
    expect(remaining(await post("/units/1", ""))).toBe(100);
  });

  test("the last event alone: another answer is taken at the estimate", async () => {
    const { post } = tenant();
    await post("/events/7", "events");
    await post("/events/7", "json");
    expect(remaining(await post("/events/1", "events"))).toBe(1000 - 7 - 100 - 100);
  });

  test("bytes of both bodies", async () => {
    const { post } = tenant();
    await post("/traffic/1", "nothing", "x".repeat(300));
    expect(remaining(await post("/traffic/1", "nothing"))).toBe(1000 - 305 - 1);
  });

  test("a cost by method, which no answer changes", async () => {
    const { post } = tenant();
    expect(remaining(await post("/flat", "nothing"))).toBe(6);
    expect(remaining(await post("/flat", "nothing"))).toBe(2);
    expect((await post("/flat", "nothing")).reason).toBe("budget_exceeded");
  });
});

test("a restart forgets nothing of what was spent, where there is a state folder", async () => {
  const server = createServer((request, response) => request.resume().on("end", () => answer(request, response)));
  onClose(() => server.closeAllConnections());
  const app = await listen(server);
  const directory = mkdtempSync(join(tmpdir(), "postern-budget-"));
  onClose(() => rmSync(directory, { recursive: true, force: true }));
  const kept = (ports: PolicyPorts): string => `${policy(ports, 1)}state: { directory: ${directory} }\n`;
  const first = await startPostern(app, kept);
  const spend = (at: Postern, said: number): Promise<Answer> =>
    at.call({ method: "POST", path: `/chat/${said}`, headers: { "X-Tenant": "kept", "X-Say": "json" } });
  expect((await spend(first, 650)).status).toBe(200);
  first.process.kill("SIGTERM");
  await first.exited;
  const second = await startPostern(app, kept);
  expect(remaining(await spend(second, 1))).toBe(250);
});
