// Goal: what reads well and means something else is named with its place; an honest policy of the same kind is left in peace.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { PUBLIC_ROUTE, policyWith } from "../policy-kit.ts";
import { examineLint, found } from "./kit.ts";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const FILES = {
  "keys.yaml": `callers: [{ name: acme, scopes: [read], keys: [{ sha256: "${sha("one")}" }] }]`,
};
const KEYS = "authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }";
const OKTA =
  'authenticators: { okta: { type: jwt, issuer: "https://idp.example.org/", audience: [a], algorithms: [ES256] } }';
const route = (rest: string, authenticator = "okta", methods = "[GET]") =>
  `routes: [{ path: "/v1/orders/{id}", methods: ${methods}, authenticate: [${authenticator}], ${rest} }]`;

describe("conditions", () => {
  const told = async (when: string, rule: string) =>
    found(rule, policyWith(`${OKTA}\n${route(`authorize: { when: ${JSON.stringify(when)} }`)}`));

  test("that a route's own words decide are told at their column", async () => {
    const [first, ...others] = await told("jwt.a == 1 && request.method == 'POST'", "condition_always_false");
    expect(others).toEqual([]);
    expect(first).toMatch(/^7:\d+ the condition is false whatever comes, so nobody ever meets it$/);
    expect(await told("request.path.startsWith('/v1/') || jwt.a == 1", "condition_always_true")).toHaveLength(1);
    expect(await told("now < timestamp('2026-06-01T00:00:00Z') && jwt.a == 1", "condition_always_false")).toHaveLength(
      1,
    );
    expect(await told("now >= timestamp('2026-01-01T00:00:00Z')", "condition_always_true")).toHaveLength(1);
    expect(await told("jwt.a == 1 || request.method == 'PUT'", "condition_always_false")).toEqual([
      expect.stringContaining("this part of the condition is false whatever comes, so it decides nothing"),
    ]);
  });

  test("that ask something are not", async () => {
    for (const when of [
      "request.method == 'GET' && jwt.a == 1",
      "path.id == jwt.sub",
      "now < timestamp('2027-06-01T00:00:00Z')",
      // A window that has begun.
      "now >= timestamp('2026-01-01T00:00:00Z') && now < timestamp('2027-06-01T00:00:00Z')",
    ]) {
      expect(await told(when, "condition_always_true"), when).toEqual([]);
      expect(await told(when, "condition_always_false"), when).toEqual([]);
    }
  });

  test("of a role are told only where they are so on every route that has it", async () => {
    const policy = (other: string) =>
      policyWith(`${OKTA}
roles: { clerk: { when: "request.method == 'GET'" } }
routes:
  - { path: /a, methods: [POST], authenticate: [okta], authorize: { roles: [clerk] } }
  - { path: /b, methods: [${other}], authenticate: [okta], authorize: { roles: [clerk] } }`);
    expect(await found("condition_always_false", policy("GET"))).toEqual([]);
    expect(await found("condition_always_false", policy("PUT"))).toHaveLength(1);
  });
});

describe("limits", () => {
  const LIMITS = `limits:
  perUser: { rate: 5/second, key: jwt.sub, absent: deny }
  perCaller: { rate: 5/second, key: principal, absent: { key: client.address } }`;

  test("that count by what a route never has are told", async () => {
    const text = policyWith(`${KEYS}\n${LIMITS}
routes:
  - { path: /a, authenticate: [keys], limit: [perUser] }
  - { path: /b, public: true, limit: [perCaller] }`);
    expect(await found("limit_key_absent", text, FILES)).toEqual([
      "11:47 'perUser' counts by 'jwt.sub', and no authenticator of the route reads tokens, so it denies every request",
      "12:39 'perCaller' counts by 'principal', and nobody authenticates on a public route, so it counts by 'absent' alone",
    ]);
  });

  test("that count by what some caller has are not", async () => {
    const text = policyWith(`${OKTA}\n${LIMITS}
routes:
  - { path: /a, authenticate: [okta], limit: [perUser] }
  - { path: /b, authenticate: [okta], limit: [perCaller] }`);
    expect(await found("limit_key_absent", text)).toEqual([]);
    expect(await found("route_without_limit", text)).toEqual([]);
  });

  test("that are missing are told of each route, but of those that postern answers", async () => {
    const text = policyWith(`routes:
  - { path: /a, public: true }
  - { path: /b, public: true, respond: { status: 204 } }`);
    expect(await found("route_without_limit", text)).toEqual(["7:5 nothing limits how often '/a' may be asked for"]);
    const all = policyWith(
      `limits: { all: { rate: 5/second, key: client.address } }\ndefaults: { limit: [all] }\n${PUBLIC_ROUTE}`,
    );
    expect(await found("route_without_limit", all)).toEqual([]);
  });
});

