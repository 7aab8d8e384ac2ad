// Goal: what only a certificate, a time, a form or a language of bodies shows is shown by a request, and what audits is told as such.
import { beforeAll, describe, expect, test } from "vitest";
import { answerTo, type Question } from "../../src/comparison/questions.ts";
import { explainCommandLine } from "../../src/comparison/witness.ts";
import { createTestPki } from "../fixtures/pki.ts";
import type { Files } from "../policy/policy-kit.ts";
import { AUTHENTICATORS, compared, MUTUAL } from "./kit.ts";

let files: Files;

beforeAll(async () => {
  const pki = await createTestPki();
  files = { "server.pem": pki.server.certificate, "server.key": pki.server.key, "ca.pem": pki.ca.certificate };
});

const routes = (keys: string): string => `routes:\n  - { path: /orders, ${keys} }\n`;

/** Kind, and the words of the command line that are not in each: of what opens or closes, or is audited. */
async function told(before: string, after: string, head = {}): Promise<readonly string[]> {
  const { differences } = await compared(before, after, [files, files], head);
  return differences
    .filter(({ kind }) => kind !== "refused" && kind !== "sent")
    .map(
      ({ kind, witness }) => `${kind} ${explainCommandLine(witness, "p").replace("postern explain --policy p ", "")}`,
    );
}

describe("a client's certificate", () => {
  const mesh = (ids: string): string =>
    `authenticators: { mesh: { type: client-certificate, ${ids} } }\n${routes("methods: [GET], authenticate: [mesh]")}`;

  test.each([
    [
      "an ID more",
      mesh("spiffeIds: ['spiffe://a/x']"),
      mesh("spiffeIds: ['spiffe://a/x', 'spiffe://a/y/**']"),
      [`loosened --certificate '{ subject: "CN=client", spiffeId: "spiffe://a/y/x" }' 'GET /orders'`],
    ],
    [
      "any that the CA has issued",
      mesh("subjects: ['CN=a']"),
      "authenticators: { mesh: { type: client-certificate } }\n" + routes("methods: [GET], authenticate: [mesh]"),
      [`loosened --certificate '{ subject: "CN=client" }' 'GET /orders'`],
    ],
    [
      "a rule of `authorize`",
      `${AUTHENTICATORS}${routes("methods: [GET], authenticate: [okta], authorize: { spiffeId: 'spiffe://a/x' }")}`,
      `${AUTHENTICATORS}${routes("methods: [GET], authenticate: [okta], authorize: { spiffeId: 'spiffe://a/y' }")}`,
      [
        `loosened --as '{ jwt: {} }' --certificate '{ subject: "CN=client", spiffeId: "spiffe://a/y" }' 'GET /orders'`,
        `tightened --as '{ jwt: {} }' --certificate '{ subject: "CN=client", spiffeId: "spiffe://a/x" }' 'GET /orders'`,
      ],
    ],
    [
      "a condition",
      `${AUTHENTICATORS}${routes(`methods: [GET], authenticate: [okta], authorize: { when: 'certificate.subject == "CN=a"' }`)}`,
      `${AUTHENTICATORS}${routes("methods: [GET], authenticate: [okta]")}`,
      [
        `loosened --as '{ jwt: {} }' 'GET /orders'`,
        `loosened --as '{ jwt: {} }' --certificate '{ subject: "CN=a-other" }' 'GET /orders'`,
      ],
    ],
  ])("%s", async (_, before, after, expected) => {
    expect(await told(before, after, { listener: MUTUAL })).toEqual(expected);
  });

  test("that everybody has to show is shown by everybody", async () => {
    const [before, after] = ["[a]", "[a, b]"].map(
      (scopes) =>
        `${AUTHENTICATORS}${routes(`methods: [GET], authenticate: [okta], authorize: { scopes: ${scopes} }`)}`,
    );
    expect(await told(before ?? "", after ?? "", { listener: MUTUAL.replace("optional", "required") })).toEqual([
      `tightened --as '{ jwt: { scope: "a" } }' --certificate '{ subject: "CN=client" }' 'GET /orders'`,
    ]);
  });
});

