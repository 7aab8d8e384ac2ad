import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { policyWith, routeOf, snapshotOf, warningsOf } from "./policy-kit.ts";

const SHA256 = createHash("sha256").update("test-key").digest("hex");
const FILES = {
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: '${SHA256}' }] }]\n`,
  "order.json": '{ "type": "object" }',
};
const AUTHENTICATORS = "authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }";

async function percentsOf(rest: string, template: string): Promise<Record<string, number>> {
  const snapshot = await snapshotOf(policyWith(`${AUTHENTICATORS}\n${rest}`), FILES);
  return Object.fromEntries(
    routeOf(snapshot, template).checks.map(({ name, place, enforcePercent }) => [
      `${name} ${place.path}`,
      enforcePercent,
    ]),
  );
}

describe("a rung of the defaults", () => {
  test.each([
    ["authenticate", "{ any: [keys], mode: audit }", "{ any: [keys] }"],
    ["authenticate", "{ any: [keys], mode: { enforce: 5% } }", "[keys]"],
    ["validate", "{ contentType: [text/plain], mode: audit }", "{ unknownQuery: refuse }"],
    ["validate", "{ contentType: [text/plain], mode: audit }", "{ contentType: [text/html] }"],
    ["validate", "{ unknownQuery: refuse, mode: audit }", "{ body: { maxBytes: 1KiB, schema: order.json } }"],
    ["websocket", "{ origins: ['https://a.example'], mode: audit }", "{ origins: ['https://b.example'] }"],
    ["websocket", "{ origins: ['https://a.example'], mode: audit }", "{ maxFrame: 1KiB }"],
    ["websocket", "{ origins: ['https://a.example'], mode: audit }", "true"],
  ])("of %s: %s never reaches a route that says %s", async (key, shared, own) => {
    const access = key === "authenticate" ? "" : "public: true, ";
    const rest = `defaults: { ${key}: ${shared} }\nroutes: [{ path: /a, ${access}${key}: ${own} }]`;
    const percents = await percentsOf(rest, "/a");
    expect(Object.entries(percents).filter(([name]) => name.startsWith(key))).toEqual([[expect.any(String), 100]]);
  });

  test("of what adds up stays with the defaults' own check", async () => {
    const rest = `limits: { slow: { rate: 1/second, key: principal, mode: audit }, fast: { rate: 9/second, key: principal } }
defaults:
  authenticate: [keys]
  authorize: { scopes: [a], mode: audit }
  limit: [slow]
routes: [{ path: /a, authorize: { scopes: [b] }, limit: [fast] }]`;
    expect(await percentsOf(rest, "/a")).toEqual({
      "authenticate defaults.authenticate": 100,
      "authorize defaults.authorize": 0,
      "authorize routes[0].authorize": 100,
      "limit defaults.limit[0]": 0,
      "limit routes[0].limit[0]": 100,
    });
  });

  test("is a route's that says nothing of its own, or names it", async () => {
    const shared = "defaults: { authenticate: { any: [keys], mode: audit } }";
    expect(await percentsOf(`${shared}\nroutes: [{ path: /a }]`, "/a")).toEqual({
      "authenticate defaults.authenticate": 0,
    });
    expect(await percentsOf(`${shared}\nroutes: [{ path: /a, authenticate: { mode: audit } }]`, "/a")).toEqual({
      "authenticate routes[0].authenticate": 0,
    });
    const strict = "defaults: { authenticate: [keys] }";
    expect(
      await percentsOf(`${strict}\nroutes: [{ path: /a, authenticate: { any: [keys], mode: audit } }]`, "/a"),
    ).toEqual({ "authenticate routes[0].authenticate": 0 });
  });
});

test("a route whose authentication does not enforce is open, and that is a warning", async () => {
  const routes = `routes:
  - { path: /a }
  - { path: /b, authenticate: { any: [keys], mode: { enforce: 50% } } }
  - { path: /c, authenticate: [keys] }
  - { path: /d, public: true }`;
  const text = policyWith(`${AUTHENTICATORS}\ndefaults: { authenticate: { any: [keys], mode: audit } }\n${routes}`);
  expect(await warningsOf(text, FILES)).toEqual([
    "7:27 'authenticate' only audits, so whoever comes is let in: /a (line 9)",
    "10:31 'authenticate' enforces for 50% of callers, so the others are let in, whoever sends them: /b (line 10)",
  ]);
});
