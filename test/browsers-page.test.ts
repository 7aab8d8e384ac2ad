// Goal: what docs/browsers.md shows is a policy, and does what the page says.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { DEFAULTS } from "../src/support/defaults.ts";
import { examine, policyWith, routeOf, snapshotOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/browsers.md"), "utf8");
const rules = readFileSync(resolve(import.meta.dirname, "../src/filters/cors/README.md"), "utf8");
const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`;
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

function policyOf(text: string): string {
  const authenticators = { okta: { type: "api-key", header: "X-Api-Key", keys: "keys.yaml" } };
  const top: Readonly<Record<string, unknown>> = parse(text);
  return policyWith(stringify({ authenticators, ...top }));
}

test("its block is a policy without a word of warning about it", async () => {
  expect(blocks).toHaveLength(1);
  const { problems, warnings } = await examine(policyOf(blocks[0] ?? ""), { "keys.yaml": KEYS });
  expect(problems).toEqual([]);
  expect(warnings.filter(({ place }) => place.path.includes("cors"))).toEqual([]);
});

test("a route's own keys win over those of the defaults", async () => {
  const snapshot = await snapshotOf(policyOf(blocks[0] ?? ""), { "keys.yaml": KEYS });
  expect(routeOf(snapshot, "/v1/orders/{id}").cors?.varies).toBe(true);
  expect(routeOf(snapshot, "/v1/catalogue").cors?.varies).toBe(false);
});

test("the table has every key, and its default is the product's", () => {
  const keys = [...rules.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(keys).toEqual([
    "origins",
    "methods",
    "headers",
    "exposeHeaders",
    "credentials",
    "maxAge",
    "privateNetwork",
    "others",
  ]);
  expect(rules).toContain("`10m` if absent");
  expect(DEFAULTS.corsMaxAgeMs).toBe(600_000);
});
