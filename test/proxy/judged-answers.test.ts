import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { ResponseCheck } from "../../src/filters/response-check.ts";
import { MemoryBudget } from "../../src/memory/budget.ts";
import type { Answer, AnswerObserver } from "../../src/message/answer.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { bodyCheck, forbidding, headCheck, RULE_PLACE, refused, replacing, whole } from "../fixtures/answer-rules.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import {
  closeAll,
  startProxy,
  startRawService,
  startScriptedService,
  type TestProxyOptions,
} from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const plain = (body: string, more = ""): string =>
  `HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

async function ask(
  answer: string,
  checks: readonly ResponseCheck[],
  options: TestProxyOptions & { get?: string } = {},
) {
  const upstreamPort = await startScriptedService(() => answer);
  const proxy = await startProxy({ upstreamPort, ...options, route: { responseChecks: checks, ...options.route } });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(options.get ?? GET);
  const record = await eventually(() => proxy.records[0]);
  await client.until(() => client.closed || isWhole(client.received));
  return { ...proxy, client, record, text: client.received };
}

function isWhole(text: string): boolean {
  const end = text.lastIndexOf("HTTP/1.1 ");
  const [head = "", body] = text.slice(end).split(/\r\n\r\n(.*)/s);
  if (body === undefined) return false;
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (/chunked/i.test(head)) return /(^|\r\n)0\r\n(.+\r\n)*\r\n$/.test(body);
  return length === undefined || body.length >= Number(length) || body === "";
}

/** A service whose answer the test writes piece by piece. */
async function underHand(checks: readonly ResponseCheck[], options: TestProxyOptions = {}) {
  let asked: (socket: Socket) => void = () => {};
  const arrival = new Promise<Socket>((resolve) => {
    asked = resolve;
  });
  const upstreamPort = await startRawService((socket) => {
    socket.once("data", () => asked(socket));
  });
  const proxy = await startProxy({ upstreamPort, ...options, route: { responseChecks: checks, ...options.route } });
  const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
  client.write(GET);
  return { ...proxy, client, service: await arrival };
}

describe("a check of the head alone", () => {
  test("refuses: the client gets a clean 502 with the reason, and nothing of the answer", async () => {
    const check = headCheck((_exchange, { headers }) => (headers.get("x-secret") ? refused("x-secret") : null));
    const { text, record } = await ask(plain("the body", "X-Secret: 1\r\n"), [check]);
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(text).toContain('"reason":"response_denied"');
    expect(text).not.toMatch(/x-secret|the body/i);
    expect(record).toMatchObject({ status: 502, reason: "response_denied", denial: { place: RULE_PLACE } });
  });

  test("gives the answer other headers, and its body streams as it came", async () => {
    const check = headCheck((_exchange, answer) => {
      answer.headers = answer.headers.without(new Set(["x-a"]));
      return null;
    });
    const { text } = await ask(plain("body", "X-A: 1\r\nX-B: 2\r\n"), [check]);
    expect(text).toMatch(/x-b: 2\r\n/);
    expect(text).not.toContain("x-a");
    expect(text).toMatch(/content-length: 4\r\n\r\nbody$/);
  });

  test("that only audits changes nothing, refuses nothing, and is noted", async () => {
    const check = headCheck((_exchange, answer) => {
      answer.headers = new HeaderBlock([], []);
      return refused("all of it");
    }, 0);
    const { text, record } = await ask(plain("body", "X-A: 1\r\n"), [check]);
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\nx-a: 1\r\n/);
    expect(record.exchange.audited?.map(({ seen }) => seen)).toEqual(["all of it"]);
    expect(record.reason).toBeNull();
  });

  test("that fails is no way through", async () => {
    const { text } = await ask(plain("body"), [
      headCheck(() => {
        throw new Error("broken");
      }),
    ]);
    expect(text).toMatch(/^HTTP\/1.1 500 /);
  });

  test("leaves the connection to the next request", async () => {
    const upstreamPort = await startScriptedService((_head, count) => plain(count === 1 ? "first" : "second"));
    let asked = 0;
    const checks = [headCheck(() => (++asked === 1 ? refused("first") : null))];
    const proxy = await startProxy({ upstreamPort, route: { responseChecks: checks } });
    const client = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    client.write(GET + GET);
    await client.untilReceived("200 OK");
    expect(client.received).toMatch(/^HTTP\/1.1 502 .*HTTP\/1.1 200 OK/s);
  });
});

describe("a check of the body as it streams", () => {
  test("changes it across its pieces; the length of a short answer is told as it leaves", async () => {
    const { text } = await ask(plain("a secret in a secret"), [bodyCheck(() => replacing("secret", "***"))]);
    expect(text).toMatch(/content-length: 14\r\n\r\na \*\*\* in a \*\*\*$/);
  });

  test("changes a longer one as it comes, and holds no more back than it must", async () => {
    const { client, service } = await underHand([bodyCheck(() => replacing("secret", "***"))]);
    service.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na sec\r\n");
    await client.untilReceived("\r\na \r\n");
    service.write("7\r\nret and\r\n");
    await client.untilReceived("*** and");
    service.write("8\r\n seconds\r\n0\r\n\r\n");
    await client.untilReceived("0\r\n\r\n");
    expect(client.received).toMatch(/transfer-encoding: chunked/);
    expect(client.received).not.toMatch(/content-length/);
  });

  test("of an answer that says it is short nothing leaves before it is here whole; then it does with its length", async () => {
    const { client, service } = await underHand([bodyCheck(() => replacing("secret", "***"))]);
    service.write("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    await unchanging(() => client.received.length);
    service.write("a sec");
    await unchanging(() => client.received.length);
    expect(client.received).toBe("");
    service.write("ret and seconds");
    await client.untilReceived("a *** and seconds");
    expect(client.received).toMatch(/content-length: 17\r\n\r\na \*\*\* and seconds$/);
  });

  test("what it refuses at the end of a short answer is a clean 502", async () => {
    const { client, service } = await underHand([bodyCheck(() => forbidding("taboo"))]);
    service.write("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirst ");
    await unchanging(() => client.received.length);
    service.write("taboo");
    await client.untilReceived("response_denied");
    expect(client.received).toMatch(/^HTTP\/1.1 502 /);
  });

  test("a short answer that comes slowly is counted for its client, until it is over", async () => {
    const memory = new MemoryBudget({ bytes: 1e9, isGranted: true });
    const { client, service } = await underHand([bodyCheck(() => replacing("secret", "***"))], { memory });
    service.write(`HTTP/1.1 200 OK\r\nContent-Length: 12000\r\n\r\n${"x".repeat(10_000)}`);
    await eventually(() => memory.bodies.heldBytes === 10_000);
    service.write("x".repeat(2000));
    await client.untilReceived("x".repeat(12_000));
    await eventually(() => memory.bodies.heldBytes === 0);
  });

  test("counts what it did where it is enforced, and nothing where it audits", async () => {
    const counted = [{ action: "removed", count: () => 3 }] as const;
    const { record } = await ask(plain("body"), [bodyCheck(() => replacing("secret", "", { counted }))]);
    expect(record.exchange.answerCounts?.map(({ action, count }) => [action, count()])).toEqual([["removed", 3]]);
    const audited = await ask(plain("body"), [bodyCheck(() => replacing("secret", "", { counted }), 0)]);
    expect(audited.record.exchange.answerCounts).toBeNull();
  });

  test("what it refuses in the read that brought the head is a clean 502", async () => {
    const { text } = await ask(plain("it says taboo"), [bodyCheck(() => forbidding("taboo"))]);
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(text).not.toContain("it says");
  });

  test("what it refuses later cuts the answer, so that it does not look whole", async () => {
    const { client, service, records } = await underHand([bodyCheck(() => forbidding("taboo"))]);
    service.write("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\nfirst ");
    await client.untilReceived("first ");
    service.write("taboo");
    await client.untilClosed();
    expect(client.received).not.toContain("taboo");
    expect((await eventually(() => records[0])).reason).toBe("response_denied");
  });

  test("that only audits passes every byte as it came, under its own length", async () => {
    const checks = [bodyCheck(() => replacing("secret", "***"), 0), bodyCheck(() => forbidding("secret"), 0)];
    const { text, record } = await ask(plain("a secret", 'ETag: "1"\r\n'), checks);
    expect(text).toMatch(/etag: "1"\r\ncontent-length: 8\r\n\r\na secret$/);
    expect(record.exchange.audited).toHaveLength(1);
  });

  test("what a changed body makes untrue of its headers comes off, and its ETag becomes weak", async () => {
    const said =
      'ETag: "v1"\r\nContent-MD5: x\r\nContent-Digest: x\r\nRepr-Digest: x\r\nAccept-Ranges: bytes\r\nX-B: 1\r\n';
    const { text } = await ask(plain("secret", said), [bodyCheck(() => replacing("secret", "*"))]);
    expect(text).toMatch(/etag: W\/"v1"\r\nx-b: 1\r\n/);
    expect(text).not.toMatch(/digest|md5|ranges/);
  });

  test("gives way to nothing where there is no room for what it holds back", async () => {
    const memory = new MemoryBudget({ bytes: 1024 * 1024, isGranted: true });
    const rule = () => replacing("secret", "*", { heldBytesMax: 10 * 1024 * 1024 });
    const { client, service } = await underHand([bodyCheck(rule)], { memory });
    service.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n");
    await client.untilReceived("memory_bodies");
    expect(client.received).toMatch(/^HTTP\/1.1 503 /);
    expect(memory.bodies.heldBytes).toBe(0);
  });

  test("slows the service to what the client takes", async () => {
    const { client, service } = await underHand([bodyCheck(() => replacing("secret", "***"))]);
    client.pause();
    service.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const piece = Buffer.alloc(64 * 1024, "x");
    for (let at = 0; at < 320; at++)
      service.write(Buffer.concat([Buffer.from("10000\r\n"), piece, Buffer.from("\r\n")]));
    const left = await unchanging(() => service.writableLength);
    expect(left).toBeGreaterThan(4 * 1024 * 1024);
    client.resume();
    await eventually(() => service.writableLength === 0);
    service.write("0\r\n\r\n");
    await client.untilReceived("\r\n0\r\n\r\n");
  });

  test("however the body is cut, what leaves is what the rule makes of the whole; without a rule not a byte differs", async () => {
    const sha = (text: string): string => createHash("sha256").update(text, "latin1").digest("hex");
    const bytes = fc
      .array(fc.constantFrom("a", "ab", "aab", "\n", "\0", "ÿ"), { maxLength: 40 })
      .map((all) => all.join(""));
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 }),
        async (text, cuts) => {
          const { through, untouched } = passes(text, cuts);
          expect(through).toBe(text.replaceAll("aab", "#"));
          expect(sha(untouched)).toBe(sha(text));
        },
      ),
    );
  });
});

/** What the rule makes of `text` cut into pieces, and what a rule that finds nothing does. */
function passes(text: string, cuts: readonly number[]) {
  const [rule, none] = [replacing("aab", "#"), replacing("never-there", "#")];
  let [through, untouched] = ["", ""];
  for (let at = 0, cut = 0; at < text.length; cut++) {
    const end = at + (cuts[cut % cuts.length] ?? 1);
    const piece = Buffer.from(text.slice(at, end), "latin1");
    through += String((rule.take(piece) as Buffer).toString("latin1"));
    untouched += (none.take(piece) as Buffer).toString("latin1");
    at = end;
  }
  const last = (one: typeof rule): string => (one.end() as Buffer).toString("latin1");
  return { through: through + last(rule), untouched: untouched + last(none) };
}

describe("a check of the body whole", () => {
  test("nothing reaches the client before it is judged; then all of it does, under its new length", async () => {
    const upper = whole((body) => Buffer.from(body.toString().toUpperCase()), 1024);
    const { client, service } = await underHand([bodyCheck(() => upper)]);
    service.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await unchanging(() => client.received.length);
    expect(client.received).toBe("");
    service.write("6\r\n world\r\n0\r\n\r\n");
    await client.untilReceived("HELLO WORLD");
    expect(client.received).toMatch(/content-length: 11\r\n\r\nHELLO WORLD$/);
  });

  test("refuses with a clean answer however late, and gives its memory back", async () => {
    const memory = new MemoryBudget({ bytes: 1e9, isGranted: true });
    const refuse = whole((body) => refused(`${body.length} bytes`), 1024 * 1024);
    const { client, service, records } = await underHand([bodyCheck(() => refuse)], { memory });
    service.write(`HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${"x".repeat(100_000)}`);
    await eventually(() => memory.bodies.heldBytes > 100_000);
    service.write("x".repeat(100_000));
    await client.untilReceived("response_denied");
    expect(client.received).toMatch(/^HTTP\/1.1 502 /);
    expect((await eventually(() => records[0])).denial?.seen).toBe("200000 bytes");
    expect(memory.bodies.heldBytes).toBe(0);
  });

  test("of more than its bytes is refused, or streams on as it is, as the rule says", async () => {
    const judge = (body: Buffer): Buffer => body;
    const strict = await ask(plain("x".repeat(5_000)), [bodyCheck(() => whole(judge, 4_999))]);
    expect(strict.text).toMatch(/^HTTP\/1.1 502 /);
    const lenient = whole(judge, 4_999, { judgeTooLong: () => null, changes: false });
    const passed = await ask(plain("x".repeat(5_000)), [bodyCheck(() => lenient)]);
    expect(passed.text).toMatch(/content-length: 5000\r\n\r\nx{5000}$/);
    const fits = await ask(plain("x".repeat(5_000)), [bodyCheck(() => whole(judge, 5_000))]);
    expect(fits.text).toMatch(/content-length: 5000\r\n\r\nx{5000}$/);
  });

  test("without room for it is 503", async () => {
    const memory = new MemoryBudget({ bytes: 1024 * 1024, isGranted: true });
    const judge = whole((body) => body, 10 * 1024 * 1024);
    const { text } = await ask(plain("x".repeat(400_000)), [bodyCheck(() => judge)], { memory });
    expect(text).toMatch(/^HTTP\/1.1 503 .*memory_bodies/s);
    expect(memory.bodies.heldBytes).toBe(0);
  });

  test("a service that does not finish its answer is a clean 502, and so is one that takes too long", async () => {
    const { client, service } = await underHand([bodyCheck(() => whole((body) => body, 1024))]);
    service.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    await client.untilReceived("upstream_response_cut");
    expect(client.received).toMatch(/^HTTP\/1.1 502 /);
  });

  test("judges an empty body, too: it is one", async () => {
    const rule = whole((body) => (body.length === 0 ? refused("nothing") : body), 1024);
    const { text } = await ask(plain(""), [bodyCheck(() => rule)]);
    expect(text).toMatch(/^HTTP\/1.1 502 /);
  });

  test("that only audits lets each piece go at once", async () => {
    const rule = whole(() => refused("all of it"), 1024);
    const { client, service, records } = await underHand([bodyCheck(() => rule, 0)]);
    service.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    await client.untilReceived("first");
    service.write("other");
    await client.untilReceived("other");
    expect((await eventually(() => records[0])).exchange.audited).toHaveLength(1);
  });

  test("several rules work one behind the other, each on what the one before lets out", async () => {
    const checks = [
      bodyCheck(() => replacing("one", "two")),
      bodyCheck(() => whole((body) => Buffer.from(`[${body}]`), 1024)),
      bodyCheck(() => replacing("two]", "three]")),
    ];
    expect((await ask(plain("one one"), checks)).text).toMatch(/content-length: 11\r\n\r\n\[two three\]$/);
  });
});

describe("an answer without a body of its own", () => {
  const changing = (): ResponseCheck => bodyCheck(() => replacing("secret", "*"));

  test("HEAD: the head is judged, no length or digest of the service's bytes is told, and no body is looked at", async () => {
    let bodies = 0;
    const check: ResponseCheck = {
      ...bodyCheck(() => {
        bodies++;
        return replacing("a", "b");
      }),
      judgeHead: (_exchange, { headers }) => (headers.get("x-secret") ? refused("x-secret") : null),
    };
    const head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    const answer = 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Digest: x\r\nContent-Length: 6\r\n\r\n';
    const { text } = await ask(answer, [check], { get: head });
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\netag: W\/"1"\r\n/);
    expect(text).not.toMatch(/content-length|digest/);
    expect(bodies).toBe(0);
    const denied = await ask(answer.replace("ETag", "X-Secret"), [check], { get: head });
    expect(denied.text).toMatch(/^HTTP\/1.1 502 /);
  });

  test("HEAD of a route whose bodies nobody judges keeps its length", async () => {
    const get = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    const { text } = await ask("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", [headCheck(() => null)], { get });
    expect(text).toContain("content-length: 6");
  });

  test("204 and 304 are judged by their head", async () => {
    for (const status of ["204 No Content", "304 Not Modified"]) {
      const { text } = await ask(`HTTP/1.1 ${status}\r\nX-A: 1\r\n\r\n`, [changing()]);
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\nx-a: 1\r\n`));
      const denied = await ask(`HTTP/1.1 ${status}\r\n\r\n`, [headCheck(() => refused("it"))]);
      expect(denied.text).toMatch(/^HTTP\/1.1 502 /);
    }
  });

  test("1xx: what a check of the head denies is left out, and what it changes is changed", async () => {
    const check = headCheck((_exchange, answer) => {
      if (answer.headers.get("link") === "<secret>") return refused("a link");
      answer.headers = answer.headers.without(new Set(["x-a"]));
      return null;
    });
    const hint = (link: string): string => `HTTP/1.1 103 Early Hints\r\nLink: ${link}\r\nX-A: 1\r\n\r\n`;
    const { text } = await ask(hint("<a>") + hint("<secret>") + plain("body"), [check]);
    expect(text).toMatch(/^HTTP\/1.1 103 [^\r]*\r\nlink: <a>\r\n\r\nHTTP\/1.1 200 OK/);
    expect(text).not.toContain("secret");
  });

  test("1xx: a check that fails lets none through, and the answer that follows is judged as ever", async () => {
    const check = headCheck((_exchange, { status }) => {
      if (status === 103) throw new Error("broken");
      return null;
    });
    const { text } = await ask(`HTTP/1.1 103 Early Hints\r\nLink: <secret>\r\n\r\n${plain("body")}`, [check]);
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(text).not.toContain("secret");
  });
});

