import { describe, expect, test } from "vitest";
import {
  HeadFault,
  hostName,
  isValidHost,
  parseHeaders,
  parseRequestLine,
  parseStatusLine,
} from "../../src/http1/head.ts";
import { CHUNKED } from "../../src/message/body.ts";

const parse = (...lines: string[]) => parseHeaders(lines.map((line) => `${line}\r\n`).join(""), 100);
const reasonOf = (parsed: ReturnType<typeof parse>) => (parsed instanceof HeadFault ? parsed.reason : null);

describe("header lines that have been read in two ways are refused", () => {
  const refused: Record<string, string[]> = {
    "bare LF": ["host: a\nx: y"],
    "bare CR": ["host: a\rx: y"],
    "NUL in a value": ["host: a\0"],
    "folded line": ["host: a", " b"],
    "tab-folded line": ["host: a", "\tb"],
    "blank before the colon": ["host : a"],
    "no colon": ["host"],
    "empty name": [": a"],
    "name with a blank": ["x y: a"],
    "name that is not ASCII": ["h\xf6st: a"],
    "DEL in a value": ["x: a\x7f"],
    "two lengths": ["content-length: 5", "content-length: 5"],
    "two different lengths": ["content-length: 5", "content-length: 6"],
    "list of lengths": ["content-length: 5, 5"],
    "signed length": ["content-length: +5"],
    "negative length": ["content-length: -5"],
    "padded length": ["content-length: 005"],
    "hexadecimal length": ["content-length: 0x5"],
    "empty length": ["content-length:"],
    "length beyond every integer": ["content-length: 99999999999999999999"],
    "length beside chunked": ["content-length: 5", "transfer-encoding: chunked"],
    "chunked beside length": ["transfer-encoding: chunked", "content-length: 5"],
    "chunked twice": ["transfer-encoding: chunked", "transfer-encoding: chunked"],
    "chunked in a list": ["transfer-encoding: gzip, chunked"],
    "chunked with identity": ["transfer-encoding: chunked, identity"],
    "almost chunked": ["transfer-encoding: xchunked"],
    "chunked behind a vertical tab": ["transfer-encoding: \x0bchunked"],
    "length spelt for CGI": ["content_length: 5"],
    "encoding spelt for CGI": ["transfer_encoding: chunked"],
  };
  for (const [name, lines] of Object.entries(refused)) {
    test(name, () => expect(reasonOf(parse(...lines))).toBe("request_malformed"));
  }
});

test("a second Host is refused, whatever it says", () => {
  expect(reasonOf(parse("host: a", "host: a"))).toBe("host_invalid");
});

test("more header lines than the limit are refused", () => {
  expect(reasonOf(parse(...Array.from({ length: 101 }, (_, at) => `x-${at}: y`)))).toBe("headers_too_many");
});

test("an expectation that nobody knows is refused", () => {
  expect(reasonOf(parse("expect: 200-ok"))).toBe("expectation_failed");
});

test("names come in lower case, values without blanks, in their order", () => {
  const parsed = parse(
    "Host: a.example:8443",
    "X-Two: \t b  c \t",
    "x-two:d",
    "Transfer-Encoding: Chunked",
    "Connection: Foo, Close",
  );
  if (parsed instanceof HeadFault) throw new Error(parsed.seen);
  expect(parsed.headers.names).toEqual(["host", "x-two", "x-two", "transfer-encoding", "connection"]);
  expect(parsed.headers.values.slice(0, 3)).toEqual(["a.example:8443", "b  c", "d"]);
  expect(parsed.headers.list("x-two")).toBe("b  c, d");
  expect([parsed.authority, parsed.bodyBytes, parsed.close, parsed.keepAlive]).toEqual([
    "a.example:8443",
    CHUNKED,
    true,
    false,
  ]);
});

describe("request lines", () => {
  const refused = [
    "GET /",
    "GET",
    "",
    " / HTTP/1.1",
    "GET  / HTTP/1.1",
    "GET /a b HTTP/1.1",
    "GET / http/1.1",
    "G\x01T / HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET /\tHTTP/1.1",
  ];
  for (const line of refused) {
    test(`${JSON.stringify(line)} is refused`, () => expect(parseRequestLine(line)).toBeInstanceOf(HeadFault));
  }
  for (const line of ["GET / HTTP/0.9", "GET / HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/3.0"]) {
    test(`${line} names a version that is not spoken here`, () => {
      expect(parseRequestLine(line)).toMatchObject({ reason: "http_version_unsupported" });
    });
  }
  test("a valid one is taken apart", () => {
    expect(parseRequestLine("PATCH /a?b HTTP/1.0")).toEqual({ method: "PATCH", target: "/a?b", minor: 0 });
  });
});

test("status lines with anything but a status are refused", () => {
  expect(parseStatusLine("HTTP/1.1 200 OK")).toEqual({ status: 200, minor: 1 });
  expect(parseStatusLine("HTTP/1.0 404")).toEqual({ status: 404, minor: 0 });
  for (const line of [
    "HTTP/2 200",
    "HTTP/1.1 99 x",
    "HTTP/1.1 2000",
    "HTTP/1.1  200",
    "ICY 200 OK",
    "HTTP/1.1 600 x",
  ]) {
    expect(parseStatusLine(line), line).toBeNull();
  }
});

test("Host is a name or an address with a port, and nothing else", () => {
  for (const good of ["a", "a.example", "a.example:8443", "127.0.0.1:80", "[::1]", "[::1]:443"])
    expect(isValidHost(good), good).toBe(true);
  for (const bad of ["", "a b", "a/b", "user@a", "a:b", "a:", "a:123456", "[::1", "a,b", "a#b", "\xe4.example"])
    expect(isValidHost(bad), bad).toBe(false);
  expect(["A.Example:8443", "[::1]:443", "[::1]", "a"].map(hostName)).toEqual(["a.example", "[::1]", "[::1]", "a"]);
});
