import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { REASONS } from "../src/decision/reason.ts";
import { LIMIT_DEFAULTS } from "../src/support/limit-defaults.ts";
import { examine, policyWith } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/limits-guide.md"), "utf8");
const section = page.split("## Bytes a second\n")[1]?.split(/\n## /)[0] ?? "";
const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

test("the section has its block", () => {
  expect(blocks).toHaveLength(1);
});

test.each(blocks)("%s", async (text) => {
  expect(await examine(policyWith(text))).toMatchObject({ problems: [], warnings: [] });
});

test("its numbers and reasons are the product's", () => {
  expect(LIMIT_DEFAULTS.bandwidthDelayMs).toBe(30_000);
  expect(section).toContain("30s if absent");
  expect(REASONS.bandwidth_exceeded.status).toBe(429);
});
