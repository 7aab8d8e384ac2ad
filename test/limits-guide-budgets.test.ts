import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { parseJsonPath } from "../src/limits/budget/json-path.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/limits-guide.md"), "utf8");
const sectionOf = (heading: string): string => page.split(`\n## ${heading}`)[1]?.split(/\n## /)[0] ?? "";
const sections = `${sectionOf("Budgets:")}${sectionOf("Distinct:")}`;
const blocks = [...sections.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const rows = [...sections.matchAll(/^\| (`.*`) \| [^|]+ \|$/gm)].flatMap((row) =>
  [...(row[1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""),
);

const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`;

function policyOf(text: string): string {
  const { routes, ...top } = parse(text) as Record<string, unknown>;
  const limits = Object.keys((top["limits"] ?? {}) as object);
  const authenticators = { partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" } };
  const usual = [{ path: "/chat", authenticate: ["partners"], limit: limits }];
  return policyWith(stringify({ authenticators, ...top, routes: routes ?? usual }));
}

test("the sections have their blocks and rows", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(3);
  expect(rows.length).toBeGreaterThanOrEqual(7);
});

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOf(text), { "keys.yaml": KEYS })).toEqual([]);
});

test.each(rows.filter((row) => row !== "response" && /^[$[{]/.test(row)))("response: %s", async (response) => {
  const text = `limits:\n  it: { budget: 1000/day, key: principal, cost: { estimate: 10, response: ${response} } }`;
  expect(await problemsOf(policyOf(text), { "keys.yaml": KEYS })).toEqual([]);
});

test("the page has the numbers of the code", () => {
  const { budgetReservationMs, budgetInflatedBytesMax, distinctBytes, distinctSteps } = DEFAULTS;
  expect(page).toContain(`An estimate is kept for \`reservation\` (${budgetReservationMs / 60_000}m if absent)`);
  expect(page).toContain(`up to ${budgetInflatedBytesMax / 2 ** 20} MiB`);
  expect(page).toContain(`at most \`maxBytes\` (${distinctBytes / 2 ** 20}MiB if absent)`);
  expect(page).toContain(`in steps of 1/${distinctSteps} of it`);
  expect(parseJsonPath("$.usage.total_tokens").ok).toBe(true);
});
