import { expect, it } from "vitest";
import { HeadFault } from "../../src/http1/head.ts";
import { type RequestHead, RequestReader } from "../../src/http1/request-reader.ts";
import { type ResponseHead, ResponseReader } from "../../src/http1/response-reader.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { caseSeed, Random } from "../fuzz/random.ts";

const BLOCKS: [string, ...string[]] = [
  "\r\n",
  "Host: a\r\n\r\n",
  "Host: b\r\n\r\n",
  "Host: a\r\nAccept: */*\r\n\r\n",
  "Host: a\r\nAccept: */*\r\nContent-Length: 12\r\n\r\n",
  "Host: a\r\nAccept: */*\r\nContent-Length: 13\r\n\r\n",
  "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n",
  "Host : a\r\n\r\n",
  "Host: a\nX: b\r\n\r\n",
  `Host: a\r\nX: ${"x".repeat(5000)}\r\n\r\n`,
  `Host: a\r\nX: ${"x".repeat(200)}\r\n\r\n`,
];
const FIRST_LINES: [string, ...string[]] = [
  "GET / HTTP/1.1",
  "GET /a HTTP/1.1",
  "POST /a HTTP/1.1",
  "GET /a HTTP/1.0",
  "GET  / HTTP/1.1",
  "GET /\rb HTTP/1.1",
  "",
];
const STATUS_LINES: [string, ...string[]] = [
  "HTTP/1.1 200 OK",
  "HTTP/1.1 200",
  "HTTP/1.1 304 Not Modified",
  "HTTP/1.1 2x0 OK",
  "HTTP/1.1 200 O\rK",
];

/** What a reader says of some bytes. */
function told(read: RequestHead | ResponseHead | HeadFault | string | null): unknown {
  if (read === null || typeof read === "string") return read;
  if (read instanceof HeadFault) return [read.reason, read.seen];
  const { line, parsed, end } = read;
  const lines = ["host", "accept", "content-length", "transfer-encoding", "x"].map((name) => parsed.headers.list(name));
  return [line, end, parsed.bodyBytes, parsed.close, lines];
}

function heads(random: Random, firstLines: readonly [string, ...string[]]): Buffer {
  const before = random.pick(["", "", "", "123"]);
  const behind = random.pick(["", "", "Host: a\r\n\r\n", "\r\n\r\n", "body"]);
  const whole = `${before}${random.pick(firstLines)}\r\n${random.pick(BLOCKS)}${behind}`;
  return Buffer.from(
    random.pick([true, true, true, false]) ? whole : whole.slice(0, random.below(whole.length + 1)),
    "latin1",
  );
}

it("a head reads the same whatever was read before it on its connection", () => {
  const limits = { ...DEFAULTS, headBytesMax: 4096 };
  for (let round = 0; round < 300; round++) {
    const random = new Random(caseSeed(7, round));
    const requests = new RequestReader(limits.headBytesMax, limits.headersCountMax);
    const responses = new ResponseReader(limits);
    for (let at = 0; at < 60; at++) {
      const request = heads(random, FIRST_LINES);
      const offset = request.toString("latin1").startsWith("123") ? 3 : 0;
      const fresh = new RequestReader(limits.headBytesMax, limits.headersCountMax).read(request, offset);
      expect(told(requests.read(request, offset)), request.toString("latin1")).toEqual(told(fresh));
      const response = heads(random, STATUS_LINES);
      expect(told(responses.read(response, 0)), response.toString("latin1")).toEqual(
        told(new ResponseReader(limits).read(response, 0)),
      );
    }
  }
});
