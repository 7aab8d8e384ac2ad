import { describe, expect, test } from "vitest";
import { HeadFault } from "../../src/http1/head.ts";
import { FieldReader, type RequestFields } from "../../src/http2/fields.ts";
import { CHUNKED } from "../../src/message/body.ts";

const LIMITS = { headBytesMax: 1024, headersCountMax: 10 };
const HEAD = [":method", "GET", ":scheme", "https", ":authority", "api.example.org", ":path", "/a?b=1"];

function read(
  raw: readonly string[],
  endStream = true,
  reader = new FieldReader(LIMITS, { secure: true, anyScheme: false, unix: false }),
) {
  return reader.read(raw, endStream);
}

function accepted(raw: readonly string[], endStream = true): RequestFields {
  const fields = read(raw, endStream);
  if (fields instanceof HeadFault) throw new Error(fields.seen);
  return fields;
}

const withPseudo = (name: string, value: string): string[] =>
  HEAD.map((text, at) => (HEAD[at - 1] === name ? value : text));
const without = (name: string): string[] => HEAD.filter((text, at) => text !== name && HEAD[at - 1] !== name);

describe("a request's fields", () => {
  test("give method, target, authority and headers, Host first as over HTTP/1.1", () => {
    const fields = accepted([...HEAD, "accept", "*/*", "x-empty", ""]);
    expect(fields).toMatchObject({ method: "GET", target: "/a?b=1", authority: "api.example.org", bodyBytes: 0 });
    expect(fields.headers.names).toEqual(["host", "accept", "x-empty"]);
    expect(fields.headers.values).toEqual(["api.example.org", "*/*", ""]);
  });

  test("cookie crumbs count as the one header that they are", () => {
    expect(read([...HEAD, ...Array.from({ length: 40 }, (_, at) => ["cookie", `c${at}=1`]).flat()])).toMatchObject({
      method: "GET",
    });
  });

  test("cookie crumbs become one header, in place (RFC 9113 section 8.2.3)", () => {
    const { headers } = accepted([...HEAD, "cookie", "a=1", "x-a", "b", "cookie", "c=2", "cookie", "d=3"]);
    expect(headers.names).toEqual(["host", "cookie", "x-a"]);
    expect(headers.get("cookie")).toBe("a=1; c=2; d=3");
  });

  test("tell the body's length: announced, unknown, or none", () => {
    expect(accepted([...withPseudo(":method", "POST"), "content-length", "5"], false).bodyBytes).toBe(5);
    expect(accepted(HEAD, false).bodyBytes).toBe(CHUNKED);
    expect(accepted([...HEAD, "content-length", "0"], true).bodyBytes).toBe(0);
  });

  test("Host alone will do, and Host beside an equal :authority", () => {
    expect(accepted([...without(":authority"), "host", "a.example"]).authority).toBe("a.example");
    const both = accepted([...HEAD, "host", "API.example.org"]);
    expect(both.headers.names).toEqual(["host"]);
    expect(both.authority).toBe("api.example.org");
  });

  test("100-continue and te: trailers pass", () => {
    expect(accepted([...HEAD, "expect", "100-continue", "te", "trailers"], false).expectContinue).toBe(true);
  });
});

test("a tunnel (RFC 8441) is for an :authority; Host alone will not do, as nghttp2 has it", () => {
  const tunnel = [...withPseudo(":method", "CONNECT"), ":protocol", "websocket"];
  expect(accepted(tunnel, false)).toMatchObject({ upgrade: true, authority: "api.example.org" });
  const withHost = [
    ...tunnel.filter((text, at) => text !== ":authority" && tunnel[at - 1] !== ":authority"),
    "host",
    "a",
  ];
  expect(read(withHost, false)).toMatchObject({ reason: "request_malformed" });
});

