// Goal: what docs/versions.md shows is a policy, and the lines and numbers in it are the product's.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { DEPRECATED_OUTCOMES } from "../src/message/deprecated-use.ts";
import { HeaderBlock } from "../src/message/headers.ts";
import type { Snapshot } from "../src/policy/snapshot.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { createExchange } from "./fixtures/route-context.ts";
import { policyWith, problemsOf, routeOf, snapshotOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/versions.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const KEY = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
const FILES = {
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`,
  "jwks.json": JSON.stringify({ keys: [{ ...KEY, kid: "1", alg: "ES256", use: "sig" }] }),
  "openapi/orders.yaml": `openapi: 3.1.0
info: { title: orders, version: "1" }
security: [{ oauth: [] }]
paths:
  /orders: { get: { operationId: listOrders, deprecated: true, responses: { 200: { description: ok } } } }
  /v2/orders: { get: { operationId: listOrders2, responses: { 200: { description: ok } } } }
  /old: { get: { operationId: old, deprecated: true, responses: { 200: { description: ok } } } }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`,
  "openapi/orders-2.yaml": `openapi: 3.1.0
info: { title: orders, version: "2" }
security: [{ oauth: [] }]
paths:
  /orders: { get: { operationId: listOrders, responses: { 200: { description: ok } } } }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`,
};

function policyOf(text: string): string {
  const authenticators = {
    partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" },
    okta: {
      type: "jwt",
      issuer: "https://idp.example.org/",
      audience: ["orders"],
      algorithms: ["ES256"],
      keys: "jwks.json",
    },
  };
  const top: Readonly<Record<string, unknown>> = parse(text);
  return policyWith(stringify({ authenticators, ...top }));
}

test("the page has its blocks", () => {
  expect(blocks).toHaveLength(5);
});

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOf(text), FILES)).toEqual([]);
});

test("answers have the lines that it shows", async () => {
  const route = routeOf(await snapshotOf(policyOf(blocks[0] ?? ""), FILES), "/v0/**");
  const lines = route.rewriteResponse(new HeaderBlock([], []), true).toLowerCase();
  for (const line of page.match(/^(?:Deprecation|Sunset|Link): .*$/gm) ?? [])
    expect(lines).toContain(line.toLowerCase());
});

test("an operation that its document deprecates is watched, others are not", async () => {
  const snapshot = await snapshotOf(policyOf(blocks[1] ?? ""), FILES);
  const checks = (template: string) => routeOf(snapshot, template).checks.map(({ name }) => name);
  expect(checks("/old")).toContain("deprecated");
  expect(checks("/v2/orders")).not.toContain("deprecated");
  expect(routeOf(snapshot, "/orders").rewriteResponse(new HeaderBlock([], []), true)).toContain("successor-version");
});

test("its numbers and words are the product's", () => {
  expect(page).toContain(`Up to ${DEFAULTS.deprecatedCallersMax.toLocaleString("en-US")} callers`);
  expect(DEFAULTS.deprecatedWriteMs).toBe(30_000);
  expect([...page.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1])).toEqual([...DEPRECATED_OUTCOMES]);
});

/** What a request, a line as the table of the page has it, is: its version, or why it is refused. */
function judged(
  { versions, routes }: Snapshot,
  target: string,
  headers: readonly (readonly [string, string])[],
): string {
  const [path = "", query] = target.split("?");
  const exchange = createExchange({ path, query: query === undefined ? "" : `?${query}`, headers });
  const match = (versions?.routesFor(exchange) ?? routes).match("localhost", "GET", exchange.target.path);
  if (match.kind !== "found" || versions === null) return match.kind;
  return versions.judge(exchange, match.route)?.reason ?? `version ${exchange.version}`;
}

test.each([
  ["/orders", [["api-version", "2"]], "version 2"],
  ["/orders?api-version=2", [], "version 2"],
  ["/orders", [["accept", "application/json;version=2"]], "version 2"],
  ["/orders", [["accept", "application/vnd.acme.v2+json"]], "version 2"],
  ["/orders", [["content-type", "application/vnd.acme.v2+json"]], "version 2"],
  ["/orders", [], "version 1"],
  ["/orders", [["api-version", "3"]], "version_unknown"],
  [
    "/orders",
    [
      ["api-version", "1"],
      ["api-version", "1"],
    ],
    "version_ambiguous",
  ],
  ["/orders", [["api_version", "1"]], "version_ambiguous"],
  ["/orders?API-VERSION=1", [], "version_ambiguous"],
  ["/orders?api.version=1", [], "version_ambiguous"],
  ["/orders?api-version=2", [["api-version", "1"]], "version_ambiguous"],
  ["/orders", [["accept", "application/json;version=2, */*;q=0.1"]], "version 2"],
  ["/orders", [["accept", "application/json, application/json;version=2"]], "version_ambiguous"],
  ["/healthz", [["api-version", "3"]], "version null"],
] as const)("%s with %j is %s, as the page has it", async (target, headers, outcome) => {
  expect(judged(await snapshotOf(policyOf(blocks[2] ?? ""), FILES), target, headers)).toBe(outcome);
});

test("a description is a version's", async () => {
  const snapshot = await snapshotOf(policyOf(blocks[4] ?? ""), FILES);
  expect(judged(snapshot, "/orders", [["api-version", "2"]])).toBe("version 2");
  expect(judged(snapshot, "/old", [["api-version", "1"]])).toBe("version 1");
  expect(judged(snapshot, "/old", [["api-version", "2"]])).toBe("version_unknown");
  expect(judged(snapshot, "/orders", [])).toBe("version_missing");
});
