// Goal: no policy can ask for a credential to be shown, by whatever name it goes.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { policyWith, problemsOf } from "./policy-kit.ts";

const FILES = {
  "keys.yaml": `callers: [{ name: a, keys: [{ sha256: "${createHash("sha256").update("k").digest("hex")}" }] }]`,
};
const policy = (rest: string): string =>
  policyWith(`admin: { address: 127.0.0.1:9901 }
${rest}
authenticators:
  byQuery: { type: api-key, query: k, keys: keys.yaml }
  byHeader: { type: api-key, header: X-Customer, keys: keys.yaml }
routes: [{ path: /a, authenticate: [byQuery, byHeader] }]`);

const section = (what: string): string => `decisions: { ${what} }`;

describe("decisions", () => {
  test.each([
    "token",
    "access_token",
    "Token",
    "api_key",
    "apiKey",
    "API-KEY",
    "password",
    "client_secret",
    "sig_signature",
    "SAMLassertion",
    "sessionCookie",
  ])("show no parameter '%s'", async (name) => {
    expect(await problemsOf(policy(section(`query: [${name}]`)), FILES)).toEqual([
      expect.stringContaining("a parameter of this name may hold a secret"),
    ]);
  });

  test.each(["Authorization", "cookie", "X-Api-Key", "X-Auth-Token", "X-Hub-Signature"])(
    "show no header '%s'",
    async (name) => {
      expect(await problemsOf(policy(section(`headers: [${name}]`)), FILES)).toEqual([
        expect.stringContaining("a header of this name may hold a secret"),
      ]);
    },
  );

  test.each(["access_token", "cnf.secret", "refresh_token"])("show no claim '%s'", async (name) => {
    expect(await problemsOf(policy(section(`claims: [${name}]`)), FILES)).toEqual([
      expect.stringContaining("a claim of this name may be a secret"),
    ]);
  });

  test("show nothing that an authenticator takes, though its name tells nothing", async () => {
    expect(await problemsOf(policy(section("query: [k, page], headers: [x-customer, x-other]")), FILES)).toEqual([
      expect.stringContaining("authenticator 'byQuery' takes its credential from there"),
      expect.stringContaining("authenticator 'byHeader' takes its credential from there"),
    ]);
  });
});

test.each([
  ["query.k", "may be a secret, which no log shows"],
  ['request.headers["X-Customer"]', "authenticator 'byHeader' takes its credential from there, which no log shows"],
])("no line of the log has %s", async (attribute, why) => {
  const text = policy(`log: { fields: { add: { shown: ${JSON.stringify(attribute)} } } }`);
  expect(await problemsOf(text, FILES)).toEqual([expect.stringContaining(why)]);
});

test("what is no credential is shown", async () => {
  expect(
    await problemsOf(policy("decisions: { query: [page, sort], headers: [X-Tenant], claims: [plan] }"), FILES),
  ).toEqual([]);
});
