import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { LEAK_GROUP_TEXTS } from "../src/filters/leak-schema.ts";
import { LEAK_GROUPS, LEAK_KINDS } from "../src/leaks/catalogue.ts";
import { HELD_BYTES_MAX } from "../src/leaks/leak-stream.ts";
import { WORDS_BYTES } from "../src/leaks/scanner.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { rowOf } from "./leaks/row.ts";
import { PAGE_FILES, policyOfPage } from "./policy/page-kit.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/leaks.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOfPage(text), PAGE_FILES)).toEqual([]);
});

test("the page has each kind as the code has it", () => {
  const rows = page.split("## Kinds\n")[1]?.trim().split("\n").slice(2);
  expect(rows).toEqual(LEAK_KINDS.map(rowOf));
});

test("each group has a text in the reference", () => {
  expect(Object.keys(LEAK_GROUP_TEXTS).sort()).toEqual([...LEAK_GROUPS].sort());
});

test("each group can be said, and so can each kind", async () => {
  for (const word of [...LEAK_GROUPS, ...LEAK_KINDS.map(({ name }) => name)]) {
    const routes = [{ path: "/a", public: true, response: { leaks: { [word]: "observe" } } }];
    expect(await problemsOf(policyWith(stringify({ routes }))), word).toEqual([]);
  }
});

test("the page has the numbers of the code", () => {
  expect(page).toContain(`at most ${HELD_BYTES_MAX / 1024} KiB`);
  expect(page).toContain(`to ${WORDS_BYTES} bytes before`);
  expect(page).toContain(`more than ${DEFAULTS.leakPatternLengthMax} characters`);
});
