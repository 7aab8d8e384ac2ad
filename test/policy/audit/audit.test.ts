import { describe, expect, test } from "vitest";
import { AUDIT_RULES, type LintRule } from "../../../src/decision/lint-rule.ts";
import { auditOf } from "../../../src/policy/audit/audit.ts";
import { ITEM_OF_RULE } from "../../../src/policy/audit/items.ts";
import { examineLint } from "../lint/kit.ts";
import { policyWith } from "../policy-kit.ts";

const HEAD = `authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [ES256] }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  guest: { type: anonymous, scopes: [read] }
limits:
  perCaller: { rate: 5/second, key: principal }
  perAddress: { rate: 5/second, key: client.address }
`;

/** Rules that are open, each with its item, of a policy with these routes; those of lint itself are left out. */
async function openOf(routes: string, more = ""): Promise<readonly string[]> {
  const examination = await examineLint(policyWith(`${HEAD}${more}\nroutes:\n${routes}`), FILES, { lint: "audit" });
  if (examination.audited === null) throw new Error(JSON.stringify([examination.problems, examination.absent]));
  const { items } = auditOf(examination.audited, examination);
  return items.flatMap(({ id, open }) =>
    open.filter(({ rule }) => AUDIT_RULES.has(rule)).map(({ rule }) => `${id} ${rule}`),
  );
}

const FILES = {
  "keys.yaml": "callers: []\n",
  "order.json": JSON.stringify({ type: "object", properties: { quantity: { type: "integer" } } }),
};

describe("an audit asks each route", () => {
  test.each<[asks: LintRule, open: string, covered: string]>([
    [
      "object_unchecked",
      '{ path: "/o/{id}", authenticate: [okta], authorize: { scopes: [a] } }',
      '{ path: "/o/{id}", authenticate: [okta], authorize: { match: { path.id: jwt.sub } } }',
    ],
    [
      "object_unchecked",
      // Both are looked at, and never compared.
      `{ path: "/o/{id}", authenticate: [okta], authorize: { when: 'path.id == "7" || "all" in principal.scopes' } }`,
      `{ path: "/o/{id}", authenticate: [okta], authorize: { any: [{ scopes: [all] }, { when: "path.id in jwt.orders" }] } }`,
    ],
    [
      "object_unchecked",
      '{ path: "/o/{id}", authenticate: [okta], authorize: { mode: audit, match: { path.id: jwt.sub } } }',
      "{ path: /o, authenticate: [okta] }",
    ],
    [
      "object_public",
      '{ path: "/o/{id}", methods: [GET], public: true }',
      "{ path: /o, methods: [GET], public: true }",
    ],
    ["public_write", "{ path: /o, methods: [POST], public: true }", "{ path: /o, methods: [GET], public: true }"],
    ["public_write", "{ path: /o, authenticate: [okta, guest] }", "{ path: /o, authenticate: [okta] }"],
    [
      "body_unchecked",
      "{ path: /o, methods: [POST], public: true, validate: { body: { maxBytes: 1KiB } } }",
      "{ path: /o, methods: [POST], public: true, validate: { body: { schema: order.json } } }",
    ],
    [
      "url_unchecked",
      "{ path: /o, methods: [POST], public: true }",
      "{ path: /o, methods: [POST], public: true, validate: { body: { schema: order.json } } }",
    ],
    [
      "answer_unchecked",
      "{ path: /o, public: true }",
      "{ path: /o, public: true, response: { fields: { remove: [$.a] } } }",
    ],
    [
      "function_unchecked",
      "{ path: /o, methods: [DELETE], authenticate: [okta] }",
      "{ path: /o, methods: [DELETE], authenticate: [okta], authorize: { roles: [clerk] } }",
    ],
    [
      "read_unchecked",
      "{ path: /o, methods: [GET], authenticate: [okta] }",
      "{ path: /o, methods: [GET], authenticate: [okta], authorize: { roles: [clerk] } }",
    ],
    [
      "caller_unlimited",
      "{ path: /o, methods: [POST], authenticate: [okta], limit: [perAddress] }",
      "{ path: /o, methods: [POST], authenticate: [okta], limit: [perCaller] }",
    ],
    [
      "guessing_unbounded",
      "{ path: /o, authenticate: [partners], limit: [perCaller] }",
      "{ path: /o, authenticate: [partners], limit: [perAddress] }",
    ],
    [
      "not_enforced",
      "{ path: /o, authenticate: [okta], authorize: { mode: audit, scopes: [a] } }",
      "{ path: /o, authenticate: [okta], authorize: { scopes: [a] } }",
    ],
    [
      "cors_any_origin",
      '{ path: /o, public: true, cors: { origins: ["*"] } }',
      '{ path: /o, public: true, cors: { origins: ["https://app.example.org"] } }',
    ],
    ["path_open", "{ path: /o/**, methods: [GET], public: true }", "{ path: /o/a, methods: [GET], public: true }"],
    ["methods_open", "{ path: /o, public: true }", "{ path: /o, methods: [GET], public: true }"],
    ["answer_unjudged", "{ path: /o, public: true }", "{ path: /o, public: true, respond: { json: {} } }"],
  ])("%s", async (rule, open, covered) => {
    const named = `${ITEM_OF_RULE[rule]} ${rule}`;
    // So that each authenticator is used.
    const other = "  - { path: /other, public: true, methods: [GET] }";
    expect(await openOf(`  - ${open}\n${other}`)).toContain(named);
    const left = await openOf(`  - ${covered}`);
    expect(left.filter((one) => one === named)).toEqual([]);
  });

  test("bans slow down who guesses", async () => {
    const bans = "bans: { guessing: { on: [api_key_unknown], times: 2/minute, key: client.address, for: 5m } }";
    expect(await openOf("  - { path: /o, authenticate: [partners] }", bans)).not.toContain("API2 guessing_unbounded");
  });
});

test("a listener of other machines has TLS, or is open", async () => {
  const text = policyWith("routes: [{ path: /o, public: true }]").replace(
    /listeners:.*/,
    "listeners: [{ name: inbound, address: 0.0.0.0:8080, plaintext: allowed, upstream: app }]",
  );
  const { warnings } = await examineLint(text, {}, { lint: "audit" });
  expect(warnings.map(({ rule }) => rule)).toContain("listener_in_the_clear");
});

test("check asks none of it, and keeps quiet about comments that accept it", async () => {
  const text = policyWith(`routes:
  # postern: allow body_unchecked because it is an upload
  - { path: /o, public: true }`);
  const { warnings } = await examineLint(text);
  expect(warnings.filter(({ rule }) => AUDIT_RULES.has(rule) || rule.startsWith("allow"))).toEqual([]);
  const audited = await examineLint(text, {}, { lint: "audit" });
  expect(audited.silenced.map(({ warning }) => warning.rule)).toEqual(["body_unchecked"]);
});
