// Goal: no answer leads a client to where the policy does not, under any spelling that browsers or other clients read otherwise, and internal
// hosts leave in no reference; honest redirects arrive, also behind a prefix that was exchanged.
// Method: compiled policies, heads of answers as services and attackers write them.
import { describe, expect, test } from "vitest";
import { Answer } from "../../src/message/answer.ts";
import { createExchange, createHeaders } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, routeOf, snapshotOf } from "../policy/policy-kit.ts";

const policy = (location: string, more = ""): string =>
  policyWith(`routes: [{ path: /v1/**, public: true, response: { location: ${location} } ${more} }]`);

async function left(
  location: string,
  lines: readonly (readonly [string, string])[],
  more = "",
): Promise<string | readonly string[]> {
  const route = routeOf(await snapshotOf(policy(location, more)), "/v1/**");
  const [check] = route.responseChecks;
  const exchange = createExchange({ authority: "api.example.org" });
  const answer = new Answer(302, createHeaders(lines), true);
  const verdict = check?.judgeHead?.(exchange, answer) ?? null;
  if (verdict !== null) return verdict.reason;
  return answer.headers.names.map((name, at) => `${name}: ${answer.headers.values[at]}`);
}

async function led(
  value: string,
  location = "{ allow: ['https://login.example.org', 'https://*.apps.example.org', 'com.example.app:'] }",
  more = "",
) {
  const found = await left(location, [["location", value]], more);
  return typeof found === "string" ? found : (found[0] ?? "").replace(/^location: /, "");
}

describe("a redirect", () => {
  test.each([
    "/orders/7?x=1#a",
    "orders/7",
    "?page=2",
    "#top",
    "../x",
    "",
    "https://api.example.org/orders",
    "https://API.example.org:443/orders",
    "//api.example.org/x",
    "https://login.example.org/authorize?redirect_uri=https%3A%2F%2Fapi.example.org",
    "https://a.b.apps.example.org/",
    "com.example.app:/callback?code=1",
    "/a/http://evil.example",
  ])("'%s' leaves as it came", async (value) => {
    expect(await led(value)).toBe(value);
  });

  test.each([
    ["http://127.0.0.1:3000/orders/7?x=1", "/orders/7?x=1"],
    ["http://localhost:3000", "/"],
    ["http://10.1.2.3//evil.example/x", "/evil.example/x"],
    ["http://[::1]:3000/a#b", "/a#b"],
    ["http://[fd00::1]/a", "/a"],
    ["http://[::ffff:172.16.0.1]/a", "/a"],
    ["http://[::ffff:169.254.169.254]/a", "/a"],
    ["http://[64:ff9b::10.0.0.1]/a", "/a"],
    ["http://2130706433/a", "/a"],
    ["http://orders:8080/a", "/a"],
    ["http://orders.shop.svc.cluster.local/a?b", "/a?b"],
    ["//orders.internal/a", "/a"],
    ["http://api.example.org/a", "/a"],
  ])("%s, of the service's own side, leaves as %s", async (value, expected) => {
    expect(await led(value)).toBe(expected);
  });

  test.each([
    "https://evil.example/",
    "//evil.example/x",
    "///evil.example/x",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "https:evil.example",
    "http:/evil.example",
    "HTTPS:\\evil.example",
    "https://api.example.org@evil.example/",
    "https://api.example.org:x@evil.example",
    "https://user@login.example.org/",
    "https://login.example.org.evil.example/",
    "https://evil-login.example.org/",
    "https://login.example.org:8443/",
    "http://login.example.org/",
    "https://apps.example.org/",
    "https://evilapps.example.org/",
    "https://api.example.org:8443/",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://[::ffff:8.8.8.8]/",
    "com.evil.app:/callback",
    "https://evil.example\xe3\x80\x82login.example.org/",
    "https://",
    "http://[::1",
    " https://evil.example",
  ])("'%s' is refused, comes off or passes, as the policy says", async (value) => {
    expect(await led(value)).toBe("response_denied");
    expect(
      await left("{ others: remove }", [
        ["location", value],
        ["x-a", "b"],
      ]),
    ).toEqual(["x-a: b"]);
    expect(await left("{ others: pass }", [["location", value]])).toEqual([`location: ${value}`]);
  });

  test("that stands there twice is one too many", async () => {
    expect(
      await left("{}", [
        ["location", "/a"],
        ["location", "/b"],
      ]),
    ).toBe("response_denied");
  });
});

