import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Limit } from "../../src/filters/filter.ts";
import { limitFilter } from "../../src/filters/limit/compile.ts";
import { prepareKeys } from "../../src/filters/limit/key-language.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import type { JsonObject } from "../../src/support/json.ts";
import { compileFilter, createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { ask, compileLimit, limitOf } from "./limit-kit.ts";

const tables = () => new RateTables([1, 2], { monotonicMs: () => 0 });
const one = (key: unknown, more: Readonly<Record<string, unknown>> = {}): Limit =>
  limitOf("perKey", { rate: "1/hour", key, ...more }, tables());
const passes = (limit: Limit, exchange: Exchange, template?: string): boolean =>
  ask(limit, exchange, template) === null;

const header = (...values: string[]) => createExchange({ headers: values.map((value) => ["x-tenant", value]) });
const cookies = (value: string) => createExchange({ headers: [["cookie", value]] });
const query = (text: string) => createExchange({ query: text });
const claims = (more: JsonObject) => createExchange({ principal: createPrincipal({ claims: more }) });

describe("whatever the attribute table has can be a key", () => {
  test.each<[unknown, Exchange, Exchange]>([
    ['request.headers["X-Tenant"]', header("acme"), header("umbrella")],
    ['request.cookies["session"]', cookies("a=1; session=x"), cookies("session=y; a=1")],
    ["query.key", query("?key=a"), query("?key=b")],
    ["jwt.tenant", claims({ tenant: "acme" }), claims({ tenant: "umbrella" })],
    ["jwt.org.id", claims({ org: { id: 7 } }), claims({ org: { id: 8 } })],
    ["jwt.groups", claims({ groups: ["a", "b"] }), claims({ groups: ["ab"] })],
    ["jwt.trial", claims({ trial: true }), claims({ trial: false })],
    [
      "principal.id",
      createExchange({ principal: createPrincipal({ id: "a" }) }),
      createExchange({ principal: createPrincipal({ id: "b" }) }),
    ],
    ["request.method", createExchange({ method: "GET" }), createExchange({ method: "POST" })],
    ["request.host", createExchange({ authority: "a.example" }), createExchange({ authority: "b.example" })],
  ])("%j", (key, first, second) => {
    const limit = one(key, { absent: "deny" });
    expect([passes(limit, first), passes(limit, first), passes(limit, second)]).toEqual([true, false, true]);
    expect(limit.explain(first, "/v1")).toMatch(/^rate 1\/hour, burst 1 for .+, counted by this process/);
  });

  test.each([
    ["rate 1/hour, burst 1", { rate: "1/hour" }],
    ["quota 5/hour, 2 each", { quota: "5/hour", cost: 2 }],
    ["budget 5 units/hour", { budget: "5/hour", cost: 1 }],
    ["concurrency 5", { concurrency: 5 }],
    ["bandwidth 1KiB/s of responses, burst 1024 bytes", { bandwidth: "1KiB/s" }],
  ])("explain says of %s that a request without its key is not limited", (words, definition) => {
    const key = { key: "jwt.tenant", absent: "unlimited" };
    const limit = limitOf("perTenant", { ...definition, ...key }, tables());
    const nobody = createExchange();
    expect(passes(limit, nobody)).toBe(true);
    expect(limit.explain(nobody, "/v1")).toBe(`${words}: not limited, for jwt.tenant is absent`);
    expect(limit.explain(claims({ tenant: "acme" }), "/v1")).toContain(`${words} for `);
  });

  test.each([
    ["principal", createExchange({ principal: createPrincipal({ id: 'a "b"' }) })],
    ["principal", createExchange({ peer: "192.0.2.1" })],
    ["client.address", createExchange({ peer: "2001:db8:1:2:3::4" })],
    ["jwt.tenant", claims({ tenant: "acme" })],
    ["jwt.tenant", claims({ tenant: 42 })],
    ["route", null],
    [["principal", "route"], null],
  ])("%j: what people call it is the key, where that says it", (key, exchange) => {
    const reader = one(key, { absent: "deny" }).key?.reader;
    const label = reader?.describe(exchange ?? createExchange(), "/v1") ?? "";
    expect(reader?.textOf(label)).toBe(exchange === null ? null : reader?.text(exchange, "/v1"));
    expect(reader?.textOf(label.slice(label.indexOf(" ") + 1))).toBe(reader?.textOf(label));
  });

  test("a parameter of the path, decoded, as each route has it", () => {
    const limit = one("path.order");
    const { problems } = compileFilter(limitFilter, ["perKey"], {
      limits: new Map([["perKey", limit]]),
      template: "/v1/{tenant}/{order}",
    });
    expect(problems).toEqual([]);
    const order = (id: string) => createExchange({ params: ["acme", id] });
    const template = "/v1/{tenant}/{order}";
    expect([passes(limit, order("1"), template), passes(limit, order("%31"), template)]).toEqual([true, false]);
    expect(passes(limit, order("2"), template)).toBe(true);
  });

  test("a route without the parameter is a problem where it names the limit", () => {
    const limits = new Map([["perKey", one("path.order")]]);
    const { problems } = compileFilter(limitFilter, ["perKey"], { limits, template: "/v1/{orderId}" });
    expect(problems).toEqual([
      { path: "limit[0]", text: expect.stringMatching(/'perKey' cannot count here: .*no parameter 'order'/) },
    ]);
  });

  test("an expression, whose parts cannot be shifted into one another by who writes it well", async () => {
    const key = { expression: 'jwt.sub + "/" + request.method' };
    await prepareKeys({ key });
    const limit = one(key, { absent: "deny" });
    const as = (sub: string, method: string) =>
      createExchange({ method, principal: createPrincipal({ claims: { sub } }) });
    expect([passes(limit, as("a", "GET")), passes(limit, as("a", "GET")), passes(limit, as("a", "POST"))]).toEqual([
      true,
      false,
      true,
    ]);
    expect(ask(limit, createExchange())).toMatchObject({ reason: "limit_key_missing" });
    expect(limit.phase).toBe("limit");
  });

  test("an expression that looks at the path is read anew for each route", async () => {
    const key = { expression: "path.id + route" };
    await prepareKeys({ key });
    const limit = one(key, { absent: "deny" });
    for (const template of ["/a/{id}", "/b/{x}/{id}"]) {
      const limits = new Map([["perKey", limit]]);
      expect(compileFilter(limitFilter, ["perKey"], { limits, template }).problems).toEqual([]);
    }
    expect(passes(limit, createExchange({ params: ["1"] }), "/a/{id}")).toBe(true);
    expect(passes(limit, createExchange({ params: ["1"] }), "/a/{id}")).toBe(false);
    expect(passes(limit, createExchange({ params: ["0", "1"] }), "/b/{x}/{id}")).toBe(true);
    expect(passes(limit, createExchange({ params: ["7", "1"] }), "/b/{x}/{id}")).toBe(false);
  });

  test("a number and its text are one, and so is no other pair", () => {
    const limit = one("jwt.tenant", { absent: "deny" });
    expect(passes(limit, claims({ tenant: 42 }))).toBe(true);
    expect(passes(limit, claims({ tenant: "42" }))).toBe(false);
    expect(passes(limit, claims({ tenant: "042" }))).toBe(true);
    expect(passes(limit, claims({ tenant: ["42"] }))).toBe(true);
    expect(passes(limit, claims({ tenant: true }))).toBe(true);
    expect(passes(limit, claims({ tenant: "true" }))).toBe(true);
  });

  test.each([
    { tenant: "" },
    { tenant: null },
    { tenant: {} },
    { tenant: [] },
    { tenant: [["a"]] },
    { tenant: 2 ** 53 },
    { tenant: Array.from({ length: 65 }, (_, at) => `${at}`) },
  ])("%j is no key", (value) => {
    expect(ask(one("jwt.tenant", { absent: "deny" }), claims(value as JsonObject))).toBeInstanceOf(Denial);
  });

  test.each([
    [56, "2001:db8:0:100::1", "2001:db8:0:1ff::1", "2001:db8:0:200::1"],
    [48, "2001:db8:1::1", "2001:db8:1:ffff::1", "2001:db8:2::1"],
    [64, "2001:db8::1", "2001:db8::ffff:0:1", "2001:db8:0:1::1"],
    [128, "2001:db8::1", "2001:db8::1", "2001:db8::2"],
    [32, "2001:db8::1", "2001:db8:ffff::1", "2001:db9::1"],
  ])("of IPv6 the first %d bits are one client", (ipv6Prefix, first, same, other) => {
    const limit = one("client.address", { ipv6Prefix });
    const [a, b, c] = [first, same, other].map((peer) => passes(limit, createExchange({ peer })));
    expect([a, b, c]).toEqual([true, false, true]);
  });
});

describe("a part of the key is absent", () => {
  const key = ["jwt.tenant", "route"];

  test("the policy has to say what becomes of the request", () => {
    const { limit, problems } = compileLimit("perKey", { rate: "1/hour", key }, tables());
    expect(limit).toBeNull();
    expect(problems).toEqual([{ path: "limits.perKey.key", text: expect.stringContaining("expected 'absent'") }]);
  });

  test("deny: the log learns which part, the client nothing", () => {
    expect(ask(one(key, { absent: "deny" }), createExchange())).toMatchObject({
      reason: "limit_key_missing",
      seen: "jwt.tenant (absent)",
      headers: [],
    });
  });

  test("unlimited: it is not counted at all", () => {
    const limit = one(key, { absent: "unlimited" });
    const exchange = createExchange();
    expect([passes(limit, exchange), passes(limit, exchange), exchange.taken]).toEqual([true, true, null]);
    expect([passes(limit, claims({ tenant: "a" })), passes(limit, claims({ tenant: "a" }))]).toEqual([true, false]);
  });

  test("another key: it is counted by that, and never beside who has the first", () => {
    const limit = one("jwt.address", { absent: { key: "client.address" } });
    expect([passes(limit, createExchange()), passes(limit, createExchange())]).toEqual([true, false]);
    expect(passes(limit, createExchange({ peer: "192.0.2.99" }))).toBe(true);
    expect(passes(limit, claims({ address: "192.0.2.7" }))).toBe(true);
    expect(limit.explain(createExchange(), "/v1")).toContain("client.address 192.0.2.7");
  });

  test("the other key may not be absent as well", () => {
    const { problems } = compileLimit("x", { rate: "1/hour", key, absent: { key: "jwt.sub" } }, tables());
    expect(problems).toEqual([{ path: "limits.x.absent.key", text: expect.stringContaining("may be absent as well") }]);
  });

  test.each<[string, unknown]>([
    ["a header on two lines", header("acme", "invented")],
    ["a parameter that comes twice", query("?x-tenant=acme&x-tenant=invented")],
    ["a cookie that comes twice", cookies("x-tenant=acme; x-tenant=invented")],
  ])("%s is no way out of the limit: the service may believe either", (_, exchange) => {
    const parts = ['request.headers["x-tenant"]', "query.x-tenant", 'request.cookies["x-tenant"]'];
    for (const absent of ["unlimited", { key: "client.address" }, "deny"]) {
      const verdicts = parts.map((part) => ask(one(part, { absent }), exchange as Exchange));
      expect(verdicts.map((verdict) => verdict?.seen)).toContainEqual(expect.stringContaining("more than one reading"));
    }
  });
});

describe("what cannot be a key", () => {
  test.each([
    ["client.adress", /no attribute 'client.adress'/],
    ["request.headers[x]", /no attribute/],
    ["now", /another at each request/],
    ["body.tenant", /not known yet where limits are asked/],
    ['request.headers["x y"]', /no name of a header/],
  ])("%s", (key, text) => {
    const { limit, problems } = compileLimit("x", { rate: "1/hour", key, absent: "deny" }, tables());
    expect(limit).toBeNull();
    expect(problems).toEqual([{ path: "limits.x.key", text: expect.stringMatching(text) }]);
  });

  test.each([
    ["jwt.", /./],
    ["1 + 2", /looks at no attribute/],
    ["body.tenant", /not known yet/],
  ])("the expression %s", async (expression, text) => {
    await prepareKeys({ expression });
    const { problems } = compileLimit("x", { rate: "1/hour", key: { expression }, absent: "deny" }, tables());
    expect(problems).toEqual([
      { path: expect.stringMatching(/^limits\.x\.key\.expression/), text: expect.stringMatching(text) },
    ]);
  });
});

describe("the key as text", () => {
  test("is one for each key, and says nothing of an address but its network", () => {
    const text = (key: unknown, exchange: Exchange, template = "/v1") =>
      one(key, { absent: "deny" }).key?.reader.text(exchange, template);
    expect(text("client.address", createExchange({ peer: "2001:db8::7" }))).toBe("2001:db8::/64");
    expect(text("client.address", createExchange())).toBe("192.0.2.7");
    expect(text(["principal", "route"], claims({}), "/a b")).toBe('"okta/alice" "/a b"');
    expect(text(["jwt.a", "jwt.b"], claims({ a: 'x" "y', b: "z" }))).toBe('"x\\" \\"y" "z"');
    expect(text("jwt.a", claims({ a: 1 }))).toBe('"1"');
    expect(text("jwt.a", createExchange())).toBeNull();
    expect(text("client.address", createExchange({ peer: "192.0.2.8" }))).not.toBe(text("principal", createExchange()));
  });
});
