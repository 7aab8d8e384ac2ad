// Goal: each kind of change to a policy is told with the right direction, route and caller, by a request that shows it.
import { expect, test } from "vitest";
import { answerTo, type Question } from "../../src/comparison/questions.ts";
import { AUTHENTICATORS, compared, ENTRA } from "./kit.ts";

const route = (keys: string, path = "/orders/{id}"): string => `  - { path: "${path}", ${keys} }\n`;
const routes = (...list: readonly string[]): string => `${AUTHENTICATORS}routes:\n${list.join("")}`;
const ENTRA_TOO = (one: string): string => `${AUTHENTICATORS}${ENTRA}routes:\n${one}`;
const OPEN = route("public: true, methods: [GET]", "/open");
const jwt = (authorize: string): string =>
  routes(route(`methods: [GET], authenticate: [okta], authorize: ${authorize}`), OPEN);

/** `kind METHOD route: who` of what opens or closes, and `what: direction` of what only the text shows. */
async function told(before: string, after: string): Promise<readonly string[]> {
  const { differences, changes } = await compared(before, after);
  return [
    ...differences
      .filter(({ kind }) => kind !== "refused")
      .map(
        ({ kind, methods, route: template, identities }) =>
          `${kind} ${methods.join("|")} ${template}: ${identities[0]}`,
      ),
    ...changes.map(({ what, direction, details }) => `${direction} ${what}: ${details.join("; ")}`),
  ];
}