describe("a part of an answer (206)", () => {
  const part = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/9\r\nContent-Length: 4\r\n\r\nsecr";

  test("is refused where a rule judges bodies, for a part cannot be judged", async () => {
    const { text, record } = await ask(part, [bodyCheck(() => null)]);
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(record.denial?.seen).toBe("a part of an answer (206)");
  });

  test("passes where rules look at heads alone, and where a rule only audits, which is noted", async () => {
    expect((await ask(part, [headCheck(() => null)])).text).toMatch(/^HTTP\/1.1 206 .*secr$/s);
    const audited = await ask(part, [bodyCheck(() => null, 0)]);
    expect(audited.text).toMatch(/^HTTP\/1.1 206 .*secr$/s);
    expect(audited.record.exchange.audited).toHaveLength(1);
  });
});

describe("a client of HTTP/1.0", () => {
  test("gets what a rule made of the body, up to the end of its connection", async () => {
    const { client, service } = await underHand([bodyCheck(() => replacing("secret", "***"))]);
    client.destroy();
    service.destroy();
    const upstreamPort = await startScriptedService(() => plain(`${"x".repeat(200_000)}secret`));
    const route = { responseChecks: [bodyCheck(() => replacing("secret", "***"))] };
    const proxy = await startProxy({ upstreamPort, route });
    const old = await RawClient.connect({ port: proxy.port, host: "127.0.0.1" });
    old.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    await old.untilClosed();
    expect(old.received).toMatch(/\r\n\r\nx{200000}\*\*\*$/);
    expect(old.received).not.toMatch(/chunked/);
  });
});

