// Goal: while one stretch of an answer is judged in turns, nothing overtakes it, its service waits, and what is refused ends it.
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import type { Denial } from "../../src/decision/verdict.ts";
import { readingOf } from "../../src/filters/response/reading.ts";
import type { StreamRule } from "../../src/filters/response-check.ts";
import { bodyCheck, RULE_PLACE, refused, replacing } from "../fixtures/answer-rules.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { closeAll, startProxy, startRawService } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

type Judged = Buffer | Denial;

/** A rule that thinks over each piece with `?` in it until the test settles it, and lets all else pass. */
function thinking() {
  const open: ((judged: Judged) => void)[] = [];
  let taken = "";
  const rule: StreamRule = {
    kind: "stream",
    changes: true,
    heldBytesMax: 0,
    take(piece) {
      taken += piece.toString();
      if (!piece.includes("?")) return piece;
      return new Promise<Judged>((resolve) => open.push((judged) => resolve(judged)));
    },
    end: () => Buffer.from("."),
  };
  return { rule, taken: () => taken, next: () => eventually(() => open.shift()) };
}

async function underHand(rules: readonly StreamRule[], enforcePercent = 100) {
  let asked: (socket: Socket) => void = () => {};
  const arrival = new Promise<Socket>((resolve) => {
    asked = resolve;
  });
  const upstreamPort = await startRawService((socket) => {
    socket.once("data", () => asked(socket));
  });
  const responseChecks = rules.map((rule) => bodyCheck(() => rule, enforcePercent));
  const answerReading = readingOf({}, RULE_PLACE);
  const proxy = await startProxy({ upstreamPort, route: { responseChecks, answerReading } });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  return { ...proxy, client, service: await arrival };
}

const HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const chunk = (bytes: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), Buffer.from(bytes), Buffer.from("\r\n")]);
const LAST = Buffer.from("0\r\n\r\n");

/** What the client got of a chunked body. */
function bodyOf({ received }: RawClient): string {
  const [, body = ""] = received.split(/\r\n\r\n(.*)/s);
  return body.replaceAll(/[0-9a-f]+\r\n([^\r]*)\r\n/g, "$1");
}

test("what comes meanwhile waits, in order, and the next rule sees it in order, too", async () => {
  const { rule, taken, next } = thinking();
  const { client, service } = await underHand([rule, replacing("secret", "***")]);
  service.write(Buffer.concat([Buffer.from(HEAD), chunk("a?")]));
  const first = await next();
  service.write(Buffer.concat([chunk("sec"), chunk("ret"), chunk("b?"), chunk("c"), LAST]));
  await unchanging(() => client.received.length);
  expect([client.received, taken()]).toEqual(["", "a?"]);
  first(Buffer.from("A"));
  const second = await next();
  await client.until(() => bodyOf(client) === "A***");
  expect(taken()).toBe("a?secretb?");
  second(Buffer.from("B"));
  await client.until(() => bodyOf(client) === "A***Bc.");
  expect(client.received).toMatch(/\r\n0\r\n\r\n$/);
});

test("what is refused then is a clean 502 before the head is out, and a cut behind it", async () => {
  const early = thinking();
  const first = await underHand([early.rule]);
  first.service.write(Buffer.concat([Buffer.from(HEAD), chunk("a?"), LAST]));
  (await early.next())(refused("a"));
  await first.client.until(() => first.client.received.includes("response_denied"));
  expect(first.client.received).toMatch(/^HTTP\/1.1 502 /);
  const late = thinking();
  const second = await underHand([late.rule]);
  second.service.write(Buffer.concat([Buffer.from(HEAD), chunk("a")]));
  await second.client.until(() => bodyOf(second.client) === "a");
  second.service.write(Buffer.concat([chunk("b?"), chunk("c")]));
  (await late.next())(refused("b"));
  await second.client.until(() => second.client.closed);
  expect(bodyOf(second.client)).toBe("a");
  expect((await eventually(() => second.records[0])).reason).toBe("response_denied");
});

test("a fault in it is a denial, never a way through", async () => {
  const rule: StreamRule = { ...thinking().rule, take: () => Promise.reject(new Error("of the rule")) };
  const { client, service } = await underHand([rule]);
  service.write(Buffer.concat([Buffer.from(HEAD), chunk("a"), LAST]));
  await client.until(() => client.received.includes("internal_error"));
  expect(client.received).toMatch(/^HTTP\/1.1 500 /);
});

test("its service waits meanwhile, and goes on then", async () => {
  const { rule, next } = thinking();
  const { client, service } = await underHand([rule]);
  service.write(Buffer.concat([Buffer.from(HEAD), chunk("a?")]));
  const settle = await next();
  const piece = chunk("x".repeat(64 * 1024));
  for (let at = 0; at < 256; at++) service.write(piece);
  const left = await unchanging(() => service.writableLength);
  expect(left).toBeGreaterThan(4 * 1024 * 1024);
  settle(Buffer.from("A"));
  service.write(LAST);
  await client.until(() => client.received.endsWith("\r\n0\r\n\r\n"));
  expect(bodyOf(client)).toHaveLength(1 + 256 * 64 * 1024 + 1);
});

test("of a compressed answer, what it holds waits", async () => {
  const { rule, taken, next } = thinking();
  const { client, service } = await underHand([rule]);
  const text = `?${"x".repeat(200_000)}?`;
  const head = HEAD.replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n");
  service.write(Buffer.concat([Buffer.from(head), chunk(gzipSync(text)), LAST]));
  const first = await next();
  const before = await unchanging(() => taken().length);
  expect(before).toBeLessThan(text.length);
  first(Buffer.from("A"));
  (await next())(Buffer.from("B"));
  await client.until(() => client.received.endsWith("\r\n0\r\n\r\n") || client.received.endsWith("B."));
  expect(taken()).toBe(text);
  expect(bodyOf(client)).toMatch(/^Ax*B\.$/);
});

test("what only audits may take turns as well, and the answer leaves as it came", async () => {
  for (const coding of [null, "gzip"]) {
    const { rule, next } = thinking();
    const { client, service, records } = await underHand([rule], 0);
    const more = coding === null ? "" : `\r\nContent-Encoding: ${coding}`;
    const body = coding === null ? Buffer.from("a?") : gzipSync("a?");
    service.write(Buffer.concat([Buffer.from(HEAD.replace("\r\n\r\n", `${more}\r\n\r\n`)), chunk(body), LAST]));
    (await next())(refused("a"));
    const record = await eventually(() => records[0]);
    expect(record.exchange.audited).toMatchObject([{ reason: "response_denied" }]);
    expect(client.received).toContain(body.toString("latin1"));
  }
});

test("a client that goes away ends it", async () => {
  const { rule, next } = thinking();
  const { client, service, records } = await underHand([rule]);
  service.write(Buffer.concat([Buffer.from(HEAD), chunk("a?")]));
  const settle = await next();
  client.destroy();
  expect((await eventually(() => records[0])).reason).toBe("client_closed");
  settle(Buffer.from("A"));
  expect(await unchanging(() => client.received.length)).toBe(0);
});