const CASES: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["nothing", routes(OPEN), routes(OPEN), []],
  [
    "a route more",
    routes(OPEN),
    routes(OPEN, route("public: true, methods: [GET]")),
    ["opened GET /orders/{id}: nobody"],
  ],
  [
    "a route less",
    routes(OPEN, route("public: true, methods: [POST]")),
    routes(OPEN),
    ["closed POST /orders/{id}: nobody"],
  ],
  [
    "a stricter route before a wide one",
    routes(route("public: true", "/**")),
    routes(route("public: true", "/**"), route("authenticate: [okta]", "/admin")),
    [
      "tightened GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS /admin: nobody",
      "sent GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS /admin: { jwt: {} }",
    ],
  ],
  [
    "a scope more",
    jwt("{ scopes: [a] }"),
    jwt("{ scopes: [a, b] }"),
    ['tightened GET /orders/{id}: { jwt: { scope: "a" } }'],
  ],
  [
    "a way more",
    jwt("{ scopes: [a] }"),
    jwt("{ any: [{ scopes: [a] }, { groups: [staff] }] }"),
    ['loosened GET /orders/{id}: { jwt: { groups: ["staff"] } }'],
  ],
  [
    "a rule that forbids",
    jwt("{ scopes: [a] }"),
    jwt("{ scopes: [a], not: { groups: [blocked] } }"),
    ['tightened GET /orders/{id}: { jwt: { groups: ["blocked"], scope: "a" } }'],
  ],
  [
    "a condition's bound",
    jwt(`{ when: "jwt.level > 3" }`),
    jwt(`{ when: "jwt.level > 4" }`),
    ["tightened GET /orders/{id}: { jwt: { level: 4 } }"],
  ],
  [
    "a condition's other side",
    jwt(`{ when: '"a" in principal.scopes || query.x == "1"' }`),
    jwt(`{ when: '"a" in principal.scopes' }`),
    ["tightened GET /orders/{id}: { jwt: {} }"],
  ],
  [
    "a claim's values",
    jwt("{ claims: { tenant: [a, b] } }"),
    jwt("{ claims: { tenant: a } }"),
    ['tightened GET /orders/{id}: { jwt: { tenant: "b" } }'],
  ],
  [
    "an owner's own things alone",
    jwt("{ scopes: [a] }"),
    jwt("{ scopes: [a], match: { path.id: jwt.sub } }"),
    ['tightened GET /orders/{id}: { jwt: { scope: "a" } }'],
  ],
  [
    "an authenticator",
    ENTRA_TOO(route("methods: [GET], authenticate: [okta]")),
    ENTRA_TOO(route("methods: [GET], authenticate: [okta, entra]")),
    ['loosened GET /orders/{id}: { jwt: { iss: "https://login.example.org/", aud: "orders" } }'],
  ],
  [
    "callers of a file",
    routes(route("methods: [GET], authenticate: [partners], authorize: { scopes: ['orders:read'] }")),
    routes(route("methods: [GET], authenticate: [partners], authorize: { scopes: ['orders:write'] }")),
    ['loosened GET /orders/{id}: { api-key: "other" }', 'tightened GET /orders/{id}: { api-key: "acme" }'],
  ],
  [
    "a narrower range",
    routes(route("methods: [GET], public: true, address: { allow: [10.0.0.0/8] }")),
    routes(route("methods: [GET], public: true, address: { allow: [10.0.0.0/9] }")),
    ["tightened GET /orders/{id}: nobody"],
  ],
  [
    "a bound of a parameter where no usual client is let in",
    `defaults: { address: { deny: [10.1.0.0/16] } }\n${routes(route("methods: [GET], public: true, address: { allow: [10.1.0.0/16, 10.9.0.0/16] }, validate: { query: { n: { type: integer, maximum: 9 } } }"))}`,
    `defaults: { address: { deny: [10.1.0.0/16] } }\n${routes(route("methods: [GET], public: true, address: { allow: [10.1.0.0/16, 10.9.0.0/16] }, validate: { query: { n: { type: integer, maximum: 8 } } }"))}`,
    ["tightened GET /orders/{id}: nobody"],
  ],
  [
    "a range of the defaults",
    `defaults: { address: { deny: [192.0.2.0/24] } }\n${routes(OPEN)}`,
    routes(OPEN),
    ["loosened GET /open: nobody", 'closed defaults.address: deny: ["192.0.2.0/24"] → none'],
  ],
  [
    "a host",
    routes(route("public: true, methods: [GET], hosts: [a.example.org]")),
    routes(route("public: true, methods: [GET], hosts: [a.example.org, b.example.org]")),
    ["opened GET /orders/{id}: nobody"],
  ],
  [
    "a parameter's bound",
    routes(route("public: true, methods: [GET], validate: { path: { id: { type: integer, maximum: 9 } } }")),
    routes(route("public: true, methods: [GET], validate: { path: { id: { type: integer, maximum: 10 } } }")),
    ["loosened GET /orders/{id}: nobody"],
  ],
  [
    "a body's size",
    routes(route("public: true, methods: [POST], validate: { body: { maxBytes: 1KiB } }")),
    routes(route("public: true, methods: [POST], validate: { body: { maxBytes: 2KiB } }")),
    ["loosened POST /orders/{id}: nobody"],
  ],
  [
    "a media type",
    routes(route("public: true, methods: [POST], validate: { contentType: [application/json] }")),
    routes(route("public: true, methods: [POST], validate: { contentType: [application/json, text/csv] }")),
    ["loosened POST /orders/{id}: nobody"],
  ],
  [
    "what the service gets",
    routes(OPEN),
    routes(route("public: true, methods: [GET], rewrite: { path: /inner }", "/open")),
    ["sent GET /open: nobody", 'changed GET /open: rewrite: none → { path: "/inner" }'],
  ],
  [
    "a check that only tries itself out",
    jwt("{ scopes: [a] }"),
    jwt("{ scopes: [a], mode: audit }"),
    ["loosened GET /orders/{id}: { jwt: {} }"],
  ],
  [
    "a limit's rate",
    `limits: { a: { rate: 1/second, key: client.address } }\n${routes(OPEN)}`,
    `limits: { a: { rate: 100/minute, key: client.address } }\n${routes(OPEN)}`,
    ["loosened limits.a: rate: 1/second → 100/minute"],
  ],
  [
    "a limit less",
    `limits: { a: { rate: 1/second, key: client.address } }\n${routes(route("public: true, methods: [GET], limit: [a]"))}`,
    `limits: { a: { rate: 1/second, key: client.address } }\n${routes(route("public: true, methods: [GET]"))}`,
    ['loosened GET /orders/{id}: limit: ["a"] → none'],
  ],
  [
    "what only a certificate shows",
    jwt("{ any: [{ scopes: [a] }, { spiffeId: 'spiffe://example.org/a' }] }"),
    jwt("{ any: [{ scopes: [a] }, { spiffeId: 'spiffe://example.org/b' }] }"),
    [
      'changed GET /orders/{id}: authorize: { any: [{ scopes: ["a"] }, { spiffeId: "spiffe://example.org/a" }] } → { any: [{ scopes: ["a"] }, { spiffeId: "spiffe://example.org/b" }] }',
    ],
  ],
];