describe("behind a prefix that was exchanged", () => {
  const stripped = ", rewrite: { prefix: { from: /v1, to: / }, host: 'orders.example.net:8080' }";
  test.each([
    ["/orders/7", "/v1/orders/7"],
    ["/", "/v1/"],
    ["/v1/orders", "/v1/orders"],
    ["/v1x", "/v1/v1x"],
    ["orders", "orders"],
    ["http://orders.example.net:8080/orders?x", "/v1/orders?x"],
    ["https://api.example.org/orders", "https://api.example.org/v1/orders"],
  ])("%s leaves as %s", async (value, expected) => {
    expect(await led(value, "{}", stripped)).toBe(expected);
  });

  test("other segments come back as they were, and no slash becomes a host", async () => {
    const exchanged = ", rewrite: { prefix: { from: /v1, to: /api } }";
    expect(await led("/api/orders", "{}", exchanged)).toBe("/v1/orders");
    expect(await led("/api", "{}", exchanged)).toBe("/v1/");
    expect(await led("/apis/x", "{}", exchanged)).toBe("/apis/x");
    const added = ", rewrite: { prefix: { from: /, to: /api } }";
    expect(await led("/api/orders", "{}", added)).toBe("/orders");
    expect(await led("/api//evil.example", "{}", added)).toBe("/evil.example");
  });
});

test("cookies are of the path as clients ask for it, and one of the whole host stays that", async () => {
  const lines = [
    ["set-cookie", "sid=a;b; path=/orders ; HttpOnly"],
    ["set-cookie", "all=path=/x; Path=/"],
    ["set-cookie", "own=1; Path=/v1/orders"],
  ] as const;
  expect(await left("{}", lines, ", rewrite: { prefix: { from: /v1, to: / } }")).toEqual([
    "set-cookie: sid=a;b; path=/v1/orders ; HttpOnly",
    "set-cookie: all=path=/x; Path=/",
    "set-cookie: own=1; Path=/v1/orders",
  ]);
  const exchanged = await left(
    "{}",
    [["set-cookie", "a=1; Path=/api"]],
    ", rewrite: { prefix: { from: /v1, to: /api } }",
  );
  expect(exchanged).toEqual(["set-cookie: a=1; Path=/v1"]);
  expect(await left("{}", [["set-cookie", "a=1; Path=/orders"]])).toEqual(["set-cookie: a=1; Path=/orders"]);
});

describe("other headers", () => {
  test.each([
    ["refresh", "5", "5"],
    ["refresh", "0; url=/a", "0; url=/a"],
    ["refresh", "0;URL='http://10.0.0.1/a'", "0; url=/a"],
    ["refresh", "0, http://localhost/a", "0; url=/a"],
    ["content-location", "http://10.0.0.1/a", "/a"],
    [
      "link",
      '<http://10.0.0.1/a>; rel="next", <https://docs.example.com/x>; rel=help',
      '</a>; rel="next", <https://docs.example.com/x>; rel=help',
    ],
    [
      "link",
      '<http://10.0.0.1/a>; anchor="http://orders:8080/b"; rel=next, </c>; anchor=http://10.0.0.2/d; title="a; b"',
      '</a>; anchor="/b"; rel=next, </c>; anchor=/d; title="a; b"',
    ],
    ["link", '</a>; rel=next; anchor="https://example.com/b"', '</a>; rel=next; anchor="https://example.com/b"'],
    ["x-other", "http://10.0.0.1/", "http://10.0.0.1/"],
  ])("%s: %s leaves as %s", async (name, value, expected) => {
    expect(await left("{}", [[name, value]])).toEqual([`${name}: ${expected}`]);
  });

  test.each([
    ["refresh", "0; url=https://evil.example"],
    ["refresh", "0 https://evil.example"],
    ["refresh", '0;url="https://evil.example" x'],
    ["refresh", "x; https://evil.example"],
    ["refresh", "0; url=javascript:alert(1)"],
    ["content-location", "https://evil.example/"],
  ])("%s: %s is refused", async (name, value) => {
    expect(await left("{}", [[name, value]])).toBe("response_denied");
  });

  test.each([
    ["10.0.0.5:8080", false],
    ["for 192.168.1.7, x", false],
    ["http://orders.internal/x", false],
    ["https://example.org/", true],
    ["203.0.113.7", true],
    ["v10.4.2.1-beta", true],
    ["1.10.4.2.1", true],
    ["gzip", true],
    ["fd12:3456:789a::1", false],
    ["up=[fe80::1]:8080", false],
    ["http://[::ffff:10.0.0.1]/x", false],
    ["2001:db8::1", true],
    ["fd:12:34:56:78:9a", true],
    ["feature::fc", true],
    ["sha=fdab", true],
  ])("that hold '%s' stay where it is no internal address: %s", async (value, stays) => {
    expect(await left("{ addresses: remove }", [["x-backend", value]])).toEqual(stays ? [`x-backend: ${value}`] : []);
  });
});

test("further hosts are internal where the policy says so", async () => {
  expect(await led("https://app-7.example.net/a", "{ internal: ['*.example.net'] }")).toBe("/a");
  expect(await led("https://app-7.example.net/a", "{}")).toBe("response_denied");
});

test.each([
  ["{ allow: ['https://login.example.org/x'] }", /expected an origin/],
  ["{ allow: ['javascript:'] }", /expected an origin/],
  ["{ allow: ['https://*.org'] }", /expected an origin/],
  ["{ allow: ['*'] }", /expected an origin/],
  ["{ internal: ['http://x'] }", /expected a host/],
  ["{ other: pass }", /unknown key 'other'; did you mean 'others'/],
])("%s has a problem", async (location, expected) => {
  const problems = await problemsOf(policy(location));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(expected);
});