describe("scopes", () => {
  const policy = (rule: string, roles = "") => policyWith(`${KEYS}\n${roles}\n${route(`authorize: ${rule}`, "keys")}`);

  test("that no key has are told, of every caller, of one way of several and of a role", async () => {
    const rule = "scopes_unmeetable";
    expect(await found(rule, policy("{ scopes: [write] }"), FILES)).toHaveLength(1);
    expect(await found(rule, policy("{ any: [{ scopes: [read] }, { scopes: [write] }] }"), FILES)).toEqual([
      expect.stringContaining("no caller can have the scope 'write', so this way in is open to nobody"),
    ]);
    const roles = "roles: { clerk: { scopes: [write] } }";
    expect(await found(rule, policy("{ roles: [clerk] }", roles), FILES)).toEqual([expect.stringMatching(/^7:/)]);
  });

  test("that some key has, or a provider may give, are not", async () => {
    const rule = "scopes_unmeetable";
    expect(await found(rule, policy("{ any: [{ scopes: [read] }, { callers: [acme] }] }"), FILES)).toEqual([]);
    const text = policyWith(`${OKTA}\n${route("authorize: { any: [{ scopes: [write] }, { scopes: [read] }] }")}`);
    expect(await found(rule, text)).toEqual([]);
  });
});

describe("a secret in the policy", () => {
  const rule = "secret_in_policy";
  // Put together here, so that no scanner of this repository takes it for one that leaked.
  const key = ["AKIA", "QYLPMN5HFIQR7XYA"].join("");

  test("is told by its kind alone, wherever it stands", async () => {
    const text = policyWith(`routes:
  - { path: /a, public: true, request: { setHeaders: { X-Cloud: "${key}" } } }
  - { path: /b, public: true, request: { setHeaders: { Authorization: "Basic b3JkZXJzOnRyb3ViYWRvcg==" } } }
  - { path: /c, public: true, request: { setHeaders: { X-Internal-Secret: open sesame, Idempotency-Key: none } } }`);
    const told = await found(rule, text);
    expect(told.map((line) => line.split(" ")[0])).toEqual(["7:65", "8:71", "9:75"]);
    expect(told.join()).not.toContain(key);
    expect(told.join()).not.toMatch(/b3Jk|sesame/);
  });

  test("is not what a reference takes from elsewhere", async () => {
    const text = policyWith(
      `routes: [{ path: /a, public: true, request: { setHeaders: { X-Cloud: "$\{env:CLOUD}" } } }]`,
    );
    const { warnings, problems } = await examineLint(text, {}, { env: { CLOUD: key } });
    expect(problems).toEqual([]);
    expect(warnings.filter((one) => one.rule === rule)).toEqual([]);
  });

  test("is not what a header has an attribute for, nor a text with an address in it", async () => {
    const text = policyWith(`${OKTA}
routes:
  - { path: /a, authenticate: [okta], request: { setHeaders: { Authorization: "Bearer {jwt.inner}", X-A: "password reset" } } }
  - { path: /b, public: true, respond: { status: 200, body: "write to ops@example.org, 4111 1111 1111 1111" } }`);
    expect(await found(rule, text)).toEqual([]);
  });
});

