// Goal: what postern answers itself is what the policy says, behind all checks, and a redirect leads nowhere that a client or a token chooses.
// Method: compiled policies; the answers of their routes, asked for with what attackers bring.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { policyWith, problemsOf, routeOf, snapshotOf, warningsOf } from "../policy/policy-kit.ts";

const policy = (path: string, keys: string): string =>
  policyWith(`routes: [{ path: '${path}', public: true, ${keys} }]`);

interface Asked {
  readonly path?: string;
  readonly params?: readonly string[];
  readonly query?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

async function answer(template: string, keys: string, { claims = {}, query = "", ...asked }: Asked = {}) {
  const route = routeOf(await snapshotOf(policy(template, keys)), template);
  const exchange = createExchange({ path: template, ...asked, principal: createPrincipal({ claims }) });
  const given = route.answer?.give(exchange, query);
  if (given === undefined || given instanceof Denial) return given?.reason;
  const { status, headers, body } = given;
  return {
    status,
    headers: Object.fromEntries(headers.names.map((name, at) => [name, headers.values[at]])),
    body: `${body}`,
  };
}

async function location(template: string, redirect: string, asked: Asked = {}): Promise<string | undefined> {
  const given = await answer(template, `redirect: ${redirect}`, asked);
  return typeof given === "object" ? given.headers["location"] : given;
}

describe("a canned answer", () => {
  test.each([
    ["{}", { status: 200, headers: {}, body: "" }],
    [
      "{ json: { a: [1, null] } }",
      { status: 200, headers: { "content-type": "application/json" }, body: '{"a":[1,null]}' },
    ],
    ["{ json: null }", { status: 200, headers: { "content-type": "application/json" }, body: "null" }],
    [
      "{ status: 410, body: gone }",
      { status: 410, headers: { "content-type": "text/plain; charset=utf-8" }, body: "gone" },
    ],
    [
      "{ headers: { Content-Type: text/html, X-A: b }, body: 'ä' }",
      { status: 200, headers: { "content-type": "text/html", "x-a": "b" }, body: "ä" },
    ],
    ["{ status: 204 }", { status: 204, headers: {}, body: "" }],
  ])("%s", async (settings, expected) => {
    expect(await answer("/a", `respond: ${settings}`)).toEqual(expected);
  });
});

describe("a redirect", () => {
  test.each([
    ["/a/{id}", "{ to: 'https://b.example/x/{id}' }", { params: ["7"] }, "https://b.example/x/7"],
    [
      "/a/{id}",
      "{ to: 'https://b.example:8443/{id}' }",
      { params: ["a%20b+%C3%A4"] },
      "https://b.example:8443/a%20b+%C3%A4",
    ],
    ["/a/**", "{ to: 'https://b.example/**' }", { path: "/a/x/y/" }, "https://b.example/x/y/"],
    ["/a", "{ to: 'https://b.example' }", { query: "?x=1&y=%20" }, "https://b.example/?x=1&y=%20"],
    ["/a", "{ to: 'https://b.example', query: drop }", { query: "?x=1" }, "https://b.example/"],
    [
      "/a",
      "{ to: '/b?x={jwt.tenant}#{jwt.tenant}' }",
      { query: "?x=2", claims: { tenant: "a&b#ä" } },
      "/b?x=a%26b%23%C3%A4#a%26b%23%C3%A4",
    ],
    ["/a", "{ to: /b }", {}, "/b"],
  ])("%s, %s", async (template, redirect, asked, expected) => {
    expect(await location(template, redirect, asked)).toBe(expected);
  });

  test.each([
    ["//evil.example"],
    ["/evil.example"],
    ["\\evil.example"],
    [".."],
    ["..\\..\\evil"],
    ["https://evil.example"],
    ["x\r\nSet-Cookie: a=b"],
    ["\t/evil.example"],
  ])("a claim %j leads nowhere else", async (tenant) => {
    const found = await location("/a", "{ to: '/{jwt.tenant}/x' }", { claims: { tenant } });
    expect(found).toBe("attribute_mismatch");
    const query = await location("/a", "{ to: '/b?next={jwt.tenant}' }", { claims: { tenant } });
    expect(query).toBe(`/b?next=${encodeURIComponent(tenant)}`);
  });

  test("a claim with @, : or ? is text behind the host", async () => {
    const found = await location("/a", "{ to: 'https://b.example/{jwt.tenant}' }", {
      claims: { tenant: "@evil.example:80?#" },
    });
    expect(found).toBe("https://b.example/%40evil.example%3A80%3F%23");
    expect(new URL(found ?? "").host).toBe("b.example");
  });

  test("no rest of a path becomes a host, though the route keeps empty segments", async () => {
    const keys = "keepInPaths: [emptySegments, encodedSlashes], redirect: { to: /** }";
    expect(await answer("/a/**", keys, { path: "/a//evil.example" })).toBe("target_ambiguous");
    expect(await answer("/a/**", keys, { path: "/a/%2Fevil.example" })).toBe("target_ambiguous");
  });

  test("without the attribute that it names there is none", async () => {
    for (const to of ["/{jwt.tenant}", "/b?x={jwt.tenant}", "/b#{jwt.tenant}"])
      expect(await location("/a", `{ to: '${to}' }`)).toBe("attribute_missing");
  });
});

describe("a policy", () => {
  const problems = async (path: string, keys: string) =>
    (await problemsOf(policy(path, keys))).map((text) => text.replace(/^\S+ /, ""));

  test.each([
    ["/a", "respond: { status: 301 }", /redirects are 'redirect'/],
    ["/a", "respond: { status: 100 }", /from 200 to 599/],
    ["/a", "respond: { status: 204, body: x }", /has no body/],
    ["/a", "respond: { body: x, json: 1 }", /both 'body' and 'json'/],
    ["/a", "respond: { headers: { Content-Length: '5' } }", /postern writes 'Content-Length' itself/],
    ["/a", "respond: { headers: { Location: /x } }", /expected 'redirect'/],
    ["/a", "respond: { headers: { X-A: '1', x-a: '2' } }", /set twice/],
    ["/a", "respond: {}, redirect: { to: /b }", /with 'respond' the service is not asked/],
    ["/a", "respond: {}, rewrite: { path: /b }", /with 'respond' the service is not asked/],
    ["/a", "redirect: { to: /b }, websocket: true", /with 'redirect' the service is not asked/],
    ["/a", "redirect: { to: /b }, responseTimeout: 5s", /with 'redirect' the service is not asked/],
    ["/a/{h}", "redirect: { to: 'https://{h}/' }", /with a fixed host/],
    ["/a/{h}", "redirect: { to: 'https://{h}.example.org/' }", /with a fixed host/],
    ["/a/{h}", "redirect: { to: 'https://b.example@{h}/' }", /with a fixed host/],
    ["/a/{h}", "redirect: { to: '//{h}/x' }", /empty segments/],
    ["/a/{h}", "redirect: { to: '//evil.example/x' }", /empty segments/],
    ["/a/{h}", "redirect: { to: '{h}' }", /with a fixed host/],
    ["/a", "redirect: { to: 'javascript:alert(1)' }", /with a fixed host/],
    ["/a", "redirect: { to: 'https://b.example\\evil' }", /with a fixed host/],
    ["/a", "redirect: { to: 'https://b.example/a b' }", /no request can have this path/],
    ["/a", "redirect: { to: 'https://b.example/?a b' }", /characters of a URL/],
    ["/a/{id}", "redirect: { to: '/b?x={id}' }", /no attribute 'id'/],
    ["/a/{id}", "redirect: { to: '/a/{id}' }", /leads to the route itself/],
    ["/a", "redirect: { to: '/b?x=1', query: keep }", /a query of its own/],
    ["/a", "redirect: { to: /b, status: 300 }", /expected 301, 302/],
    ["/a", "responseTimeout: 0s", /more than 0/],
  ])("%s with %s has a problem", async (path, keys, expected) => {
    const found = await problems(path, keys);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  test("is warned of http:", async () => {
    expect(await warningsOf(policy("/a", "redirect: { to: 'http://b.example/' }"))).toEqual([
      expect.stringMatching(/whoever sits on the way/),
    ]);
  });
});
