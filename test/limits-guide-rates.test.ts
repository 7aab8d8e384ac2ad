import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { policyWith, problemsOf, warningsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/limits-guide.md"), "utf8");
const section = page.split("## Rates\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const rows = [...section.matchAll(/^\| [^|]+ \| `(\{ rate: .*\})` \|$/gm)].map((match) => match[1] ?? "");
const headers = [...section.matchAll(/^\| [^|]+ \| `(limitHeaders: .*)` \|$/gm)].map((match) => match[1] ?? "");

const files = { "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]` };
const authenticators = { partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" } };

/** A part of a policy, as the page shows it → the whole. */
function policyOf(top: Readonly<Record<string, unknown>>): string {
  return policyWith(stringify({ authenticators, ...top }, { aliasDuplicateObjects: false }));
}

test("the section has its blocks and rows", () => {
  expect([blocks.length, rows.length, headers.length]).toEqual([2, 12, 4]);
});

test.each(blocks)("%s", async (text) => {
  const policy = policyOf(parse(text) as Record<string, unknown>);
  expect(await problemsOf(policy, files)).toEqual([]);
});

test.each(rows)("%s", async (text) => {
  const limits: unknown = { one: parse(text) };
  const routes = [{ path: "/orders/{orderId}", authenticate: ["partners"], limit: ["one"] }];
  const policy = policyOf({ limits, routes });
  expect([await problemsOf(policy, files), await warningsOf(policy, files)]).toEqual([[], []]);
});

test.each(headers)("%s", async (text) => {
  const routes = [{ path: "/", authenticate: ["partners"], limit: ["one"] }];
  const limits = { one: { rate: "1/second", key: "principal" } };
  expect(await problemsOf(policyOf({ limits, routes, ...(parse(text) as object) }), files)).toEqual([]);
});
