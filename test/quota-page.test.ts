// Goal: what docs/limits-guide.md says of quotas is a policy, and the numbers in it are the product's.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { DEFAULTS } from "../src/support/defaults.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/limits-guide.md"), "utf8");
const section = page.split("## Quotas\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const rows = [...section.matchAll(/^\| [^|]+ \| `(\{ quota: .*\})` \|$/gm)].map((match) => match[1] ?? "");
const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`;

/** A part of a policy, as the page shows it → the whole. */
function policyOf(top: Readonly<Record<string, unknown>>): string {
  const authenticators = { partners: { type: "api-key", header: "X-Key", keys: "keys.yaml" } };
  return policyWith(stringify({ authenticators, ...top }));
}

test("the section has its block and rows", () => {
  expect([blocks.length, rows.length]).toEqual([1, 6]);
});

test.each(blocks)("%s", async (text) => {
  const top: Record<string, unknown> = parse(text);
  expect(await problemsOf(policyOf(top), { "keys.yaml": KEYS })).toEqual([]);
});

test.each(rows)("%s", async (text) => {
  const limit: unknown = parse(text);
  const routes = [{ path: "/v1/**", authenticate: ["partners"], limit: ["one"] }];
  expect(await problemsOf(policyOf({ limits: { one: limit }, routes }), { "keys.yaml": KEYS })).toEqual([]);
});

test("its numbers are the product's", () => {
  const number = (value: number): string => value.toLocaleString("en-US");
  for (const text of [
    number(DEFAULTS.quotaKeys),
    number(DEFAULTS.quotaSharedCounts),
    `at most ${number(DEFAULTS.quotaListMax)} keys`,
    `${DEFAULTS.memoryQuotaCountBytes} bytes`,
  ]) {
    expect(section).toContain(text);
  }
  expect([DEFAULTS.quotaWriteMs, DEFAULTS.quotaLoadMs, DEFAULTS.quotaCandidatesMax]).toEqual([500, 5_000, 16]);
});
