// Goal: what people bring along from other gateways, and what reads well and means something else, is named with its place.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { findTakenMethods } from "../../src/matching/taken-methods.ts";
import { atOnce } from "../../src/support/turns.ts";
import { policyWith, problemsOf, warningsOf } from "./policy-kit.ts";

describe("a parameter as Express writes it", () => {
  test.each([":id", ":id?", ":orderId(\\\\d+)"])("%s is a problem with its mend", async (segment) => {
    const name = /\w+/.exec(segment)?.[0];
    const text = policyWith(`routes: [{ path: "/v1/orders/${segment}", public: true }]`);
    const [problem] = await problemsOf(text);
    expect(problem).toMatch(/^6:18 '.+' is how Express names a parameter; expected \{/);
    expect(problem).toContain(`expected {${name}}`);
  });

  test("a colon that names nothing, as in a verb behind a name, is text", async () => {
    const text = policyWith(`routes: [{ path: "/v1/orders:batch/10:30", public: true }]`);
    expect(await problemsOf(text)).toEqual([]);
  });
});

describe("a header's value that looks as if it were filled in", () => {
  const warnings = (value: string) =>
    warningsOf(policyWith(`routes: [{ path: /, public: true, request: { setHeaders: { X-Who: '${value}' } } }]`));

  // biome-ignore lint/suspicious/noTemplateCurlyInString: what authors write in a policy
  test.each(["user {{ jwt.sub }}", "${request.id}", "{{claims[0]}}"])("%s is a warning", async (value) => {
    const filler = /\$?\{.*\}/.exec(value)?.[0];
    const [warning, ...others] = await warnings(value);
    expect(warning).toContain(`'${filler}' is not filled in`);
    expect(warning).toMatch(/^6:67 /);
    expect(others).toEqual([]);
  });

  test("in answers, too", async () => {
    const route = "{ path: /, public: true, response: { setHeaders: { X-Who: 'for {{claims.tenant}}' } } }";
    const [warning, ...others] = await warningsOf(policyWith(`routes: [${route}]`));
    expect(warning).toContain("'{{claims.tenant}}' is not filled in");
    expect(warning).toMatch(/^6:68 /);
    expect(others).toEqual([]);
  });

  test.each(["{claims.sub}", "{claims[0]}", "{jwt.sub"])(
    "%s in single braces is an attribute, or a text",
    async (value) => {
      const route = `routes: [{ path: /, public: true, request: { setHeaders: { X-Who: '${value}' } } }]`;
      const problems = await problemsOf(policyWith(route));
      expect(problems.map((text) => text.replace(/;.*/, ""))).toEqual(
        value.endsWith("}") ? [expect.stringMatching(/^6:67 .*(?:there is no attribute|is no attribute)/)] : [],
      );
    },
  );

  test.each(["prod", '{"a":1}', "a{}b"])("%s is not", async (value) => {
    expect(await warnings(value)).toEqual([]);
  });
});

describe("scopes that no caller with an API key has", () => {
  const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
  const keys = `callers:
  - { name: a, scopes: ['orders:read'], keys: [{ sha256: ${sha256("a")} }] }
  - { name: b, scopes: ['orders:write'], keys: [{ sha256: ${sha256("b")} }] }
`;
  const warnings = (scopes: string, file = keys) =>
    warningsOf(
      policyWith(`
authenticators: { keys: { type: api-key, header: X-Key, keys: k.yaml } }
routes:
  - { path: /a, authenticate: [keys], authorize: { scopes: ${scopes} } }`),
      { "k.yaml": file },
    );

  test("are a warning that names the first of them", async () => {
    expect(await warnings("['orders:read', 'orders:raed']")).toEqual([
      "8:60 no caller known by 'keys' has the scope 'orders:raed', so this can never be met by one",
    ]);
  });

  test("are none where somebody has them, and where there are no callers yet", async () => {
    expect(await warnings("['orders:write']")).toEqual([]);
    expect(await warnings("['orders:read']", "callers: []\n")).toEqual([]);
  });
});

describe("a limit by client address where a load balancer may stand before", () => {
  const warnings = (listener: string, key = "client.address") =>
    warningsOf(
      policyWith(`limits: { a: { rate: 5/second, key: ${key} } }\nroutes: [{ path: /, public: true, limit: [a] }]`, {
        listener: `{ name: inbound, ${listener} }`,
      }),
    );
  const open = "address: 0.0.0.0:8080, plaintext: allowed";

  test("is a warning until the policy says whose word of the client counts", async () => {
    expect(await warnings(open)).toEqual([
      "6:37 listener 'inbound' (line 3) names no trustedProxies, so behind a load balancer all clients count as one " +
        "address; expected its networks there, or [] where clients connect themselves",
    ]);
    expect(await warnings(open, "[client.address, route]")).toHaveLength(1);
    expect(await warnings(`${open}, trustedProxies: [10.0.0.0/8]`)).toEqual([]);
    expect(await warnings(`${open}, trustedProxies: []`)).toEqual([]);
    expect(await warnings(`${open}, proxyProtocol: { from: [10.0.0.0/8] }`)).toEqual([]);
  });

  test("is none on loopback, nor for another key", async () => {
    expect(await warnings("address: 127.0.0.1:8080")).toEqual([]);
    expect(await warnings(open, "route")).toEqual([]);
  });
});

describe("methods that a specific route takes from a broader one", () => {
  const warnings = (...routes: readonly string[]) =>
    warningsOf(policyWith(`routes:\n${routes.map((route) => `  - { public: true, ${route} }`).join("\n")}`));

  test("are a warning with both places", async () => {
    expect(await warnings("path: /v1/**", "path: '/v1/orders/{id}', methods: [GET]")).toEqual([
      "7:5 not of every path below it: '/v1/orders/{id}' at line 8 takes GET alone, and any other method is answered 405 there",
    ]);
    expect(
      await warnings("path: /v1/orders, methods: [GET]", "path: '/v1/{kind}', methods: [GET, HEAD, POST]"),
    ).toEqual([
      "8:5 not of every path below it: '/v1/orders' at line 7 takes GET alone, and POST is answered 405 there",
    ]);
  });

  test("are one warning for all paths of a broader route", async () => {
    const [warning, ...others] = await warnings("path: /**", "path: /a, methods: [GET]", "path: /b, methods: [GET]");
    expect(warning).toContain("so it is with 1 more of its paths");
    expect(others).toEqual([]);
  });

  test("are none where the routes of the path take them all together, or where no broader route would", async () => {
    const place = ["path: /v1/a, methods: [GET]", "path: /v1/a, methods: [POST]"];
    expect(await warnings("path: /v1/**, methods: [GET, POST]", ...place)).toEqual([]);
    expect(await warnings("path: /v1/**", "path: /v1/a, methods: [GET]", "path: /v1/a")).toEqual([]);
    expect(await warnings("path: '/{a}/b'", "path: /a/c, methods: [GET]")).toEqual([]);
    expect(await warnings("path: /v1/**, methods: [GET]", "path: /v1/a, methods: [GET]")).toEqual([]);
  });

  test("count by host: what is for all hosts is broader than what one has", async () => {
    const own = "path: /a, methods: [GET], hosts: [api.example.org]";
    expect(await warnings("path: /a", own)).toHaveLength(1);
    expect(await warnings("path: /**, hosts: [other.example.org]", own)).toEqual([]);
  });

  test("paths of many parameters cost no more than their number", () => {
    // Each of 12 segments is text or parameter in every combination: a search that tried both everywhere would see all.
    const routes = Array.from({ length: 1 << 12 }, (_, bits) => ({
      template: `/${Array.from({ length: 12 }, (_, at) => ((bits >> at) & 1 ? "a" : `{p${at}}`)).join("/")}/${bits}`,
      methods: ["GET"],
      hosts: [],
    }));
    expect(atOnce(findTakenMethods(routes))).toEqual([]);
  });
});

describe("what stands in place of a word or a path", () => {
  const problems = (section: string) => problemsOf(policyWith(`${section}\nroutes: [{ path: /a, public: true }]`));

  test("a path of a budget without its $, and no estimate", async () => {
    const budget = "{ budget: 5/day, key: client.address, cost: { response: usage.total } }";
    const found = await problems(`limits: { a: ${budget} }`);
    expect(found).toEqual([
      expect.stringMatching(/^6:\d+ 'estimate' is missing/),
      expect.stringMatching(/^6:\d+ expected where the answer says what it cost/),
    ]);
  });

  test.each([
    ["[routenotfound]", "expected a reason for which a client is refused; did you mean 'route_not_found'?"],
    ["[404]", "expected a reason for which a client is refused; policies/REFERENCE.md lists them"],
  ])("a ban on %s", async (on, text) => {
    const ban = `{ on: ${on}, times: 5, key: client.address, for: 1m }`;
    const found = await problems(`bans: { b: ${ban} }`);
    expect(found).toEqual([
      expect.stringContaining(text),
      expect.stringContaining("expected a count within a time, as in 20/minute"),
    ]);
  });
});

test("a schema that no body can fit, or of which one part refuses a member of another, is told where it is named", async () => {
  const named = (schema: string) => {
    const route = "{ path: /, public: true, methods: [POST], validate: { body: { schema: order.json } } }";
    return warningsOf(policyWith(`routes: [${route}]`), { "order.json": schema });
  };
  expect(await named('{ "type": "integer", "minimum": 2, "maximum": 1 }')).toEqual([
    "6:80 'order.json': no body can fit: no number is above its minimum and below its maximum",
  ]);
  const closed = '{ "allOf": [{ "properties": { "a": {} } }, { "properties": {}, "additionalProperties": false }] }';
  expect(await named(closed)).toEqual([expect.stringContaining("'order.json': no body can have 'a'")]);
});
