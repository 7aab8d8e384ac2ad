// Goal: the service gets the target that the policy's author meant and no other, whatever a client or a claim brings; and what no request could
// be rewritten to is told at load.
// Method: compiled policies; requests through the pipeline itself.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { keptTarget } from "../../src/message/kept-target.ts";
import { judge } from "../../src/proxy/pipeline.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, snapshotOf } from "../policy/policy-kit.ts";

const KEEPS_ALL = 7;

/** `METHOD target` → `path?query` for the service, or the reason why there is none. */
async function sent(routes: string, target: string, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const snapshot = await snapshotOf(policyWith(`routes: [${routes}]`));
  const read = keptTarget(target, KEEPS_ALL);
  if (!read.ok) return read.error.seen;
  const { path, query } = read.value.target;
  const exchange = createExchange({ path, query, principal: createPrincipal({ claims }) });
  exchange.upstream = "app";
  exchange.oddity = read.value.oddity;
  const subject = {
    snapshot,
    exchange,
    trustedProxies: null,
    trustsForwardedHost: false,
    forwardedCertificates: null,
    observer: null,
    shares: snapshot.shares,
    fault: null,
    route: null,
    ownPage: null,
    methodBody: null,
  };
  const outcome = await judge(subject);
  if (outcome instanceof Denial) return outcome.reason;
  const { upstreamTarget } = exchange;
  return upstreamTarget === null ? "as it came" : upstreamTarget.path + upstreamTarget.query;
}

const route = (path: string, rewrite: string, more = ""): string =>
  `{ path: '${path}', public: true, rewrite: ${rewrite}${more} }`;

describe("a path", () => {
  const BY_ID = route("/orders/{id}", "{ path: '/internal/{id}/order' }");

  test.each([
    ["/orders/7", "/internal/7/order"],
    ["/orders/a%20b", "/internal/a%20b/order"],
    ["/orders/%C3%A4", "/internal/%C3%A4/order"],
    ["/orders/ä", "U+00E4 at offset 8"],
    ["/orders/a+b", "/internal/a+b/order"],
    ["/orders/a%2Bb", "/internal/a%2Bb/order"],
    ["/orders/%41?x=1&y=%20+", "/internal/A/order?x=1&y=%20+"],
    ["/orders/%252e%252e", "/internal/%252e%252e/order"],
    ["/orders/%3Fx=1%23", "/internal/%3Fx=1%23/order"],
    ["/orders/..", "route_not_found"],
    ["/orders/%2e%2e", "route_not_found"],
    ["/orders/%2e%2e%2fadmin", "%2F at offset 14"],
    ["/orders/x%5c..", "%5C at offset 9"],
    ["/orders/x;y", "target_ambiguous"],
    ["/orders/x%00", "%00 at offset 9"],
    ["/orders/x%0d%0aHost:%20evil", "%0D at offset 9"],
    ["/orders//x", "target_ambiguous"],
  ])("%s goes on as %s", async (target, expected) => {
    expect(await sent(BY_ID, target)).toBe(expected);
  });

  test.each([
    ["/**", "/api/**", "/", "/api/"],
    ["/**", "/api/**", "/a/b/", "/api/a/b/"],
    ["/v1/**", "/**", "/v1", "/"],
    ["/v1/**", "/**", "/v1/", "/"],
    ["/v1/**", "/**", "/v1/a", "/a"],
    ["/v1/{t}/**", "/{t}/x/**", "/v1/acme/a/b", "/acme/x/a/b"],
    ["/v1/{t}", "/{t}.json", "/v1/acme", "/acme.json"],
    ["/v1/{t}", "/x", "/v1/acme", "/x"],
  ])("%s → %s: %s goes on as %s", async (path, to, target, expected) => {
    expect(await sent(route(path, `{ path: '${to}' }`), target)).toBe(expected);
  });

  test.each([
    ["/v1/orders", "/v1", "/", "/v1/orders", "/orders"],
    ["/v1/orders", "/v1/", "/", "/v1/orders", "/orders"],
    ["/v1", "/v1", "/", "/v1", "/"],
    ["/v1/**", "/v1", "/api/v2", "/v1/a%20b/", "/api/v2/a%20b/"],
    ["/v1/{id}", "/", "/api", "/v1/7", "/api/v1/7"],
  ])("%s, prefix %s → %s: %s goes on as %s", async (path, from, to, target, expected) => {
    expect(await sent(route(path, `{ prefix: { from: ${from}, to: ${to} } }`), target)).toBe(expected);
  });

  test("kept forms go on as they came, and never as a host in front", async () => {
    const keeps = ", keepInPaths: [encodedSlashes, emptySegments, parameters]";
    const strip = route("/v1/**", "{ prefix: { from: /v1, to: / } }", keeps);
    expect(await sent(strip, "/v1/a%2Fb//c;d")).toBe("/a%2Fb//c;d");
    expect(await sent(strip, "/v1//evil.example/x")).toBe("target_ambiguous");
    expect(await sent(route("/v1/{a}", "{ path: '/{a}.' }", keeps), "/v1/.%2F")).toMatch(/offset/);
    expect(await sent(route("/v1/{a}/{b}", "{ path: '/{a}{b}' }", keeps), "/v1/..x%2F../y")).toMatch(
      /offset|ambiguous/,
    );
  });

  test("segments that were none alone make no dot segment together", async () => {
    expect(await sent(route("/{a}", "{ path: '/x/.{a}' }"), "/.b")).toBe("/x/..b");
    expect(await sent(route("/{a}", "{ path: '/x/{a}' }"), "/...")).toBe("/x/...");
  });
});