test.each(CASES)("of %s", async (_what, before, after, expected) => {
  expect(await told(before, after)).toEqual(expected);
});

const SCHEMA = (more: string): string =>
  `{ "type": "object", "required": ["sku"${more}], "properties": { "sku": { "type": "string", "minLength": 2 }, "total": { "type": "integer", "maximum": 9 } } }`;

test.each([
  "authenticate: [partners], authorize: { match: { path.id: principal.id } }",
  "authenticate: [partners], authorize: { when: 'path.id == principal.id' }",
  "authenticate: [okta], authorize: { when: 'path.id == jwt.sub && jwt.tier == \"gold\"' }",
  "authenticate: [okta], authorize: { when: 'path.id in jwt.orders' }",
  "authenticate: [partners], authorize: { when: 'path.id.startsWith(principal.id)' }",
  `authenticate: [okta], authorize: { when: 'request.headers["x-region"].matches("^eu-[a-z]+$")' }`,
  "public: true, bots: { deny: [empty, scripts] }",
  "public: true, address: { allow: [10.9.0.0/16], deny: [10.9.0.0/24] }",
])("what is behind a rule is compared by who meets it: %s", async (rules) => {
  const bounded = (most: number): string =>
    routes(route(`methods: [GET], ${rules}, validate: { query: { n: { type: integer, maximum: ${most} } } }`));
  const [first, ...others] = await told(bounded(9), bounded(8));
  expect([first, others]).toEqual([expect.stringMatching(/^tightened GET \/orders\/\{id\}: /), []]);
});

test("what hangs on a decision service, which nobody asks, is told by its number", async () => {
  const asking = (most: number, more = ""): string =>
    `decisionServices: { opa: { type: opa, url: "http://127.0.0.1:8181/v1/data/x"${more} } }\n${routes(
      route(
        `methods: [GET], public: true, decide: [opa], validate: { query: { n: { type: integer, maximum: ${most} } } }`,
      ),
    )}`;
  const { unasked, differences, ...rest } = await compared(asking(9), asking(8));
  expect([differences.filter(({ kind }) => kind !== "refused"), unasked > 0]).toEqual([[], true]);
  expect(answerTo("implies", { ...rest, unasked, differences }).text).toContain(
    `; ${unasked} of them hang on others, whom nobody asked`,
  );
  const allowing = await compared(asking(9, ", onFailure: allow"), asking(8, ", onFailure: allow"));
  expect(allowing).toMatchObject({ unasked: 0, differences: [{ kind: "tightened" }] });
});

test("bodies are made of the schemas that either policy names, with one thing another at a time", async () => {
  const order = routes(
    route(
      "methods: [POST], authenticate: [okta], authorize: { scopes: [a] }, validate: { body: { schema: order.json } }",
    ),
  );
  const kinds = async (before: string, after: string, texts: readonly [string, string]) => {
    const [was, is] = [{ "order.json": texts[0] }, { "order.json": texts[1] }];
    const { differences } = await compared(before, after, [was, is]);
    return differences
      .filter(({ kind }) => kind !== "refused")
      .map(({ kind, witness }) => `${kind} ${witness.identity.as} ${witness.body}`);
  };
  const same = [SCHEMA(""), SCHEMA("")] as const;
  expect(await kinds(order, order.replace("[a]", "[a, b]"), same)).toEqual([
    'tightened { jwt: { scope: "a" } } {"sku":"11"}',
  ]);
  expect(await kinds(order, order, [SCHEMA(""), SCHEMA(', "total"')])).toEqual([
    'tightened { jwt: { scope: "a" } } {"sku":"11"}',
  ]);
  expect(await kinds(order, order, [SCHEMA(""), SCHEMA("").replace("9", "10")])).toEqual([
    'loosened { jwt: { scope: "a" } } {"sku":"11","total":10}',
  ]);
});

