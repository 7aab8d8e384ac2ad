// Goal: what docs/rewriting.md shows is a policy, and does what the page says.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { REASONS } from "../src/decision/reason.ts";
import { createExchange, createPrincipal } from "./fixtures/route-context.ts";
import { policyWith, problemsOf, routeOf, snapshotOf, warningsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/rewriting.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const KEY = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const FILES = { "jwks.json": JSON.stringify({ keys: [{ ...KEY, kid: "1", alg: "ES256", use: "sig" }] }) };
const OKTA = { type: "jwt", issuer: "https://idp.example.org/", audience: ["orders"], algorithms: ["ES256"] };

function policyOf(text: string): string {
  const top: Readonly<Record<string, unknown>> = parse(text);
  return policyWith(stringify({ authenticators: { okta: { ...OKTA, keys: "jwks.json" } }, ...top }));
}

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOf(text), FILES)).toEqual([]);
  expect(await warningsOf(policyOf(text), FILES)).toEqual([]);
});

test("its paths are the product's", async () => {
  const snapshot = await snapshotOf(policyOf(blocks[0] ?? ""), FILES);
  const principal = createPrincipal({ claims: { tenant: "acme" } });
  const order = createExchange({ path: "/v1/orders/a%20b", params: ["a%20b"], principal });
  expect(routeOf(snapshot, "/v1/orders/{id}").targetRewrite?.apply(order, "", 0)).toMatchObject({
    path: "/tenants/acme/orders/a%20b",
  });
  const reports = routeOf(snapshot, "/v1/reports/**").targetRewrite;
  const asked = createExchange({ path: "/v1/reports/2026/7", principal });
  expect(reports?.apply(asked, "?page=2&debug=1&Tenant=x&tenant[]=y", 0)).toEqual({
    path: "/reports/2026/7",
    query: "?offset=2&tenant=acme",
  });
  expect([reports?.lines, reports?.authority]).toEqual(["x-forwarded-prefix: /v1\r\n", "orders.internal"]);
});

test("its reasons have the statuses that it says", () => {
  const told = [...page.matchAll(/\b(\d{3}) `(\w+)`/g)].map(([, status, reason]) => [reason, Number(status)]);
  expect(told.length).toBeGreaterThan(3);
  for (const [reason, status] of told) expect(REASONS).toHaveProperty(`${reason}.status`, status);
});
