import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { apiKeyKind } from "../../src/filters/api-key/compile.ts";
import type { Authentication } from "../../src/filters/filter.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { denialOf, NOW_MS, principalOf, testContext } from "./identity-context.ts";
import { token } from "./jwt-kit.ts";

const KEY = "pk_live_0123456789abcdefghijklmnopqrstuvwxyz";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${sha256(KEY)}" }] }]`;

type Lines = readonly (readonly [string, string])[];

function setUp(where: Record<string, string | undefined>, keys = KEYS) {
  const context = testContext({ "keys.yaml": keys });
  const settings = apiKeyKind.schema.parse({ type: "api-key", ...where, keys: "keys.yaml" });
  const authenticator = atOnce(stepsOf(apiKeyKind.compile("partners", settings, context)));
  if (authenticator === null) throw new Error(context.problems.join("\n"));
  const ask = (headers: Lines, query = "") =>
    authenticator.authenticate(createExchange({ headers, query })) as Authentication;
  const misplaced = (headers: Lines, query = "") => authenticator.misplaced?.(createExchange({ headers, query })) ?? [];
  return { context, authenticator, ask, misplaced };
}

test("A key behind ApiKey or Bearer in Authorization, the word in any case", () => {
  const { ask, authenticator } = setUp({ scheme: "ApiKey" });
  for (const word of ["ApiKey", "apikey", "APIKEY"]) {
    expect(principalOf(ask([["authorization", `${word} ${KEY}`]])).id).toBe("acme");
  }
  expect(authenticator.credentialHeaders).toEqual(["authorization"]);
  expect(ask([["authorization", `Bearer ${KEY}`]])).toBeNull();
  expect(ask([["authorization", `ApiKeys ${KEY}`]])).toBeNull();
  expect(ask([])).toBeNull();
  for (const value of ["ApiKey", "ApiKey ", `ApiKey  ${KEY}`, `ApiKey ${KEY} `]) {
    expect(denialOf(ask([["authorization", value]])).reason, value).toBe("api_key_unknown");
  }
  const twins: Lines = [
    ["authorization", `ApiKey ${KEY}`],
    ["authorization", `ApiKey ${KEY}`],
  ];
  expect(denialOf(ask(twins)).seen).toBe("more than one authorization header");
  expect(authenticator.challenge).toBe('ApiKey realm="orders"');
});

test("A token behind Bearer is not taken for a key that nobody has", () => {
  const { ask, authenticator } = setUp({ scheme: "Bearer" });
  expect(principalOf(ask([["authorization", `Bearer ${KEY}`]])).id).toBe("acme");
  expect(ask([["authorization", `Bearer ${token()}`]])).toBeNull();
  expect(denialOf(ask([["authorization", "Bearer guess"]])).reason).toBe("api_key_unknown");
  expect(authenticator.challenge).toBe('Bearer realm="orders"');
});

test("A key in a cookie, once", () => {
  const { ask, authenticator } = setUp({ cookie: "api_key" });
  expect(principalOf(ask([["cookie", `theme=dark; api_key=${KEY}; a=b`]])).id).toBe("acme");
  expect(authenticator.credentialCookies).toEqual(["api_key"]);
  expect(ask([["cookie", `API_KEY=${KEY}; api-key=${KEY}`]])).toBeNull();
  for (const lines of [
    [["cookie", `api_key=${KEY}; api_key=x`]],
    [
      ["cookie", `api_key=${KEY}`],
      ["cookie", "api_key=x"],
    ],
  ] as Lines[]) {
    expect(denialOf(ask(lines)).seen).toBe("more than one cookie api_key");
  }
  expect(denialOf(ask([["cookie", `api_key="${KEY}"`]])).reason).toBe("api_key_unknown");
});

test("A key in the query, once, however its name is encoded, with a warning", () => {
  const { ask, context, authenticator } = setUp({ query: "key" });
  expect(context.warnings.join()).toContain("query: keys in the query stay in the logs of proxies");
  expect(principalOf(ask([], `?a=1&key=${KEY}`)).id).toBe("acme");
  expect(principalOf(ask([], `?%6Bey=${KEY}`)).id).toBe("acme");
  expect(authenticator.credentialParameters).toEqual(["key"]);
  for (const query of [`?key=${KEY}&key=x`, `?key=${KEY}&%6bey=${KEY}`, `?k%65y=x&key=${KEY}`]) {
    expect(denialOf(ask([], query)).seen, query).toBe("more than one query parameter key");
  }
  for (const query of [`?KEY=${KEY}`, `?key[]=${KEY}`, `?a=1;key=${KEY}`, "", `?x=key=${KEY}`]) {
    expect(ask([], query), query).toBeNull();
  }
  expect(denialOf(ask([], `?key=${KEY};b`)).reason).toBe("api_key_unknown");
});