test("parameters and bodies of a description are tried by its own schemas", async () => {
  const api = (least: number, more: string): string => `openapi: 3.1.0
info: { title: Orders, version: 1.0.0 }
paths:
  /orders/{id}:
    get:
      security: [{ oauth: [a] }]
      parameters: [{ name: id, in: path, required: true, schema: { $ref: '#/components/schemas/Id' } }]
      responses: { '200': { description: fine } }
    put:
      security: [{ oauth: [a] }]
      parameters: [{ name: id, in: path, required: true, schema: { $ref: '#/components/schemas/Id' } }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
      responses: { '200': { description: fine } }
components:
  schemas:
    Id: { type: integer, minimum: ${least} }
    Order: { type: object, required: [sku${more}], properties: { sku: { type: string }, total: { type: number } } }
  securitySchemes: { oauth: { type: oauth2, flows: { clientCredentials: { tokenUrl: 'https://idp.example.org/token', scopes: {} } } } }
`;
  const policy = `${AUTHENTICATORS}openapi: [{ file: api.yaml, authenticate: { oauth: okta } }]\n`;
  const { differences } = await compared(policy, policy, [
    { "api.yaml": api(100, "") },
    { "api.yaml": api(99, ", total") },
  ]);
  const told = differences
    .filter(({ kind }) => kind !== "refused")
    .map(({ kind, witness: { method, target } }) => `${kind} ${method} ${target}`);
  expect(told).toEqual(["loosened GET /orders/99", "tightened PUT /orders/100"]);
});

test("the other way round each direction is its opposite", async () => {
  const opposite: Readonly<Record<string, string>> = {
    opened: "closed",
    closed: "opened",
    loosened: "tightened",
    tightened: "loosened",
  };
  for (const [what, before, after] of CASES) {
    const there = await compared(before, after);
    const back = await compared(after, before);
    const kinds = (list: typeof there): string[] => list.differences.map(({ kind }) => kind).sort();
    expect(kinds(back), what).toEqual(
      kinds(there)
        .map((kind) => opposite[kind] ?? kind)
        .sort(),
    );
  }
});

test("questions are answered with a request where the answer is no", async () => {
  const ask = async (question: Question, before: string, after: string) => {
    const { holds, text, witness } = answerTo(question, await compared(before, after));
    return `${holds ? "yes" : "no"} ${witness === null ? text.replace(/\d+ requests/, "N requests") : (witness.identity.as ?? "nobody")}`;
  };
  const [narrow, wide] = [jwt("{ scopes: [a, b] }"), jwt("{ scopes: [a] }")];
  expect(await ask("implies", narrow, wide)).toBe(
    "yes of N requests, all that the first policy allows the second allows, too",
  );
  expect(await ask("implies", wide, narrow)).toBe('no { jwt: { scope: "a" } }');
  expect(await ask("equivalent", narrow, wide)).toBe('no { jwt: { scope: "a" } }');
  expect(await ask("equivalent", wide, wide)).toBe(
    "yes all of N requests are treated alike, and nothing else is another",
  );
  expect(await ask("disjoint", wide, wide)).toMatch(/^no/);
  const [one, other] = ["/a", "/b"].map((path) => routes(route("public: true, methods: [GET]", path)));
  expect(await ask("disjoint", one ?? "", other ?? "")).toBe("yes none of N requests is allowed by both");
  const slow = `limits: { a: { rate: 1/second, key: client.address } }\n${routes(OPEN)}`;
  expect(await ask("equivalent", slow, routes(OPEN))).toBe("no limits.a is another, which requests do not show");
});
