// Goal: a compressed answer is judged as what it holds, that is what the client gets, and what holds too much gets nowhere.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { readingOf } from "../../src/filters/response/reading.ts";
import type { ResponseSettings } from "../../src/filters/response/schema.ts";
import type { ResponseCheck, StreamRule } from "../../src/filters/response-check.ts";
import { MemoryBudget } from "../../src/memory/budget.ts";
import { answerTotals } from "../../src/message/answer-count.ts";
import { bodyCheck, forbidding, RULE_PLACE, refused, replacing, whole } from "../fixtures/answer-rules.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { closeAll, startProxy, startRawService, type TestProxyOptions } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const GET = "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n";
const SECRET = "a secret in a secret";
const STARS = "a *** in a ***";

interface Options extends TestProxyOptions {
  readonly settings?: ResponseSettings;
  readonly request?: string;
}

/** A service whose answer the test writes. */
async function underHand(checks: readonly ResponseCheck[], options: Options = {}) {
  let asked: (socket: Socket) => void = () => {};
  const arrival = new Promise<Socket>((resolve) => {
    asked = resolve;
  });
  const upstreamPort = await startRawService((socket) => {
    socket.once("data", () => asked(socket));
  });
  const answerReading = readingOf(options.settings ?? {}, RULE_PLACE);
  const route = { responseChecks: checks, answerReading, ...options.route };
  const proxy = await startProxy({ ...options, upstreamPort, route });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(options.request ?? GET);
  return { ...proxy, client, service: await arrival };
}

const head = (coding: string, more = ""): string => `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\n${more}`;

async function answered(coding: string, body: Buffer, checks: readonly ResponseCheck[], options: Options = {}) {
  const under = await underHand(checks, options);
  under.service.write(head(coding, `ETag: "1"\r\nContent-Length: ${body.length}\r\n\r\n`));
  under.service.end(body);
  const record = await eventually(() => under.records[0]);
  await under.client.until(() => /\r\n\r\n(?!$)/.test(under.client.received));
  return { ...under, text: under.client.received, record };
}

const stars = (): ResponseCheck => bodyCheck(() => replacing("secret", "***"));

test.each([
  ["gzip", gzipSync(SECRET)],
  ["GZIP", gzipSync(SECRET)],
  ["x-gzip", Buffer.concat([gzipSync("a secret"), gzipSync(" in a secret")])],
  ["deflate", deflateSync(SECRET)],
  ["deflate", deflateRawSync(SECRET)],
  ["br", brotliCompressSync(SECRET)],
  ["zstd", zstdCompressSync(SECRET)],
])("%s is judged and leaves as what it holds, a short one with its length", async (coding, body) => {
  const { text } = await answered(coding, body, [stars()]);
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\netag: W\/"1"\r\ncontent-length: 14\r\n\r\n/);
  expect(text.endsWith(STARS)).toBe(true);
});

test("a rule that sees the body whole sees what it holds", async () => {
  const upper = (): ResponseCheck => bodyCheck(() => whole((body) => Buffer.from(body.toString().toUpperCase()), 1024));
  const { text } = await answered("gzip", gzipSync(SECRET), [upper()]);
  expect(text).toMatch(/content-length: 20\r\n\r\nA SECRET IN A SECRET$/);
});

test("what is refused in what comes out first is a clean 502", async () => {
  const { text, record } = await answered("br", brotliCompressSync("it says taboo"), [
    bodyCheck(() => forbidding("taboo")),
  ]);
  expect(text).toMatch(/^HTTP\/1.1 502 /);
  expect(record.reason).toBe("response_denied");
});

test("one whose bytes are not compressed at all passes as it is", async () => {
  const { text } = await answered("identity", Buffer.from("a secret"), [stars()]);
  expect(text).toMatch(/content-encoding: identity\r\n.*\r\n\r\na \*\*\*$/s);
});

