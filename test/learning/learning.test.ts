import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { knownOperations } from "../../src/learning/known-operations.ts";
import { Learner } from "../../src/learning/learner.ts";
import { lessonOf } from "../../src/learning/lesson.ts";
import { lessonSummary } from "../../src/learning/lesson-report.ts";
import type { DecisionFacts } from "../../src/records/decision-facts.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { caller, each, leftOutIn, lessonFrom, operationsIn, policyOf, textOf } from "./kit.ts";

const ACME = caller("acme");
const INITECH = caller("initech");
const TWO = [ACME, INITECH];
const CALLERS = Array.from({ length: 12 }, (_, at) => caller(`partner-${at}`));
const MANY = Array.from({ length: 12 }, (_, at) => `192.0.2.${at + 1}`);

type Requests = readonly Partial<DecisionFacts>[];

const orders = (times = 10): Requests =>
  each(TWO, times, (principal, at) => ({
    principal,
    path: `/v1/orders/${at}`,
    query: ["page"],
    shapes: ["integer:2"],
  }));

/** The routes of a learnt policy, as values. */
function routesOf(requests: Requests): readonly Record<string, Record<string, unknown>>[] {
  return parse(textOf(lessonFrom(requests)))["routes"];
}

describe("what callers ask for becomes routes", () => {
  test("with methods, types, bounds and who may", () => {
    const creating = each(TWO, 10, (principal) => ({
      principal,
      method: "POST",
      path: "/v1/orders",
      requestBytes: 3_000,
      headers: ["host", "content-type: application/json; charset=utf-8"],
    }));
    const [post, get] = routesOf([...orders(), ...creating]);
    expect(get).toEqual({
      path: "/v1/orders/{number}",
      methods: ["GET"],
      authenticate: ["partners"],
      authorize: { callers: ["acme", "initech"] },
      limit: ["learntPerCaller"],
      validate: {
        path: { number: { type: "integer", minimum: 0 } },
        unknownQuery: "refuse",
        query: { page: { type: "integer", minimum: 0, maximum: 999 } },
      },
    });
    expect(post?.["validate"]).toEqual({
      unknownQuery: "refuse",
      contentType: ["application/json"],
      body: { maxBytes: "8KiB" },
    });
  });

  test.each([
    [["uuid"], { type: "string", format: "uuid" }],
    [["boolean"], { type: "boolean" }],
    [["date-time"], { type: "string", format: "date-time" }],
    [["integer:3", "integer:-1"], { type: "integer", minimum: -99, maximum: 9999 }],
    [["integer:1", "decimal:2"], { type: "number", minimum: 0, maximum: 999 }],
    [["name:16", "empty"], { type: "string", maxLength: 32, pattern: "^[\\w.@~-]*$", allowEmptyValue: true }],
    [["text:64", "integer:2"], { type: "string", maxLength: 128 }],
  ])("values of %j", (shapes, schema) => {
    const requests = shapes.flatMap((shape) =>
      each(TWO, 10, (principal) => ({ principal, query: ["q"], shapes: [shape] })),
    );
    expect(routesOf(requests)[0]?.["validate"]?.["query"]).toEqual({ q: schema });
  });

  test("a parameter that stands there several times is a list", () => {
    const requests = each(TWO, 10, (principal) => ({
      principal,
      query: ["t", "t", "t"],
      shapes: ["name:8", "name:8", "name:8"],
    }));
    const list = { type: "array", items: { type: "string", maxLength: 16, pattern: "^[\\w.@~-]*$" }, maxItems: 8 };
    expect(routesOf(requests)[0]?.["validate"]?.["query"]).toEqual({ t: list });
  });

  test("a list of values only of words that several callers have sent, and that the policy shows", () => {
    const sent = (values: readonly string[]): Requests =>
      each(CALLERS, 2, (principal, at) => {
        const value = values[(at + Math.floor(at / CALLERS.length)) % values.length] ?? "";
        return { principal, query: ["sort"], shapes: ["name:8"], values: [value] };
      });
    const rule = (requests: Requests): unknown => routesOf(requests)[0]?.["validate"]?.["query"]?.["sort" as never];
    expect(rule(sent(["price", "name"]))).toEqual({ type: "string", enum: ["name", "price"] });
    const own = [
      ...sent(["price", "name"]),
      { principal: ACME, query: ["sort"], shapes: ["name:8"], values: ["hunter"] },
    ];
    // One caller's own is left out, and in no line.
    expect(rule(own)).toEqual({ type: "string", enum: ["name", "price"] });
    expect(leftOutIn(lessonFrom(own))).toContain("value 1 GET /orders/{number}: sort");
    expect(textOf(lessonFrom(own))).not.toContain("hunter");
    const others = [...own, { principal: INITECH, query: ["sort"], shapes: ["name:8"], values: ["fisher"] }];
    expect(JSON.stringify(rule(others))).not.toContain("enum");
  });

  test("scopes that all have; one caller without them does not take them out of the rule", () => {
    const read = CALLERS.map((one) => ({ ...one, scopes: ["openid", "orders:read", `only:${one.id}`] }));
    const lesson = (who: typeof read) => lessonFrom(each(who, 10, (principal) => ({ principal })));
    expect(lesson(read).routes[0]?.authorize).toEqual({ scopes: ["orders:read"] });
    const other = { ...caller("mallory"), scopes: ["openid"] };
    expect(lesson([...read, other]).routes[0]?.authorize).toEqual({ scopes: ["orders:read"] });
    expect(leftOutIn(lesson([...read, other]))).toEqual([
      "caller 10 GET /orders/{number}: callers without scope orders:read",
    ]);
    // Of three each may be as right as the others.
    expect(lesson([...read.slice(0, 2), other]).routes[0]?.authorize).toEqual({
      callers: ["mallory", "partner-0", "partner-1"],
    });
  });

  test("of more callers than are told apart what all have is known", () => {
    const many = Array.from({ length: 600 }, (_, at) => caller(`partner-${at}`, { scopes: ["orders:read"] }));
    expect(lessonFrom(many.map((principal) => ({ principal }))).routes[0]?.authorize).toEqual({
      scopes: ["orders:read"],
    });
  });

  test("identities of certificates", () => {
    const mesh = ["a", "b"].map((name) => {
      const spiffeId = `spiffe://example.org/${name}`;
      const principal = caller(spiffeId, { authenticator: "mesh", type: "client-certificate" });
      return { principal, certificate: { subject: "", issuer: "", fingerprint: name, untrusted: null, spiffeId } };
    });
    expect(lessonFrom(each(mesh, 10, (one) => one)).routes[0]?.authorize).toEqual({
      spiffeId: ["spiffe://example.org/a", "spiffe://example.org/b"],
    });
  });

  test("kinds of values at one place are one route", () => {
    const requests = each(TWO, 20, (principal, at) => {
      return { principal, path: at % 4 < 2 ? `/f/${at}` : "/f/0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1" };
    });
    expect(operationsIn(lessonFrom(requests))).toEqual(["GET /f/{value}"]);
  });
});

