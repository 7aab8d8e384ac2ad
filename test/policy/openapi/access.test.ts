import { beforeAll, describe, expect, test } from "vitest";
import type { Operation, SecurityScheme } from "../../../src/openapi/operation.ts";
import { accessOf } from "../../../src/policy/openapi/security.ts";
import { createTokenMint } from "../../fixtures/tokens.ts";
import { described } from "../../openapi/kit.ts";
import { examine, problemsOf } from "../policy-kit.ts";
import { api, filesWith, policyOf } from "./kit.ts";

let jwks: string;
beforeAll(async () => {
  ({ jwks } = await createTokenMint());
});

const AUTHENTICATORS = new Map<string, unknown>([
  ["okta", "jwt"],
  ["entra", "jwt"],
  ["mesh", "client-certificate"],
  ["keys", "api-key"],
  ["badges", "api-key"],
  ["guest", "anonymous"],
]);

function access(
  security: string,
  options: { readonly isPublic?: boolean; readonly hasDefault?: boolean } = {},
): unknown {
  const document = api(`/a:\n  get: { ${security} }`);
  const badge = "badge: { type: apiKey, in: header, name: X-Badge }";
  const { operations, schemes } = described(document.replace("  schemas:", `    ${badge}\n  schemas:`));
  const [operation] = operations as readonly [Operation];
  return accessOf(operation, {
    schemes: schemes as ReadonlyMap<string, SecurityScheme>,
    mapping: { written: { oauth: ["okta", "entra"], key: "keys", badge: "badges" }, authenticators: AUTHENTICATORS },
    isPublic: options.isPublic ?? false,
    hasDefault: options.hasDefault ?? false,
    extensions: [],
  });
}

describe("security as 'authenticate' and 'authorize'", () => {
  test.each([
    ["one scheme", "security: [{ key: [] }]", { authenticate: ["keys"], authorize: undefined }],
    [
      "scopes of the one scheme",
      "security: [{ oauth: [read, write] }]",
      { authenticate: ["okta", "entra"], authorize: { scopes: ["read", "write"] } },
    ],
    [
      "a combination, whose last one says who it is",
      "security: [{ key: [], mtls: [] }]",
      { authenticate: { all: ["mesh", "keys"] }, authorize: undefined },
    ],
    [
      "a combination with one that several know",
      "security: [{ oauth: [read], mtls: [] }]",
      {
        authenticate: [{ all: ["mesh", "okta"] }, { all: ["mesh", "entra"] }],
        authorize: { scopes: ["read"] },
      },
    ],
    [
      "a combination of two of a kind, of which the one that has roles says who it is",
      "security: [{ badge: [clerk], key: [] }]",
      { authenticate: { all: ["keys", "badges"] }, authorize: { roles: ["clerk"] } },
    ],
    [
      "alternatives, each with what it asks for",
      "security: [{ key: [] }, { oauth: [read] }]",
      {
        authenticate: ["keys", "okta", "entra"],
        authorize: {
          any: [
            { authenticators: "keys" },
            { authenticators: "okta", scopes: ["read"] },
            { authenticators: "entra", scopes: ["read"] },
          ],
        },
      },
    ],
    [
      "roles of a scheme without scopes",
      "security: [{ mtls: [clerk] }]",
      { authenticate: ["mesh"], authorize: { roles: ["clerk"] } },
    ],
  ])("%s", (_, security, expected) => {
    expect(access(security)).toEqual(expected);
  });

  test.each([
    ["a key and a token", "security: [{ key: [clerk], oauth: [] }]", "key"],
    [
      "a certificate and a key, in one of two ways",
      "security: [{ oauth: [read] }, { mtls: [clerk], key: [] }]",
      "mtls",
    ],
    ["two keys that both have roles", "security: [{ key: [clerk], badge: [guard] }]", "key"],
  ])("what is asked of one caller is never asked of another: %s", (_, security, name) => {
    expect(access(security)).toMatchObject({
      place: { line: 5 },
      text: expect.stringContaining(`scopes or roles are asked of '${name}', and another scheme`),
    });
  });

  test("credentials that need not be shown need a word of the policy, and an anonymous caller", () => {
    expect(access("security: [{ oauth: [read] }, {}]")).toMatchObject({
      text: expect.stringContaining("{} lets everybody in"),
    });
    expect(access("security: [{ key: [] }, {}]", { isPublic: true })).toEqual({
      authenticate: ["keys", "guest"],
      authorize: undefined,
    });
    expect(access("security: [{ oauth: [read] }, {}]", { isPublic: true })).toMatchObject({
      authorize: { any: [{ authenticators: "okta" }, { authenticators: "entra" }, { authenticators: "guest" }] },
    });
  });

  test("an operation that asks for nothing is open only where the policy says so", () => {
    expect(access("security: []")).toMatchObject({ text: expect.stringContaining("nothing says who may use GET /a") });
    expect(access("security: []", { isPublic: true })).toBe("public");
    expect(access("summary: x")).toMatchObject({ text: expect.stringContaining("nothing says") });
    expect(access("summary: x", { hasDefault: true })).toBe("defaults");
    // An empty list says that nobody is asked, which the defaults do not unsay.
    expect(access("security: []", { hasDefault: true })).toMatchObject({
      text: expect.stringContaining("nothing says"),
    });
  });

  test("alternatives that end with one authenticator and differ in scopes cannot be told apart", () => {
    expect(access("security: [{ mtls: [], oauth: [read] }, { oauth: [write] }]")).toMatchObject({
      text: expect.stringContaining("cannot be told apart"),
    });
    expect(access("security: [{ mtls: [], oauth: [read] }, { oauth: [read] }]")).not.toHaveProperty("text");
  });

  test("a scheme that nobody knows is told at its line", () => {
    expect(access("security: [{ login: [] }]")).toMatchObject({
      place: { line: 11 },
      text: expect.stringContaining("which authenticator knows callers of 'login' (basic); of that kind there is none"),
    });
    expect(access("security: [{ oath: [] }]")).toMatchObject({
      text: "the document defines no security scheme 'oath' that can be used",
    });
  });
});