describe("who watches an answer", () => {
  test("sees the bytes that the service sent, and the client gets them untouched and at once", async () => {
    const seen: string[] = [];
    const observer: AnswerObserver = {
      onChunk: (chunk) => seen.push(chunk.toString()),
      onEnd: (trailers) => seen.push(`end ${trailers?.get("x-cost") ?? "-"}`),
    };
    const { client, service } = await underHand([], {
      evaluate: (exchange) => {
        const watch = ({ status }: Answer): AnswerObserver => {
          seen.push(String(status));
          return observer;
        };
        exchange.watchers = [{ watch }];
        return null;
      },
    });
    service.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    await client.untilReceived("one");
    service.write("3\r\ntwo\r\n0\r\nX-Cost: 7\r\n\r\n");
    await client.untilReceived("two");
    await eventually(() => seen.includes("end 7"));
    expect(seen).toEqual(["200", "one", "two", "end 7"]);
  });

  test("is not told of an end that does not come", async () => {
    const seen: string[] = [];
    const observer: AnswerObserver = { onChunk: () => seen.push("chunk"), onEnd: () => seen.push("end") };
    const { client, service, records } = await underHand([], {
      evaluate: (exchange) => {
        exchange.watchers = [{ watch: () => observer }];
        return null;
      },
    });
    service.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    await client.untilReceived("half");
    service.destroy();
    await eventually(() => records[0]);
    expect(seen).toEqual(["chunk"]);
  });
});