describe("what an attacker does opens nothing", () => {
  const sources = Array.from({ length: 5 }, (_, at) => `198.51.100.${at}`);
  const ask = (changes: Partial<DecisionFacts>): Requests =>
    each(sources, 100, (client) => ({ client, path: "/admin", ...changes }));

  test.each([
    ["denied", { verdict: "deny", status: 404, reason: "route_not_found" }],
    ["unanswered", { status: 404 }],
    ["unanswered", { status: 500 }],
    ["redirected", { status: 302 }],
    ["answered", { upstreamMs: null }],
    ["attack", { path: "/.git/config" }],
    ["attack", { path: "/a/%27%20or%201=1%20--" }],
    ["attack", { query: ["__proto__"] }],
    ["attack", { query: ["page", "filter[constructor][prototype][a]"] }],
    ["scanner", { headers: ["user-agent: sqlmap/1.8"] }],
    ["odd", { query: ["a b"] }],
    ["odd", { method: "GETT" }],
  ] as const)("%s: %j", (why, changes) => {
    const lesson = lessonFrom([...orders(), ...ask(changes)], policyOf({ "/**": { public: true } }));
    expect(operationsIn(lesson)).toEqual(["GET /v1/orders/{number}"]);
    expect(leftOutIn(lesson)).toMatchObject([expect.stringMatching(new RegExp(`^${why} 500 `))]);
  });

  test("many requests of one client are one client's", () => {
    const one = each([ACME], 5_000, (principal) => ({ principal, method: "DELETE", path: "/v1/everything" }));
    expect(leftOutIn(lessonFrom([...orders(), ...one]))).toEqual(["few_callers 5000 DELETE /v1/everything"]);
    const address = each(["2001:db8::"], 5_000, (net, at) => ({ client: `${net}${(at % 9_999) + 1}`, path: "/debug" }));
    expect(operationsIn(lessonFrom(address))).toEqual([]);
  });

  test("names that one caller makes up make no values of the names of others", () => {
    const word = (at: number): string => `w${"abcdefghijklmnop"[at % 16]}${"abcdefghijklmnop"[at >> 4]}`;
    const mine = Array.from({ length: 200 }, (_, at) => ({ principal: caller("mallory"), path: `/v1/${word(at)}` }));
    // Of another caller: few, as somebody has who exports once a day; and of all, the API's own.
    const rare = each([INITECH], 20, (principal, at) => ({ principal, path: `/v1/${["export", "report"][at % 2]}` }));
    const own = each(TWO, 10, (principal, at) => ({ principal, path: `/v1/o${"abcdefghij"[at >> 1]}rders` }));
    for (const requests of [
      [...mine, ...rare, ...own],
      [...rare, ...own, ...mine],
    ]) {
      const learnt = operationsIn(lessonFrom(requests, policyOf(), { requests: 1, callers: 2 }));
      expect(learnt.filter((one) => one.includes("{"))).toEqual([]);
      expect(learnt).toHaveLength(10);
    }
  });

  test("nor do they fill the list of what is left out, so that nobody reads the rest", () => {
    const word = (at: number): string => `w${"abcdefghijklmnop"[at % 16]}${"abcdefghijklmnop"[at >> 4]}`;
    const mine = Array.from({ length: 200 }, (_, at) => ({ principal: caller("mallory"), path: `/v1/${word(at)}` }));
    const rare = each([INITECH], 20, (principal) => ({ principal, path: "/v1/export" }));
    const lesson = lessonFrom([...mine, ...rare, ...orders()]);
    expect(textOf(lesson)).toContain("#     20 requests of 1 caller: GET /v1/export\n");
    expect(lessonSummary(lesson, 0)).toContain("  20 of 1  GET /v1/export\n");
  });

  test("nor do they take the room of others' parameters, and what has none is told", () => {
    const junk = Array.from({ length: 40 }, (_, at) => ({
      principal: caller("mallory"),
      path: "/v1/orders/1",
      query: Array.from({ length: 10 }, (_unused, nth) => `p${at}x${nth}`),
      shapes: Array.from({ length: 10 }, () => "integer:1"),
    }));
    const lesson = lessonFrom([...junk, ...orders(20)]);
    expect([...(lesson.routes[0]?.query?.keys() ?? [])]).toEqual(["page"]);
    expect(leftOutIn(lesson)).toContain("parameter 336 GET /v1/orders/{number}: others");
  });

  test("nor do they take away a list of words, or of media types", () => {
    const three = ["a", "b", "c"].map((id) => caller(id));
    const honest = each(three, 12, (principal, at) => ({
      principal,
      method: "POST",
      path: "/v1/orders",
      headers: ["content-type: application/json"],
      requestBytes: 100,
      query: ["sort"],
      shapes: ["name:8"],
      values: [["price", "name"][Math.floor(at / 3) % 2] ?? ""],
    }));
    const mine = Array.from({ length: 40 }, (_, at) => ({
      principal: caller("mallory"),
      method: "POST",
      path: "/v1/orders",
      headers: [`content-type: application/x-${at}`],
      requestBytes: 100,
      query: ["sort"],
      shapes: ["name:8"],
      values: [`other${"abcdefghij"[at % 10]}${"abcdefghij"[Math.floor(at / 10)]}`],
    }));
    for (const requests of [
      [...mine, ...honest],
      [...honest, ...mine],
    ]) {
      const [route] = lessonFrom(requests).routes;
      expect(route?.query?.get("sort")?.value).toEqual({ type: "string", enum: ["name", "price"] });
      expect(route?.contentType?.value).toEqual(["application/json"]);
    }
  });

  test("nor do they take a scope out of a rule, in however many ways the one is known", () => {
    const ways = Array.from({ length: 1024 }, (_, at) => {
      const scopes = Array.from({ length: 10 }, (_unused, bit) => `s${bit}`).filter(
        (_one, bit) => (at >> bit) % 2 === 1,
      );
      return { principal: caller("mallory", { type: "jwt", authenticator: "okta", scopes }), path: "/v1/orders/1" };
    });
    const users = Array.from({ length: 40 }, (_, at) => {
      return caller(`user-${at}`, { type: "jwt", authenticator: "okta", scopes: ["orders:read", `tenant-${at}`] });
    });
    const honest = each(users, 2, (principal) => ({ principal, path: "/v1/orders/1" }));
    for (const requests of [
      [...ways, ...honest],
      [...honest, ...ways],
    ]) {
      expect(lessonFrom(requests).routes[0]?.authorize).toEqual({ scopes: ["orders:read"] });
    }
  });

  test("nor do they widen a rule: a kind, a length, a parameter, a body", () => {
    const before = lessonFrom(orders(50)).routes[0];
    const wide = each([ACME], 500, (principal, at) => ({
      principal,
      path: "/v1/orders/1",
      query: ["page", "debug"],
      shapes: [at % 2 === 0 ? "text:1024" : "integer:15", "name:8"],
      requestBytes: 5_000_000,
    }));
    const lesson = lessonFrom([...orders(50), ...wide]);
    expect(lesson.routes[0]?.query?.get("page")?.value).toEqual(before?.query?.get("page")?.value);
    expect([...(lesson.routes[0]?.query?.keys() ?? [])]).toEqual(["page"]);
    expect(leftOutIn(lesson)).toEqual([
      "parameter 500 GET /v1/orders/{number}: debug",
      "value 250 GET /v1/orders/{number}: page",
    ]);
  });

  test("a flood by one caller is not the limit of all", () => {
    const flood = each([ACME], 3_000, (principal) => ({
      principal,
      path: "/v1/orders/1",
      atMs: Date.UTC(2026, 10, 2),
    }));
    const { limits, leftOut } = lessonFrom([...orders(100), ...flood]);
    expect(limits[0]).toMatchObject({ name: "learntPerCaller", key: "principal", rate: { peak: 300, perMinute: 600 } });
    expect(leftOut.map(({ why, what }) => `${why} ${what}`)).toContain("limit learntPerCaller");
  });

  test("who asks for everything scans, and what it finds is left out too", () => {
    const words = "abcdefghijklmnopqrstuvwxyz".split("");
    const scan = words.map((word) => ({
      client: "198.51.100.9",
      path: `/${word}${word}`,
      status: word > "s" ? 200 : 404,
    }));
    const lesson = lessonFrom([...orders(), ...scan, ...scan], policyOf(), { requests: 1, callers: 1 });
    expect(operationsIn(lesson)).toEqual(["GET /v1/orders/{number}"]);
  });

  test("however much a scanner tries, operations that are left out for another reason are named", () => {
    const words = "abcdefghijklmnopqrstuvwxyz".split("");
    const names = words.flatMap((first) => words.map((second) => `/x${first}${second}`));
    const scan = names.map((path) => ({ client: "198.51.100.9", path, status: 404 }));
    expect(scan.length).toBeGreaterThan(DEFAULTS.learnLeftOutMax);
    const rare = each([INITECH], 20, (principal) => ({ principal, path: "/v1/export" }));
    const told = leftOutIn(lessonFrom([...scan, ...orders(), ...rare]));
    expect(told).toContainEqual(expect.stringMatching(/^scanner \d+ others$/));
    expect(told).toContain("few_callers 20 GET /v1/export");
  });

  test("a learnt parameter takes no paths of a route that is gone", () => {
    const policy = policyOf({
      "/v1/**": { authenticate: ["partners"] },
      "/v1/admin/**": { authenticate: ["okta"] },
      "/v2/admin/**": { authenticate: ["okta"] },
    });
    const users = Array.from(
      { length: 70 },
      (_, at) => `u${"abcdefghij"[at % 10]}${"abcdefghij"[Math.floor(at / 10)]}x`,
    );
    const requests = users.flatMap((name) => TWO.map((principal) => ({ principal, path: `/v1/${name}/1` })));
    const lesson = lessonFrom(requests, policy);
    expect(operationsIn(lesson)).toEqual(["GET /v1/{slug}/{number}"]);
    expect(lesson.whole.map(({ template }) => template)).toEqual(["/v1/admin/**"]);
    expect(textOf(lesson, policy)).toContain('  - path: "/v1/admin/**"\n    authenticate: [okta]\n');
  });
});

