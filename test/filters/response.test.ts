import { describe, expect, test } from "vitest";
import type { ResponseRules } from "../../src/filters/filter.ts";
import { responseFilter } from "../../src/filters/response/compile.ts";
import { buildResponseTrailerRewrite, rewriteResponse } from "../../src/filters/response/evaluate.ts";
import { NO_HEADERS } from "../../src/message/headers.ts";
import { compileFilter, createHeaders } from "../fixtures/route-context.ts";

function rulesOf(settings?: unknown): ResponseRules {
  const { responseRules, problems } = compileFilter(responseFilter, settings);
  if (responseRules === null || problems.length > 0) throw new Error(JSON.stringify(problems));
  return responseRules;
}

function answer(headers: readonly (readonly [string, string])[], settings?: unknown, secure = true): string[] {
  return rewriteResponse(createHeaders(headers), rulesOf(settings), secure).split("\r\n").slice(0, -1);
}

const OFF = { securityHeaders: "off" };

test("by default the service's headers pass, telltales go and the security headers of an API come", () => {
  expect(
    answer([
      ["content-type", "application/json"],
      ["server", "nginx/1.2.3"],
      ["x-powered-by", "Express"],
      ["x-php-version", "8.2"],
      ["x-sourcefiles", "=?UTF-8?B?QzpcYXBw?="],
      ["liferay-portal", "Liferay 7"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]),
  ).toEqual([
    "content-type: application/json",
    "set-cookie: a=1",
    "set-cookie: b=2",
    "x-content-type-options: nosniff",
    "cache-control: no-store, no-cache, must-revalidate",
    "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy: same-origin",
    "referrer-policy: no-referrer",
    "x-frame-options: DENY",
    "strict-transport-security: max-age=31536000",
  ]);
});

test("Strict-Transport-Security is only said over TLS", () => {
  expect(answer([], undefined, false).join()).not.toContain("strict-transport");
});

test("what the service says about caching, framing and transport stays, what it says about sniffing does not", () => {
  const lines = answer([
    ["cache-control", "public, max-age=60"],
    ["x-frame-options", "SAMEORIGIN"],
    ["strict-transport-security", "max-age=63072000; includeSubDomains"],
    ["x-content-type-options", "maybe"],
  ]);
  expect(lines.filter((line) => line.startsWith("cache-control"))).toEqual(["cache-control: public, max-age=60"]);
  expect(lines.filter((line) => line.startsWith("x-frame"))).toEqual(["x-frame-options: SAMEORIGIN"]);
  expect(lines.filter((line) => line.startsWith("strict"))).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith("x-content-type"))).toEqual(["x-content-type-options: nosniff"]);
});

test("headers of the connection to the service do not reach the client, nor those that Connection names", () => {
  expect(
    answer(
      [
        ["connection", "keep-alive, X-Internal"],
        ["keep-alive", "timeout=5"],
        ["transfer-encoding", "chunked"],
        ["content-length", "5"],
        ["trailer", "x"],
        ["upgrade", "h2c"],
        ["x-internal", "1"],
        ["etag", '"1"'],
      ],
      OFF,
    ),
  ).toEqual(['etag: "1"']);
});

test("the policy's own lines replace the service's, and its own choice wins over the security headers", () => {
  const settings = { setHeaders: { "X-Frame-Options": "SAMEORIGIN", "X-Env": "prod" }, removeHeaders: ["X-Debug"] };
  const lines = answer(
    [
      ["x-env", "dev"],
      ["x-debug", "stack"],
      ["x-frame-options", "ALLOWALL"],
    ],
    settings,
  );
  expect(lines.slice(0, 2)).toEqual(["x-frame-options: SAMEORIGIN", "x-env: prod"]);
  expect(lines.join()).not.toMatch(/DENY|dev|stack|ALLOWALL/);
});

test("telltales go even where the policy has a list of its own and the security headers are off", () => {
  expect(answer([["server", "x"]], { ...OFF, removeHeaders: ["x-debug"] })).toEqual([]);
});

test("an answer of postern's own gets the same lines", () => {
  const rules = rulesOf();
  expect(rewriteResponse(NO_HEADERS, rules, true).split("\r\n")).toHaveLength(8);
  expect(rewriteResponse(NO_HEADERS, rulesOf(OFF), true)).toBe("");
});

describe("the policy", () => {
  test.each([
    { securityHeaders: "on" },
    { setHeaders: { "X-A": "a\nb" } },
    { setHeaders: { "Transfer-Encoding": "chunked" } },
    { setHeaders: { "X-A": "1", "x-a": "2" } },
    { removeHeaders: "Server" },
  ])("%j is a problem", (settings) => {
    expect(compileFilter(responseFilter, settings).problems).not.toHaveLength(0);
  });
});

test("trailers of an answer obey the rules of its header, and never frame, cache or set anything", () => {
  const rewrite = buildResponseTrailerRewrite(rulesOf({ removeHeaders: ["X-Debug"], setHeaders: { "X-Env": "prod" } }));
  const passing = [
    ["grpc-status", "0"],
    ["grpc-message", "ok"],
    ["server-timing", "db;dur=1"],
  ] as const;
  const stopped = ["x-debug", "x-env", "server", "content-length", "transfer-encoding", "set-cookie", "cache-control"];
  const text = rewrite(createHeaders([...passing, ...stopped.map((name) => [name, "x"] as const)]));
  expect(text).toBe("grpc-status: 0\r\ngrpc-message: ok\r\nserver-timing: db;dur=1\r\n");
});