describe("in a policy", () => {
  test("a file of keys that is wrong is told once, and not as an operation that asks nobody", async () => {
    const document = api("/a:\n  get: { security: [{ key: [] }, {}] }");
    const files = { ...filesWith(jwks, document), "keys.yaml": "callers: [{ id: acme, keys: [] }]\n" };
    const problems = (await examine(policyOf("public: true"), files)).problems.map(({ place }) => place.file);
    expect(new Set(problems)).toEqual(new Set(["conf/keys.yaml"]));
  });

  test("problems stand in the document, slips of the section in the policy", async () => {
    const document = api("/a:\n  get: {}\n/b:\n  get: { security: [{ login: [] }] }");
    expect(await problemsOf(policyOf("authenticate: { oath: okta, mtls: mash }"), filesWith(jwks, document))).toEqual([
      "13:21 the document has no security scheme 'oath'; did you mean 'oauth'?",
      "13:33 authenticator 'mash' is not defined; did you mean 'mesh'?",
      "api/orders.yaml:5:5 nothing says who may use GET /a; expected 'security' in the document, a key in 'operations' of the policy, or 'public: true' in its section 'openapi'",
      "api/orders.yaml:13:5 the policy does not say which authenticator knows callers of 'login' (basic); of that kind there is none. Expected 'authenticate: { login: NAME }' in section 'openapi'",
    ]);
  });

  test("what 'operations' or 'routes' say of callers is enough", async () => {
    const document = api("/a:\n  get: { operationId: a }\n/b:\n  get: {}\n/c:\n  get: { security: [{ login: [] }] }");
    const settings = "operations: { a: { public: true }, 'GET /c': { authenticate: [keys] } }";
    const { problems, snapshot } = await examine(
      policyOf(settings, "routes: [{ path: /b, methods: [GET], authenticate: [okta] }]"),
      filesWith(jwks, document),
    );
    expect(problems).toEqual([]);
    expect(snapshot?.routeList.map(({ template, isPublic }) => `${template} ${isPublic}`)).toEqual([
      "/a true",
      "/b false",
      "/c false",
    ]);
  });

  test("operations that say nothing have the callers of the defaults", async () => {
    const policy = policyOf("", "defaults: { authenticate: [keys] }");
    const { problems, snapshot } = await examine(policy, filesWith(jwks, api("/a:\n  get: {}")));
    expect(problems).toEqual([]);
    expect(snapshot?.routeList[0]?.checks.map(({ name }) => name)).toContain("authenticate");
  });
});