describe("a rule that another line takes back", () => {
  const rule = "rule_contradicted";
  const OTHER = OKTA.replace(
    " } }",
    " }, other: { type: jwt, issuer: 'https://b.example.org/', audience: [a], algorithms: [ES256] } }",
  );

  test("is told", async () => {
    const text = policyWith(`${OTHER}
routes:
  - { path: /a, public: true, address: { allow: [10.1.0.0/16, 192.0.2.1], deny: [10.0.0.0/8] } }
  - { path: /b, public: true, response: { setHeaders: { X-A: b }, removeHeaders: [x-a] } }
  - { path: /c, methods: [GET], authenticate: [okta], authorize: { authenticators: [other] } }
  - { path: /d, authenticate: [okta], authorize: { scopes: [a, b], not: { scopes: [a] } } }
  - { path: /e, authenticate: [okta], authorize: { all: [{ scopes: [a] }, { not: { scopes: [a] } }] } }
  - { path: /f, authenticate: [okta], authorize: { groups: [g], all: [{ all: [{ not: { groups: [g, h] } }] }] } }`);
    expect((await found(rule, text)).map((line) => line.replace(/:\d+/, ""))).toEqual([
      "8 '10.0.0.0/8' in 'deny' wins, so '10.1.0.0/16' is never let in",
      "9 'X-A' stands in 'removeHeaders' as well; what is set replaces what comes, so that is of no use",
      "10 the route asks none of these who its caller is, so this is never met",
      "11 'scopes' beside it asks for what this denies, so nobody ever meets the rule",
      "12 'scopes' beside it asks for what this denies, so nobody ever meets the rule",
      "13 'groups' beside it asks for what this denies, so nobody ever meets the rule",
    ]);
  });

  test("is not one that another line narrows", async () => {
    const text = policyWith(`${OKTA}
routes:
  - { path: /a, public: true, address: { allow: [10.0.0.0/8], deny: [10.1.0.0/16] } }
  - { path: /b, public: true, response: { setHeaders: { X-A: b }, removeHeaders: [x-b] } }
  - { path: /c, methods: [GET, POST], authenticate: [okta], authorize: { methods: [POST] } }
  - { path: /d, authenticate: [okta], authorize: { scopes: [a], not: { scopes: [a, b] } } }
  - { path: /e, authenticate: [okta], authorize: { any: [{ scopes: [a] }, { not: { scopes: [a] } }] } }`);
    expect(await found(rule, text)).toEqual([]);
  });
});

describe("credentials that end", () => {
  const policy = policyWith(`${KEYS}\n${route("limit: []", "keys").replace(", limit: []", "")}`);
  const keys = (notAfter: string) =>
    `callers:\n  - name: acme\n    keys:\n      - sha256: "${sha("one")}"\n        notAfter: ${notAfter}\n`;

  test("within 30 days, or have ended, are told where the file has them", async () => {
    const { warnings } = await examineLint(policy, { "keys.yaml": keys("2026-12-20") });
    expect(warnings.find(({ rule }) => rule === "credential_ends_soon")).toMatchObject({
      place: { file: "conf/keys.yaml", line: 5, column: 19 },
      text: expect.stringMatching(/^what 'acme' is known by ends at 2026-12-2\S+, in 19 days$|in 20 days$/),
    });
    expect(await found("credential_ends_soon", policy, { "keys.yaml": keys("2026-11-01") })).toHaveLength(1);
  });

  test("later are not", async () => {
    expect(await found("credential_ends_soon", policy, { "keys.yaml": keys("2027-06-01") })).toEqual([]);
    expect(await found("credential_ends_soon", policy, FILES)).toEqual([]);
  });
});

describe("placeholders of other products in headers", () => {
  const rule = "placeholder_not_filled";
  const header = (value: string) =>
    policyWith(`routes: [{ path: /a, public: true, request: { setHeaders: { X-A: "${value}" } } }]`);

  test.each([
    "{{ jwt.tenant }}",
    "$remote_addr",
    "https://$host/",
    "$context.authorizer.principalId",
    "$(headers.x-a)",
    "%[src]",
    "%{SSL_CLIENT_S_DN}e",
    "%REQ(X-ID)%",
    "%PROTOCOL%",
    "#[attributes.headers.a]",
    "@(context.Request.Id)",
  ])("%s is told", async (value) => {
    expect(await found(rule, header(value))).toEqual([expect.stringContaining("is not filled in")]);
  });

  test.each(["5 $ a piece", "US$5.00", "100 %", "a%20b%20c", "a@b (c)", "#1 [x]"])("%s is a text", async (value) => {
    expect(await found(rule, header(value))).toEqual([]);
  });
});