describe("a time", () => {
  const open = (keys: string): string => routes(`methods: [GET], public: true, ${keys}`);
  const when = (condition: string): string =>
    `${AUTHENTICATORS}${routes(`methods: [GET], authenticate: [okta], authorize: ${condition}`)}`;

  test.each([
    [
      "an end that comes later",
      open("deprecated: { sunset: 2030-01-01T00:00:00Z }"),
      open("deprecated: { sunset: 2030-02-01T00:00:00Z }"),
      ["loosened --at 2030-01-01T00:00:00.000Z 'GET /orders'"],
    ],
    [
      "a brown-out that lasts longer",
      open("deprecated: { sunset: 2040-01-01, brownouts: [2030-01-01T09:00Z/PT10M] }"),
      open("deprecated: { sunset: 2040-01-01, brownouts: [2030-01-01T09:00Z/PT15M] }"),
      ["tightened --at 2030-01-01T09:10:00.000Z 'GET /orders'"],
    ],
    [
      "a condition's bound",
      when(`{ when: 'now < timestamp("2030-01-01T00:00:00Z")' }`),
      when(`{ when: 'now <= timestamp("2030-01-01T00:00:00Z")' }`),
      ["loosened --as '{ jwt: {} }' --at 2030-01-01T00:00:00.000Z 'GET /orders'"],
    ],
  ])("%s", async (_, before, after, expected) => {
    expect(await told(before, after)).toEqual(expected);
  });

  test.each([
    ["hours of a condition", "{ when: 'now.getHours() < 17' }", "{ when: 'now.getHours() <= 17' }", /^loosened .*T17:/],
    [
      "a day of a condition",
      "{ when: 'now.getDayOfWeek() != 0' }",
      "{ when: 'now.getDayOfWeek() > 1' }",
      /^tightened /,
    ],
    [
      "hours of a rule",
      "{ time: [{ hours: 08:00-18:00 }] }",
      "{ time: [{ hours: 08:00-18:30 }] }",
      /^loosened .*T18:00:00/,
    ],
    [
      "days of a rule",
      "{ time: [{ days: [mon, tue], timeZone: Europe/Berlin }] }",
      "{ time: [{ days: [mon], timeZone: Europe/Berlin }] }",
      /^tightened /,
    ],
  ])("%s", async (_, before, after, expected) => {
    const differences = await told(when(before), when(after));
    expect(differences).toEqual([expect.stringMatching(expected)]);
  });
});