describe("an answer that cannot be looked into", () => {
  const unknown: readonly (readonly [string, Buffer])[] = [
    ["gzip, gzip", gzipSync(gzipSync(SECRET))],
    ["gzip, br", brotliCompressSync(gzipSync(SECRET))],
    ["compress", Buffer.from(SECRET)],
    ["aes128gcm", Buffer.from(SECRET)],
  ];
  test.each(unknown)("with the coding %s is refused, or passes where the policy says so", async (coding, body) => {
    const refused = await answered(coding, body, [stars()]);
    expect(refused.text).toMatch(/^HTTP\/1.1 502 /);
    expect(refused.record).toMatchObject({ reason: "response_unreadable", denial: { place: RULE_PLACE } });
    const passed = await answered(coding, body, [stars()], { settings: { unreadable: "pass" } });
    expect(passed.text).toBe(
      `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\netag: "1"\r\ncontent-length: ${body.length}\r\n\r\n${body.toString("latin1")}`,
    );
  });

  test.each([
    ["is no gzip", Buffer.from(SECRET)],
    ["is cut", gzipSync(SECRET).subarray(0, -4)],
    ["has more behind it", Buffer.concat([gzipSync(SECRET), Buffer.from("x")])],
    ["holds a thousand times its bytes", gzipSync(Buffer.alloc(16 * 1024 * 1024))],
  ])("%s", async (_what, body) => {
    const { client, service, records } = await underHand([stars()]);
    service.write(head("gzip", `Content-Length: ${body.length}\r\n\r\n`));
    service.end(body);
    expect((await eventually(() => records[0])).reason).toBe("response_unreadable");
    await client.until(() => client.closed || client.received.includes("response_unreadable"));
    expect(client.received).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  test("as refuse and pass have it, whatever its coding", async () => {
    const refuse = await answered("gzip", gzipSync(SECRET), [stars()], { settings: { contentEncoding: "refuse" } });
    expect(refuse.record.reason).toBe("response_unreadable");
    const pass = await answered("gzip", gzipSync(SECRET), [stars()], { settings: { contentEncoding: "pass" } });
    expect(pass.text).toContain("content-encoding: gzip");
  });

  test("passes as it came, and is noted, where its rules only audit and nobody inflates it", async () => {
    const { text, record } = await answered("compress", Buffer.from(SECRET), [auditing().check]);
    expect(text.endsWith(SECRET)).toBe(true);
    expect(record.exchange.audited).toMatchObject([
      { reason: "response_unreadable", seen: "content encoding compress" },
    ]);
  });

  test("is a part of one (206), but where the policy lets it pass", async () => {
    const part = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-5/9\r\nContent-Length: 6\r\n\r\nsecret";
    const refused = await underHand([stars()]);
    refused.service.write(part);
    await refused.client.untilReceived("response_unreadable");
    const passed = await underHand([stars()], { settings: { unreadable: "pass" } });
    passed.service.write(part);
    await passed.client.untilReceived("\r\n\r\nsecret");
  });
});

/** A rule that only audits, and what it saw. */
function auditing(): { check: ResponseCheck; seen: () => string } {
  let seen = "";
  const rule: StreamRule = {
    kind: "stream",
    changes: true,
    heldBytesMax: 0,
    take: (piece) => {
      seen += piece.toString();
      return Buffer.from("never");
    },
    end: () => Buffer.from("never"),
    noted: () => refused(`${seen.length} characters`),
  };
  return { check: bodyCheck(() => rule, 0), seen: () => seen };
}

describe("while all rules only audit", () => {
  test.each(["identity", "inflate", "refuse"] as const)(
    "with %s it leaves as it came, and is looked into",
    async (contentEncoding) => {
      const { check, seen } = auditing();
      const body = gzipSync(SECRET);
      const { text, record } = await answered("gzip", body, [check], { settings: { contentEncoding } });
      expect(text).toBe(
        `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\netag: "1"\r\ncontent-length: ${body.length}\r\n\r\n${body.toString("latin1")}`,
      );
      expect(seen()).toBe(SECRET);
      expect(record.exchange.audited).toMatchObject([
        { reason: "response_denied", seen: `${SECRET.length} characters` },
      ]);
      expect(record.reason).toBeNull();
    },
  );

  test.each([
    ["is no gzip", Buffer.from(SECRET)],
    ["is cut", gzipSync(SECRET).subarray(0, -4)],
    ["has more behind it", Buffer.concat([gzipSync(SECRET), Buffer.from("x")])],
    ["holds a thousand times its bytes", gzipSync(Buffer.alloc(16 * 1024 * 1024))],
  ])("one that %s leaves as it came, which is noted", async (_what, body) => {
    const memory = new MemoryBudget({ bytes: 1e9, isGranted: true });
    const { text, record } = await answered("gzip", body, [auditing().check], { memory });
    expect(text.endsWith(body.toString("latin1"))).toBe(true);
    expect(record).toMatchObject({ reason: null, exchange: { audited: [{ reason: "response_unreadable" }] } });
    expect(memory.bodies.heldBytes).toBe(0);
  });

  test("a long one keeps its trailers, and no more is held of it than inflating takes", async () => {
    const memory = new MemoryBudget({ bytes: 1e9, isGranted: true });
    const { check, seen } = auditing();
    const { client, service, records } = await underHand([check], { memory });
    const text = randomBytes(512 * 1024).toString("hex");
    const body = gzipSync(text);
    service.write(head("gzip", "Transfer-Encoding: chunked\r\n\r\n"));
    service.write(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body]));
    await client.untilReceived("\r\n\r\n");
    expect(memory.bodies.heldBytes).toBe(64 * 1024);
    service.write("\r\n0\r\nX-Took: 1\r\n\r\n");
    await client.untilReceived("x-took: 1\r\n\r\n");
    await eventually(() => records[0]);
    expect(seen() === text).toBe(true);
    expect(client.received.includes(body.toString("latin1").slice(0, 1000))).toBe(true);
    expect(memory.bodies.heldBytes).toBe(0);
  });

  test("where there is no room to look into it, it passes", async () => {
    const memory = new MemoryBudget({ bytes: 1024 * 1024, isGranted: true });
    const { text, record } = await answered("br", brotliCompressSync(SECRET), [auditing().check], { memory });
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    expect(record.exchange.audited).toMatchObject([
      { reason: "response_unreadable", seen: "no room to inflate an answer" },
    ]);
  });

  test("a part that the client asked for passes, and counts as one that nobody looked into", async () => {
    const { check } = auditing();
    const { client, service, records } = await underHand([check], {
      request: GET.replace("TE", "Range: bytes=0-5\r\nTE"),
    });
    service.end("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-5/9\r\nContent-Length: 6\r\n\r\nsecret");
    await client.untilReceived("\r\n\r\nsecret");
    const { exchange } = await eventually(() => records[0]);
    expect([exchange.audited, answerTotals(exchange.answerCounts ?? [])]).toEqual([null, { unread: 1 }]);
  });
});