describe("what has more than one reading is refused", () => {
  const refused: Record<string, readonly [raw: readonly string[], reason: string]> = {
    "a connection-specific field": [[...HEAD, "connection", "close"], "request_malformed"],
    "keep-alive": [[...HEAD, "keep-alive", "1"], "request_malformed"],
    "proxy-connection": [[...HEAD, "proxy-connection", "x"], "request_malformed"],
    upgrade: [[...HEAD, "upgrade", "h2c"], "request_malformed"],
    "transfer-encoding": [[...HEAD, "transfer-encoding", "chunked"], "request_malformed"],
    "te other than trailers": [[...HEAD, "te", "gzip"], "request_malformed"],
    "te with more than trailers": [[...HEAD, "te", "trailers, deflate"], "request_malformed"],
    "the CGI twin of content-length": [[...HEAD, "content_length", "5"], "request_malformed"],
    "the CGI twin of transfer-encoding": [[...HEAD, "transfer_encoding", "chunked"], "request_malformed"],
    "two lengths": [[...HEAD, "content-length", "0", "content-length", "0"], "request_malformed"],
    "a padded length": [[...HEAD, "content-length", "00"], "request_malformed"],
    "a signed length": [[...HEAD, "content-length", "+0"], "request_malformed"],
    "a length in a list": [[...HEAD, "content-length", "5, 5"], "request_malformed"],
    "a length without a body": [[...HEAD, "content-length", "5"], "request_malformed"],
    "an upper-case name": [[...HEAD, "X-A", "b"], "request_malformed"],
    "a name with a blank": [[...HEAD, "x a", "b"], "request_malformed"],
    "a name with a colon": [[...HEAD, "x:a", "b"], "request_malformed"],
    "a name with a line break": [[...HEAD, "x\r\ny", "b"], "request_malformed"],
    "an empty name": [[...HEAD, "", "b"], "request_malformed"],
    "a value with CR LF": [[...HEAD, "x-a", "b\r\nx-postern-principal: admin"], "request_malformed"],
    "a value with a bare LF": [[...HEAD, "x-a", "b\nc"], "request_malformed"],
    "a value with a NUL": [[...HEAD, "x-a", "b\0c"], "request_malformed"],
    "a value with a leading blank": [[...HEAD, "x-a", " b"], "request_malformed"],
    "a value with a trailing tab": [[...HEAD, "x-a", "b\t"], "request_malformed"],
    "an unknown pseudo-header": [[...HEAD, ":foo", "b"], "request_malformed"],
    "a pseudo-header twice": [[":path", "/b", ...HEAD], "request_malformed"],
    "a pseudo-header after a field": [[...HEAD, "x-a", "b", ":path", "/b"], "request_malformed"],
    ":protocol (RFC 8441), for nothing here makes a tunnel": [[":protocol", "websocket", ...HEAD], "request_malformed"],
    "a method with a blank": [withPseudo(":method", "GET /x"), "request_malformed"],
    "a method with a line break": [withPseudo(":method", "GET\r\nx: y"), "request_malformed"],
    "an endless method": [withPseudo(":method", "M".repeat(33)), "request_malformed"],
    "no method": [without(":method"), "request_malformed"],
    "no path": [without(":path"), "request_malformed"],
    "no scheme": [without(":scheme"), "request_malformed"],
    "the scheme of another connection": [withPseudo(":scheme", "http"), "request_malformed"],
    "a scheme in upper case": [withPseudo(":scheme", "HTTPS"), "request_malformed"],
    "no authority at all": [without(":authority"), "host_invalid"],
    "an authority with a user": [withPseudo(":authority", "a@b"), "host_invalid"],
    "an authority with a blank": [withPseudo(":authority", "a b"), "host_invalid"],
    "an authority with a path": [withPseudo(":authority", "a/b"), "host_invalid"],
    "a Host of another name": [[...HEAD, "host", "evil.example"], "host_invalid"],
    "a Host of another port": [[...HEAD, "host", "api.example.org:8443"], "host_invalid"],
    "two Hosts": [[...HEAD, "host", "api.example.org", "host", "api.example.org"], "host_invalid"],
    "an empty :authority, for which Host is no substitute": [
      [...withPseudo(":authority", ""), "host", "api.example.org"],
      "host_invalid",
    ],
    "an empty Host": [[...without(":authority"), "host", ""], "host_invalid"],
    "an unknown expectation": [[...HEAD, "expect", "200-ok"], "expectation_failed"],
    "too many fields": [
      [...HEAD, ...Array.from({ length: 11 }, (_, at) => [`x-${at}`, "v"]).flat()],
      "headers_too_many",
    ],
    "cookie crumbs beyond what a head may have": [
      [...HEAD, ...Array.from({ length: 200 }, () => ["cookie", "a"]).flat()],
      "head_too_large",
    ],
    "too much": [[...HEAD, "x-a", "b".repeat(1020)], "head_too_large"],
    "too long a path": [withPseudo(":path", `/${"a".repeat(1024)}`), "head_too_large"],
  };
  for (const [title, [raw, reason]] of Object.entries(refused)) {
    test(`${title}: ${reason}`, () => {
      expect(read(raw)).toMatchObject({ reason });
    });
  }

  test("behind a trusted proxy, which may have ended TLS, both schemes fit and no third", () => {
    const reader = new FieldReader(LIMITS, { secure: false, anyScheme: true, unix: false });
    expect(read(HEAD, true, reader)).not.toBeInstanceOf(HeadFault);
    expect(read(withPseudo(":scheme", "http"), true, reader)).not.toBeInstanceOf(HeadFault);
    expect(read(withPseudo(":scheme", "ftp"), true, reader)).toMatchObject({ reason: "request_malformed" });
  });
});

describe("a reader that remembers the last request", () => {
  test("gives the same headers for the same fields, and the new path", () => {
    const reader = new FieldReader(LIMITS, { secure: true, anyScheme: false, unix: false });
    const first = accepted(HEAD);
    const again = reader.read(HEAD, true);
    const other = reader.read(withPseudo(":path", "/c"), true);
    expect(again).toEqual(first);
    expect(other).toMatchObject({ target: "/c", authority: "api.example.org" });
  });

  test("is not fooled by one changed value, nor by fields that moved, nor by a body", () => {
    const reader = new FieldReader(LIMITS, { secure: true, anyScheme: false, unix: false });
    reader.read([...HEAD, "x-role", "user"], true);
    expect(reader.read([...HEAD, "x-role", "evil"], true)).toMatchObject({
      headers: { values: ["api.example.org", "evil"] },
    });
    expect(reader.read([...withPseudo(":authority", "b.example"), "x-role", "evil"], true)).toMatchObject({
      authority: "b.example",
    });
    expect(reader.read([...HEAD, "x-role", "evil"], false)).toMatchObject({ bodyBytes: CHUNKED });
    expect(reader.read([...HEAD, "x-role", "a\r\nb"], true)).toMatchObject({ reason: "request_malformed" });
    const long = reader.read([...withPseudo(":path", `/${"a".repeat(1024)}`), "x-role", "evil"], true);
    expect(long).toMatchObject({ reason: "head_too_large" });
    reader.read([...HEAD, "x-role", "evil"], true);
    expect(reader.read([...withPseudo(":path", ""), "x-role", "evil"], true)).toMatchObject({
      reason: "request_malformed",
    });
  });
});