describe("a body in a language of its own", () => {
  const body = (keys: string): string => routes(`methods: [POST], public: true, validate: { ${keys} }`);

  test.each([
    [
      "a field that has to be there",
      body("form: { fields: { sku: { type: string }, total: { type: integer } } }"),
      body("form: { fields: { sku: { type: string, required: true }, total: { type: integer } } }"),
      /^tightened printf %s (?:''|total=1) /,
    ],
    [
      "a field's bound",
      body("form: { fields: { total: { type: integer, maximum: 9 } } }"),
      body("form: { fields: { total: { type: integer, maximum: 10 } } }"),
      /^loosened printf %s total=10 /,
    ],
    [
      "a type of GraphQL's operations",
      body("graphql: { types: [query] }"),
      body("graphql: {}"),
      /^loosened .*mutation/,
    ],
    [
      "a depth of GraphQL",
      body("graphql: { depth: 3 }"),
      body("graphql: { depth: 4 }"),
      /^loosened .*a \{ a \{ a \{ a/,
    ],
    [
      "a method of JSON-RPC",
      body("jsonrpc: { methods: [a] }"),
      body("jsonrpc: { methods: [a, b] }"),
      /^loosened .*"b"/,
    ],
    [
      "a list of JSON-RPC",
      body("jsonrpc: { methods: [a] }"),
      body("jsonrpc: { methods: [a], batch: 2 }"),
      /^loosened .*\[\{"jsonrpc/,
    ],
  ])("%s", async (_, before, after, expected) => {
    const differences = await told(before, after);
    expect(differences[0]).toMatch(expected);
    expect(new Set(differences.map((one) => one.split(" ")[0])).size).toBe(1);
  });
});

test("what a check would deny that only audits is told as such", async () => {
  const rule = (text: string): string =>
    `${AUTHENTICATORS}${routes(`methods: [GET], authenticate: [okta], authorize: { scopes: [a], mode: ${text} }`)}`;
  const texts = async (before: string, after: string) =>
    (await compared(before, after)).differences.map(({ kind, before: was, after: is }) => `${kind}: ${was} → ${is}`);
  const free = `${AUTHENTICATORS}${routes("methods: [GET], authenticate: [okta]")}`;
  expect(await texts(free, rule("audit"))).toEqual(["audited: allowed → allowed, audits scope_missing"]);
  expect(await texts(rule("enforce"), rule("audit"))).toEqual([
    "loosened: scope_missing (403) → allowed, audits scope_missing",
  ]);
  expect(await texts(rule("audit"), rule("audit"))).toEqual([]);
});

test("of one policy it is asked what its routes always do", async () => {
  const policy = `${AUTHENTICATORS}${routes("methods: [GET], authenticate: [okta]")}  - { path: /open, methods: [GET], public: true }
  - { path: /shut, methods: [GET], public: true, address: { deny: [0.0.0.0/0, '::/0'] } }
`;
  const comparison = await compared(policy, policy);
  const ask = (question: Question, route: string | null): string => {
    const { holds, witness } = answerTo(question, comparison, route);
    return `${holds ? "yes" : "no"}${witness === null ? "" : ` ${witness.target}`}`;
  };
  expect([ask("always-allows", "/open"), ask("always-denies", "/open")]).toEqual(["yes", "no /open"]);
  expect([ask("always-allows", "/shut"), ask("always-denies", "/shut")]).toEqual(["no /shut", "yes"]);
  expect([ask("always-allows", "/orders"), ask("always-denies", "/orders")]).toEqual(["no /orders", "no /orders"]);
  expect([ask("always-allows", null), ask("always-denies", null)]).toEqual(["no /orders", "no /orders"]);
});

describe("a caller let in at the end of a long list is shown", () => {
  const one = (keys: string): string =>
    `${AUTHENTICATORS}${routes(`methods: [GET], authenticate: [okta], authorize: { ${keys} }`)}`;
  const many = (length: number, text: (at: number) => string): string =>
    Array.from({ length }, (_, at) => text(at)).join(", ");

  test.each([
    ["of callers", (count: number) => `callers: [${many(count, (at) => `c${at}`)}]`, 120],
    ["of alternatives", (count: number) => `any: [${many(count, (at) => `{ scopes: [s${at}] }`)}]`, 120],
    [
      "of two lists together",
      (count: number) =>
        `claims: { tenant: [${many(60, (at) => `t${at}`)}], level: [${many(count, (at) => `l${at}`)}] }`,
      60,
    ],
  ])("%s", async (_, rule, count) => {
    const comparison = await compared(one(rule(count)), one(rule(count + 1)));
    expect(comparison.differences.map(({ kind }) => kind)).toContain("loosened");
    expect(comparison.leftOut).toBeGreaterThan(0);
    const back = await compared(one(rule(count + 1)), one(rule(count)));
    expect(answerTo("implies", back).holds).toBe(false);
    expect(answerTo("implies", comparison)).toMatchObject({
      holds: true,
      text: expect.stringMatching(/; \d+ were left out$/),
    });
  });
});

test("of many callers in a file those are asked as who have what one policy alone wants", async () => {
  const callers = Array.from({ length: 40 }, (_, at) => {
    const sha256 = at.toString(16).padStart(64, "0");
    return `  - { name: c${at}, scopes: [s${at}], roles: [r${at}], keys: [{ sha256: "${sha256}" }] }\n`;
  });
  const keys = { "keys.yaml": `callers:\n${callers.join("")}` };
  const one = (rule: string): string =>
    `${AUTHENTICATORS}${routes(`methods: [GET], authenticate: [partners], authorize: ${rule}`)}`;
  for (const more of ["scopes: [s39]", "roles: [r38]"]) {
    const { differences } = await compared(one("{ scopes: [s0] }"), one(`{ any: [{ scopes: [s0] }, { ${more} }] }`), [
      keys,
      keys,
    ]);
    const loosened = differences.filter(({ kind }) => kind === "loosened");
    expect(loosened.map(({ identities }) => identities)).toEqual([
      [`{ api-key: "${more.includes("s39") ? "c39" : "c38"}" }`],
    ]);
  }
});

test("a caller of a file who is named is asked as, though another has the same scopes", async () => {
  const one = (names: string): string =>
    `${AUTHENTICATORS}${routes(`methods: [GET], authenticate: [partners], authorize: { callers: [${names}] }`)}`;
  const { differences } = await compared(one("acme"), one("acme, again, nobody-there"));
  const opened = differences.filter(({ kind }) => kind === "loosened");
  expect(opened.map(({ identities }) => identities)).toEqual([[`{ api-key: "again" }`]]);
});
