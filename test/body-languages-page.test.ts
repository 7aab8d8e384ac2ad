import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { REASONS } from "../src/decision/reason.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { PAGE_FILES, policyOfPage } from "./policy/page-kit.ts";
import { problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/body-languages.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const FILES = {
  ...PAGE_FILES,
  "operations.json": '["{ orders { id } }"]',
  "create.json": "{}",
  "event.json": "{}",
  "pet.json": "{}",
};

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOfPage(text), FILES)).toEqual([]);
});

test("the page has the defaults of the code", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(3);
  for (const [key, value] of [
    ["depth", DEFAULTS.graphqlDepth],
    ["aliases", DEFAULTS.graphqlAliases],
    ["directives", DEFAULTS.graphqlDirectives],
    ["complexity", DEFAULTS.graphqlComplexity],
  ])
    expect(page).toContain(`| \`${key}\` | ${value} |`);
});

test("docs/limits.md has the numbers of the code", () => {
  const limits = readFileSync(resolve(import.meta.dirname, "../docs/limits.md"), "utf8");
  const section = limits.split("## Bodies in languages of their own\n")[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what"));
  const d = DEFAULTS;
  const { graphqlCharsMax, graphqlTokensMax, graphqlOperationsMax, graphqlFragmentsMax } = DEFAULTS;
  expect(rows.map((line) => line.split("|")[2]?.trim())).toEqual([
    `${graphqlCharsMax}, ${graphqlTokensMax}, ${graphqlOperationsMax}, ${graphqlFragmentsMax}; ${d.graphqlMembersMax}; ${d.graphqlNestingMax}, ${d.graphqlStackMax}`,
    `${d.graphqlDepth}, ${d.graphqlAliases}, ${d.graphqlDirectives}, ${d.graphqlComplexity}; ${d.graphqlBatchMax}`,
    `${d.graphqlAllowedBytesMax / 1024 ** 2} MiB, ${d.graphqlAllowedMax} operations; ${d.graphqlPersistedMax}, ${d.graphqlPersistedCharsMax} characters`,
    `${d.jsonRpcBatchMax}; ${d.jsonRpcMethodsMax}, ${d.jsonRpcMethodCharsMax}`,
    `${d.xmlDepth}, ${d.xmlElements}, ${d.xmlAttributes}, ${d.xmlAttributeBytes / 1024} KiB, ${d.xmlNamespaces}, ${d.xmlRebindings}, ${d.xmlTextBytes / 1024} KiB; ${d.xmlNameCharsMax} characters`,
  ]);
});

test("every reason of the page is one, with its status", () => {
  for (const [, names = "", status] of page.matchAll(/((?:`\w+`,? ?\n?)+)\((\d{3})\)/g))
    for (const [, name = ""] of names.matchAll(/`(\w+_\w+)`/g))
      expect(REASONS[name as keyof typeof REASONS]?.status, name).toBe(Number(status));
});