test("a check that does not apply to the request asks for nothing", async () => {
  const body = gzipSync(SECRET);
  const { text } = await answered("gzip", body, [{ ...stars(), appliesTo: () => false }]);
  expect(text).toBe(
    `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\netag: "1"\r\ncontent-length: ${body.length}\r\n\r\n${body.toString("latin1")}`,
  );
});

test("HEAD and 304 say nothing of bytes that another body has", async () => {
  const more = 'ETag: "1"\r\nContent-Length: 90\r\nContent-Digest: x\r\n\r\n';
  const under = await underHand([stars()], { request: GET.replace("GET", "HEAD") });
  under.service.write(head("gzip", more));
  await under.client.untilReceived("\r\n\r\n");
  expect(under.client.received).toBe('HTTP/1.1 200 OK\r\netag: W/"1"\r\n\r\n');
  const fresh = await underHand([stars()]);
  fresh.service.write(head("gzip", more).replace("200 OK", "304 Not Modified"));
  await fresh.client.untilReceived("\r\n\r\n");
  expect(fresh.client.received).toBe('HTTP/1.1 304 Not Modified\r\netag: W/"1"\r\n\r\n');
});

test("trailers come behind what it holds, without the digests of what it was", async () => {
  const { client, service } = await underHand([stars()]);
  const body = gzipSync(SECRET);
  service.write(`${head("gzip", "Transfer-Encoding: chunked\r\n\r\n")}${body.length.toString(16)}\r\n`);
  service.write(body);
  service.write("\r\n0\r\nX-Took: 1\r\nContent-Digest: sha-256=:AAAA:\r\n\r\n");
  await client.untilReceived("x-took: 1\r\n\r\n");
  expect(client.received).toContain(STARS.slice(0, 5));
  expect(client.received).not.toMatch(/digest|encoding: gzip/);
});

test("one whose client does not read stops its service, and holds no more than its windows", async () => {
  const memory = new MemoryBudget({ bytes: 1e9, isGranted: true });
  const { client, service } = await underHand([stars()], { memory });
  client.pause();
  service.write(head("gzip", "Transfer-Encoding: chunked\r\n\r\n"));
  const piece = gzipSync(randomBytes(64 * 1024));
  for (let at = 0; at < 320; at++) {
    service.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]));
  }
  const left = await unchanging(() => service.writableLength);
  expect(left).toBeGreaterThan(4 * 1024 * 1024);
  expect(memory.bodies.heldBytes).toBe(64 * 1024);
  client.resume();
  await eventually(() => service.writableLength === 0);
  service.write("0\r\n\r\n");
  await client.untilReceived("\r\n0\r\n\r\n");
  expect(memory.bodies.heldBytes).toBe(0);
});

test("there is no inflating where there is no room for it", async () => {
  const memory = new MemoryBudget({ bytes: 1024 * 1024, isGranted: true });
  const { text } = await answered("br", brotliCompressSync(SECRET), [stars()], { memory });
  expect(text).toMatch(/^HTTP\/1.1 503 .*memory_bodies/s);
});

test("a client that goes away ends it", async () => {
  const memory = new MemoryBudget({ bytes: 1e9, isGranted: true });
  const { client, service, records } = await underHand([stars()], { memory });
  service.write(head("gzip", "Transfer-Encoding: chunked\r\n\r\n"));
  const body = gzipSync(SECRET);
  service.write(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]));
  await client.untilReceived("a ***");
  client.destroy();
  expect((await eventually(() => records[0])).reason).toBe("client_closed");
  expect(memory.bodies.heldBytes).toBe(0);
});