describe("what a record holds stays text", () => {
  const EVIL = 'x"\n\u2028\u202e- path: /evil\n  public: true # }]: &a *b !!js |> %\ttrue';

  test("wherever it stands", () => {
    const who = [0, 1].map((at) => caller(`${at}${EVIL}`, { scopes: [EVIL], groups: [EVIL], roles: [EVIL] }));
    const requests = each(who, 20, (principal) => ({
      principal,
      path: "/v1/x",
      method: "POST",
      query: ["yes", "null", "a[b]"],
      shapes: ["name:8", "text:8", "text:8"],
      requestBytes: 10,
      headers: ["content-type: text/#x*"],
    }));
    const lesson = lessonFrom([...requests, ...each(TWO, 3, (principal) => ({ principal, path: `/${EVIL}/%0a%23` }))]);
    const text = textOf(lesson);
    const { routes } = parse(text);
    expect(routes).toHaveLength(lesson.routes.length);
    for (const line of text.split("\n")) expect(line).toMatch(/^[\x20-\x7e\p{L}\p{N}\p{M}\p{P}\p{S}]*$/u);
    expect(text.match(/^ *(?:- )?(?:path: \/evil|public)/gm)).toBe(null);
    expect(parse(text)).not.toHaveProperty("public");
  });

  test("values, secrets and names of people are in no line", () => {
    const secret = "hunter2-Sup3rSecretValue";
    const people = ["alice", "bob", "carol", "dave", "erin", "frank"];
    const requests = people.flatMap((name) =>
      each([caller(`${name}@example.org`, { authenticator: "okta", type: "jwt" })], 12, (principal) => ({
        principal,
        path: `/users/${name}/cards/${secret}`,
        query: ["q"],
        shapes: ["text:32"],
        values: [secret],
      })),
    );
    const lesson = lessonFrom(requests);
    expect(operationsIn(lesson)).toEqual(["GET /users/{slug}/cards/{token}"]);
    const text = textOf(lesson);
    for (const word of [...people, secret, "hunter2"]) expect(text).not.toContain(word);
  });
});