describe("placeholders of other products in paths", () => {
  test.each([
    ["/a/{{id}}", "{id}"],
    ["/a/<id>", "{id}"],
    ["/a/<int:id>", "{id}"],
    ["/a/[id]", "{id}"],
    ["/a/[...rest]", "**"],
    ["/a/$(id)", "{id}"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what authors write in a policy
    ["/a/${id}", "{id}"],
    ["/a/*rest", "**"],
    ["/a/%(id)s", "{id}"],
  ])("%s is a problem with its mend", async (path, mend) => {
    const { problems } = await examineLint(policyWith(`routes: [{ path: "${path}", public: true }]`));
    expect(problems.map(({ text }) => text)).toEqual([expect.stringContaining(`expected ${mend}`)]);
  });

  test.each(["/a/$metadata", "/a/$batch", "/a/(b)", "/a/b+c"])("%s is a path", async (path) => {
    expect((await examineLint(policyWith(`routes: [{ path: "${path}", public: true }]`))).problems).toEqual([]);
  });
});

test("a pattern that no linear time can judge is a problem with its mend", async () => {
  const text = policyWith(`${OKTA}\n${route(`authorize: { when: "request.path.matches('(a)\\\\\\\\1')" }`)}`);
  const { problems } = await examineLint(text);
  expect(problems.map(({ text: said }) => said)).toEqual([
    expect.stringMatching(/^the pattern: a reference back to a group .*; write the texts/),
  ]);
});

test("where files are elsewhere, a comment may be for them, and an authenticator may be the route's", async () => {
  const policy = policyWith(`authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  okta: { type: jwt, issuer: 'https://a.example.org/', audience: [a], algorithms: [ES256] }
state: { directory: /var/lib/postern }
routes:
  # postern: allow scopes_unmeetable because the partner gets it in spring
  - { path: /a, methods: [GET], authenticate: [okta, partners], authorize: { authenticators: [partners], scopes: [a] } }`);
  const { warnings, problems, absent } = await examineLint(policy, {}, { offline: true });
  expect(problems).toEqual([]);
  expect(absent).toHaveLength(1);
  expect(warnings.filter(({ rule }) => rule === "allow_unused" || rule === "rule_contradicted")).toEqual([]);
  const there = await examineLint(policy, { "keys.yaml": "callers: []" }, { offline: true });
  expect(there.absent).toEqual([]);
  expect(there.warnings.map(({ rule }) => rule)).toContain("allow_unused");
});

describe("names that differ in case alone", () => {
  const rule = "names_alike";
  const policy = (first: string, second: string, rest = ""): string =>
    policyWith(`${OKTA}
limits:
  ${first}: { rate: 1/second, key: principal }
  ${second}: { rate: 2/second, key: principal }
routes:
  - { path: /a, authenticate: [okta], limit: [${first}] }
  - { path: /b, authenticate: [okta], limit: [${second}]${rest} }`);

  test("are told of what is defined, of what callers bring, and of parameters of one request", async () => {
    expect(await found(rule, policy("perCaller", "percaller"))).toEqual([
      "9:3 name of 'limits' 'percaller' differs from 'perCaller' at line 8 in case alone",
    ]);
    const rules = ", authorize: { any: [{ scopes: ['a:Read'] }, { scopes: ['a:read'], groups: [x] }] }";
    expect(await found(rule, policy("one", "two", rules))).toEqual([
      expect.stringContaining("scope 'a:Read' differs from 'a:read'"),
    ]);
    const query = ", validate: { query: { Id: { schema: { type: integer } }, id: { schema: { type: string } } } }";
    expect(await found(rule, policy("one", "two", query))).toEqual([
      expect.stringContaining("parameter 'id' differs from 'Id'"),
    ]);
  });

  test("are no matter where they are one spelling, or of two requests", async () => {
    const query = ", validate: { query: { id: { schema: { type: integer } } } }";
    const text = policy("one", "two", query).replace(
      "limit: [one]",
      "limit: [one], validate: { query: { Id: { schema: { type: integer } } } }",
    );
    expect(await found(rule, text)).toEqual([]);
    expect(await found(rule, policy("one", "oneMore", ", authorize: { scopes: [a], groups: [A] }"))).toEqual([]);
  });

  test.each([
    ["validate: { headers: { X-A: { schema: { type: string } }, x-a: { schema: { maxLength: 3 } } } }"],
    ["response: { validate: { headers: { X-A: { schema: { type: string } }, x-a: { schema: { maxLength: 3 } } } } }"],
  ])("of headers there is one spelling: %s", async (keys) => {
    const { problems } = await examineLint(policyWith(`routes: [{ path: /a, public: true, ${keys} }]`));
    expect(problems.map(({ text }) => text)).toEqual(["'x-a' stands here in two spellings; expected one"]);
  });
});