describe("an attribute in a path", () => {
  // On a public route the caller that the test supposes is there all the same.
  const TENANT = route("/orders", "{ path: '/tenants/{jwt.tenant}/orders' }");

  test.each([
    ["acme", "/tenants/acme/orders"],
    ["a b", "/tenants/a%20b/orders"],
    ["ä€😀", "/tenants/%C3%A4%E2%82%AC%F0%9F%98%80/orders"],
    [42, "/tenants/42/orders"],
    ["a?b#c", "/tenants/a%3Fb%23c/orders"],
    ["..", "attribute_mismatch"],
    [".", "attribute_mismatch"],
    ["../admin", "attribute_mismatch"],
    ["a/b", "attribute_mismatch"],
    ["a\\b", "attribute_mismatch"],
    ["a\r\nX: y", "attribute_mismatch"],
    ["a\0", "attribute_mismatch"],
    ["\u0085", "attribute_mismatch"],
    ["a;b", "/tenants/a%3Bb/orders"],
    ["\ud800", "attribute_missing"],
    ["", "attribute_missing"],
    [["a"], "attribute_missing"],
    [undefined, "attribute_missing"],
    ["x".repeat(100_000), "attribute_mismatch"],
  ])("%j: %s", async (tenant, expected) => {
    expect(await sent(TENANT, "/orders", { tenant })).toBe(expected);
  });
});

describe("a query", () => {
  const query = (text: string) => route("/a", `{ query: ${text} }`);

  test.each([
    ["?b=1&a=2", "/a?a=2"],
    ["?B=1&b[]=2&b.x=3&%62=4&b%00=5&a", "/a?a"],
    ["?b", "/a"],
    ["", "/a"],
    // Services that read `;` as `&` find no b behind one; others get the value that they got.
    ["?x=1;b=2&y=1;z=2", "/a?x=1%3Bb=2&y=1;z=2"],
    ["?x;B[]=2", "/a?x%3BB[]=2"],
    ["?b;x=2", "/a?b%3Bx=2"],
  ])("without b, in whatever spelling: %s", async (sentQuery, expected) => {
    expect(await sent(query("{ remove: [b] }"), `/a${sentQuery}`)).toBe(expected);
  });

  test("what is set is the policy's alone", async () => {
    const set = query("{ set: { tenant: '{jwt.tenant}', mode: 'a b&c' } }");
    const claims = { tenant: "a&admin=1#ä" };
    expect(await sent(set, "/a?Tenant=evil&tenant[]=evil&x=1&_tenant=2", claims)).toBe(
      "/a?x=1&tenant=a%26admin%3D1%23%C3%A4&mode=a%20b%26c",
    );
    expect(await sent(set, "/a")).toBe("attribute_missing");
  });

  test("what gets another name is the only one of it", async () => {
    const rename = query("{ rename: { page: offset } }");
    expect(await sent(rename, "/a?page=1%20+&offset=9&OFFSET=8&page")).toBe("/a?offset=1%20+&offset");
    expect(await sent(rename, "/a?page=1;offset=9")).toBe("/a?offset=1%3Boffset=9");
    expect(await sent(rename, "/a?page=1;2")).toBe("/a?offset=1;2");
  });
});