test("A key in two places is judged where the policy says, and the other one is not looked at", () => {
  const { ask } = setUp({ header: "X-Api-Key" });
  expect(principalOf(ask([["x-api-key", KEY]], "?x-api-key=other")).id).toBe("acme");
  expect(denialOf(ask([["x-api-key", "guess"]], `?x-api-key=${KEY}`)).reason).toBe("api_key_unknown");
  expect(ask([["x_api_key", KEY]])).toBeNull();
});

test("A key in the wrong place is named as that, without its value", () => {
  const header = setUp({ header: "X-Api-Key" });
  for (const [lines, query, text] of [
    [[], `?api_key=${KEY}`, "a key in the query parameter 'api_key', not in the header x-api-key"],
    [[], `?X-API-KEY=${KEY}`, "a key in the query parameter 'X-API-KEY'"],
    [[["cookie", `x-api-key=${KEY}`]], "", "a key in the cookie 'x-api-key'"],
    [[["authorization", `Bearer ${KEY}`]], "", "a key in Authorization: Bearer"],
    [[["authorization", `ApiKey ${KEY}`]], "", "a key in Authorization: ApiKey"],
    [[["x_api_key", KEY]], "", "a key in the header 'x_api_key'"],
  ] as [Lines, string, string][]) {
    const told = header.misplaced(lines, query).join("; ");
    expect(told).toContain(text);
    expect(told).not.toContain(KEY);
  }
  expect(header.misplaced([["authorization", "Bearer not-a-key"]], "?q=1")).toEqual([]);
  const query = setUp({ query: "key" });
  expect(query.misplaced([["x-api-key", KEY]])).toEqual([
    "a key in the header 'x-api-key', not in the query parameter key",
  ]);
  expect(query.misplaced([], `?Key=${KEY}`)).toEqual([
    "a key in the query parameter 'Key', not in the query parameter key",
  ]);
});

test("Where the key stands is said once", () => {
  for (const where of [{}, { header: "X-Key", query: "key" }, { cookie: "a", scheme: "ApiKey" }]) {
    expect(() => setUp(where), JSON.stringify(where)).toThrow(
      "expected one of 'header', 'scheme', 'cookie' and 'query'",
    );
  }
  for (const where of [{ scheme: "Basic" }, { cookie: "a b" }, { query: "a&b" }]) {
    expect(apiKeyKind.schema.safeParse({ type: "api-key", keys: "k", ...where }).success).toBe(false);
  }
});

test("A key is changed without a gap: the new one before the old one ends", () => {
  const rotating = `callers:
  - name: acme
    roles: [partner]
    claims: { tier: gold }
    limit: gold
    keys:
      - { sha256: "${sha256("old-key")}", name: "2026", notAfter: 2026-11-21 }
      - { sha256: "${sha256("new-key")}", name: "2027", notBefore: 2026-11-21, limit: silver }
      - { sha256: "${sha256("next-key")}", notBefore: "2026-11-22T00:00:00Z" }
`;
  const { ask, context, authenticator } = setUp({ header: "X-Key" }, rotating);
  const present = (key: string) => ask([["x-key", key]]);
  expect(principalOf(present("old-key"))).toMatchObject({
    limit: "gold",
    claims: { roles: ["partner"], tier: "gold" },
  });
  expect(principalOf(present("new-key")).limit).toBe("silver");
  const early = denialOf(present("next-key"));
  expect(early).toMatchObject({ reason: "api_key_not_yet_valid" });
  expect(early.seen).toBe("a key of acme, not before 2026-11-22T00:00:00.000Z");
  expect(authenticator.limits?.map(({ name, line, path }) => [name, line, path])).toEqual([
    ["gold", 5, "callers[0].limit"],
    ["silver", 8, "callers[0].keys[1].limit"],
  ]);
  expect([...(authenticator.uses?.() ?? [])].map(({ credential, lastUsedMs }) => [credential, lastUsedMs])).toEqual([
    ["2026", NOW_MS],
    ["2027", NOW_MS],
  ]);
  context.clock.nowMs = Date.parse("2026-11-22T00:00:00Z");
  expect(denialOf(present("old-key")).reason).toBe("api_key_expired");
  expect(principalOf(present("next-key")).id).toBe("acme");
  const last = [...(authenticator.uses?.() ?? [])].at(-1);
  expect(last).toMatchObject({ caller: "acme", credential: sha256("next-key").slice(0, 8) });
});
