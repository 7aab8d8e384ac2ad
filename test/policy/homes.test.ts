// Goal: who writes a key in the wrong place is told the right one, and every place that is told is one where the schema has the key.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ROUTE_HOMES, TOP_HOMES } from "../../src/policy/homes.ts";
import { policyWith, problemsOf } from "./policy-kit.ts";

describe("a key of another place", () => {
  test.each([
    ["fields: { remove: [$.a] }", "'fields' does not stand here; expected it under 'response'"],
    [
      "leaks: { cards: mask }",
      "'leaks' does not stand here; expected it under 'response', or under 'validate' for requests",
    ],
    ["form: { fields: {} }", "'form' does not stand here; expected it under 'validate'"],
    ["requestId: {}", "'requestId' does not stand here; expected it beside 'routes', for all of them"],
    ["limits: [a]", "unknown key 'limits'; did you mean 'limit'?"],
  ])("%s on a route", async (key, text) => {
    expect(await problemsOf(policyWith(`routes: [{ path: /a, public: true, ${key} }]`))).toEqual([`6:36 ${text}`]);
  });

  test.each([
    ["trustedProxies: [10.0.0.0/8]", "'trustedProxies' does not stand here; expected it in an entry of 'listeners'"],
    ["authenticate: [a]", "'authenticate' does not stand here; expected it on a route, or in 'defaults'"],
    ["limit: [a]", "unknown key 'limit'; did you mean 'limits'?"],
  ])("%s at the top", async (key, text) => {
    expect(await problemsOf(policyWith(`${key}\nroutes: [{ path: /a, public: true }]`))).toEqual([`6:1 ${text}`]);
  });

  test("in the defaults, too", async () => {
    const problems = await problemsOf(policyWith("defaults: { mask: {} }\nroutes: [{ path: /a, public: true }]"));
    expect(problems).toEqual(["6:13 'mask' does not stand here; expected it under 'response'"]);
  });
});

const schema: unknown = JSON.parse(readFileSync(new URL("../../policies/policy.schema.json", import.meta.url), "utf8"));

/** What a reference within the file leads to; anything else is itself. */
function resolved(node: unknown): unknown {
  const reference: unknown = typeof node === "object" && node !== null ? Reflect.get(node, "$ref") : undefined;
  return typeof reference === "string" ? at(schema, ...reference.split("/").slice(1)) : node;
}

/** Whether an object of the schema, or one of its alternatives, has the key. */
function hasKey(given: unknown, key: string, depth = 0): boolean {
  const node = resolved(given);
  if (typeof node !== "object" || node === null || depth > 6) return false;
  const properties: unknown = Reflect.get(node, "properties");
  if (typeof properties === "object" && properties !== null && Object.hasOwn(properties, key)) return true;
  return ["anyOf", "oneOf", "allOf"].some((word) => {
    const members: unknown = Reflect.get(node, word);
    return Array.isArray(members) && members.some((one) => hasKey(one, key, depth + 1));
  });
}

function at(root: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((given, step) => {
    const node = resolved(given);
    return typeof node === "object" && node !== null ? Reflect.get(node, step) : undefined;
  }, root);
}

test.each([...TOP_HOMES])("%s of the top stands %s", (key, text) => {
  const isOfListener = text.includes("listeners");
  const homes = isOfListener ? ["listeners", "items"] : ["defaults"];
  expect(hasKey(at(schema, "properties", ...homes), key)).toBe(true);
  expect(hasKey(schema, key)).toBe(false);
});

test.each([...ROUTE_HOMES])("%s stands %s", (key, text) => {
  const homes = [...text.matchAll(/under '([a-z.]+)'/g)].map(([, home = ""]) => home);
  if (homes.length === 0) expect(hasKey(schema, key)).toBe(true);
  for (const home of homes) {
    const steps = home.split(".").flatMap((step) => ["properties", step]);
    expect(hasKey(at(schema, "properties", "defaults", ...steps), key)).toBe(true);
  }
});