describe("the same traffic gives the same policy", () => {
  const noise: Requests = [
    ...each(MANY, 2, (client) => ({ client, path: "/.env" })),
    ...each([ACME], 30, (principal) => ({ principal, path: "/v1/own" })),
  ];
  const traffic: Requests = [
    ...orders(),
    ...each(CALLERS, 4, (principal, at) => ({ principal, path: `/v1/reports/${at % 2 === 0 ? "daily" : "weekly"}` })),
    ...noise,
  ].map((one, at) => ({ ...one, atMs: Date.UTC(2026, 10, 1) + at * 1000, oneIn: 2 }));

  test("in any order", () => {
    const shuffled = traffic.toSorted((a, b) => (((a.atMs ?? 0) * 7919) % 1009) - (((b.atMs ?? 0) * 7919) % 1009));
    expect(textOf(lessonFrom(shuffled))).toBe(textOf(lessonFrom(traffic)));
  });

  test("and so does what it lets through", () => {
    const routes = (requests: Requests): string =>
      textOf(lessonFrom(requests))
        .replace(/^# Learnt.*$|^# Left out[\s\S]*|^# Nothing.*/gm, "")
        .trim();
    expect(routes(traffic.slice(0, -noise.length))).toBe(routes(traffic));
  });
});

test("kinds that the inventory tells apart at one place are one route, with the record or without it", () => {
  const row = { status: "undeclared", route: "/**", method: "GET", findings: [], anonymous: 0, callersMore: 0 };
  const many = { ...row, confirmed: 40, callers: [{}, {}], first: "2026-01-01", confirmedLast: "2026-10-01" };
  const rows = ["/v1/orders/{number}", "/v1/orders/{uuid}", "/v1/orders/{text}", "/f/{number}", "/f/{uuid}"].map(
    (path, at) => ({ ...many, path, confirmed: 40 + at }),
  );
  const known = knownOperations(Buffer.from(JSON.stringify({ operations: rows })));
  if (!known.ok) throw new Error(known.error);
  const policy = policyOf();
  const learner = new Learner(policy);
  expect(operationsIn(lessonOf(learner, policy, { requests: 10, callers: 2 }, known.value))).toEqual([
    "GET /f/{number}",
    "GET /v1/orders/{number}",
  ]);
  const lesson = lessonFrom(orders(), policy, { requests: 10, callers: 2 }, known.value);
  expect(operationsIn(lesson)).toEqual(["GET /f/{number}", "GET /v1/orders/{number}"]);
});

test("the inventory remembers what the record has no longer", () => {
  const operation = { status: "undeclared", route: "/**", method: "GET", findings: [], anonymous: 0, callersMore: 0 };
  const rows = [
    {
      ...operation,
      path: "/v1/yearly",
      confirmed: 40,
      callers: [{}, {}],
      first: "2026-01-01T00:00:00Z",
      confirmedLast: "2026-10-01T00:00:00Z",
    },
    { ...operation, path: "/v1/once", confirmed: 1, callers: [{}] },
    // Names of whoever asked for most, and one that was always the API's.
    { ...operation, path: "/v1/{slug}", confirmed: 400, callers: [{}, {}, {}], callersMore: 1e12 },
    { ...operation, path: "/wp-admin", status: "probed", confirmed: 0, callers: [{}, {}] },
    { ...operation, path: "/elsewhere", route: "/gone/**", confirmed: 99, callers: [{}, {}] },
  ];
  const known = knownOperations(Buffer.from(JSON.stringify({ operations: rows })));
  if (!known.ok) throw new Error(known.error);
  const policy = policyOf();
  const lesson = lessonOf(new Learner(policy), policy, { requests: 10, callers: 2 }, known.value);
  expect(operationsIn(lesson)).toEqual(["GET /v1/yearly"]);
  expect(leftOutIn(lesson)).toContain("names 400 GET /v1/{slug}");
  expect(textOf(lesson, policy)).toContain(
    "# not in the record; by the inventory 40 requests of 2 callers, 2026-01-01 … 2026-10-01",
  );
  expect(knownOperations(Buffer.from("[]")).ok).toBe(false);
});