describe("the place of another route", () => {
  const STRIP = "{ path: '/v1/**', public: true, rewrite: { prefix: { from: /v1, to: / } } }";
  const ADMIN = "{ path: '/admin/**', address: { deny: [192.0.2.0/24] }, public: true }";

  test("is not reached round its rules", async () => {
    for (const target of ["/v1/admin/users", "/v1/ADMIN/users", "/v1/admin", "/v1/%61dmin/users"])
      expect(await sent(`${STRIP}, ${ADMIN}`, target)).toBe("route_not_found");
    expect(await sent(`${STRIP}, ${ADMIN}`, "/v1/orders")).toBe("/orders");
  });

  test("also where that takes another method, or another host that the service is told", async () => {
    const post = "{ path: '/admin/**', methods: [POST], public: true }";
    expect(await sent(`${STRIP}, ${post}`, "/v1/admin/users")).toBe("route_not_found");
    const internal = "{ path: '/a/b', hosts: [internal.example], public: true }";
    const host =
      "{ path: '/a/**', hosts: [orders.example.org], public: true, rewrite: { host: 'internal.example:8080' } }";
    expect(await sent(`${internal}, ${host}`, "/a/b")).toBe("route_not_found");
    expect(await sent(`${internal}, ${host}, { path: /**, public: true }`, "/a/c")).toBe("/a/c");
  });

  test("is reached where the rewrite names it", async () => {
    const own = "{ path: '/v1/admin/{id}', public: true, rewrite: { path: '/admin/{id}' } }";
    const admin = "{ path: '/admin/{name}', public: true }, { path: /admin/root, public: true }";
    expect(await sent(`${own}, ${admin}`, "/v1/admin/7")).toBe("/admin/7");
    expect(await sent(`${own}, ${admin}`, "/v1/admin/root")).toBe("route_not_found");
    const rest = "{ path: /**, public: true }";
    expect(await sent(`${own}, ${rest}`, "/v1/admin/7")).toBe("/admin/7");
    const wide = "{ path: '/v1/{a}/{b}', public: true, rewrite: { path: '/{a}/{b}' } }";
    expect(await sent(`${wide}, { path: '/{a}/root', public: true }`, "/v1/x/root")).toBe("route_not_found");
  });
});

describe("a policy", () => {
  const problem = async (path: string, rewrite: string) =>
    (await problemsOf(policyWith(`routes: [${route(path, rewrite)}]`))).map((text) => text.replace(/^\S+ /, ""));

  test.each([
    ["/a", "{ path: /b, prefix: { from: /a, to: / } }", /both 'path' and 'prefix'/],
    ["/a", "{ path: '/b/**' }", /has no \*\* at its end/],
    ["/a/**", "{ path: '/b/**/c' }", /\*\* only at its end/],
    ["/a/{id}", "{ path: '/b/{ID}' }", /no attribute 'ID'/],
    ["/a/{id}", "{ path: '/b/{jwt.tenant' }", /expected text, \{parameter\}/],
    ["/a", "{ path: '/b/../c' }", /not canonical; expected '\/c'/],
    ["/a", "{ path: '/b//c' }", /without empty segments/],
    ["/a", "{ path: '/b%2Fc' }", /without escaped slashes/],
    ["/a", "{ path: '/b?x=1' }", /without \?/],
    ["/a", "{ path: 'b' }", /expected a path/],
    ["/a", "{ path: '/{body.x}' }", /forgotten after phase 'validate'/],
    ["/a", `{ path: '/{request.headers["authorization"]}' }`, /may be a credential/],
    ["/a", "{ query: { set: { x: '{request.cookies[\"sid\"]}' } } }", /may be a credential/],
    ["/a/b", "{ prefix: { from: /b, to: / } }", /does not begin with the segments of '\/b'/],
    ["/ab", "{ prefix: { from: /a, to: / } }", /does not begin/],
    ["/{a}/b", "{ prefix: { from: /a, to: / } }", /does not begin/],
    ["/a", "{ query: { rename: { m: _method } } }", /expected a parameter/],
    ["/a", "{ query: { set: { 'x-http-method-override': a } } }", /services read another method/],
    ["/a", "{ query: { rename: { a: x, b: X } } }", /'X' is written twice/],
    ["/a", "{ query: { rename: { a: x }, remove: [a] } }", /'a' is in 'rename', too/],
    ["/a", "{ host: 'Evil.example/x' }", /expected a host in lower case/],
    ["/a", "{ host: '{request.host}' }", /expected a host in lower case/],
    ["/a", "{ pathh: /b }", /unknown key 'pathh'; did you mean 'path'/],
  ])("%s with %s has a problem", async (path, rewrite, expected) => {
    const problems = await problem(path, rewrite);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });
});
