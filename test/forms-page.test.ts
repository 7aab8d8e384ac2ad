import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { REASONS, type Reason } from "../src/decision/reason.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { PAGE_FILES, policyOfPage } from "./policy/page-kit.ts";
import { problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/forms.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

test("the page has its examples", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(3);
});

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOfPage(text), { ...PAGE_FILES, "ticket.json": "{}" })).toEqual([]);
});

test("the page has the numbers of the code", () => {
  expect(page).toContain(`together; ${DEFAULTS.formPartsMax} if absent`);
  expect(page).toContain(
    `(${DEFAULTS.formFieldBytesMax / 1024}KiB; ${DEFAULTS.formFieldBytesLimit / 1024 ** 2}MiB at most)`,
  );
  expect(page).toContain(`\`maxFieldsBytes\` (${DEFAULTS.formFieldsBytesMax / 1024 ** 2}MiB)`);
  expect(page).toContain(`beyond the first MiB; ${DEFAULTS.inflationMax} if absent`);
  expect(DEFAULTS.inflatedFreeBytes).toBe(1024 ** 2);
  expect(page).toContain(`headers have at most ${DEFAULTS.partHeadBytesMax / 1024} KiB`);
  expect(page).toContain(`\`maxBytes\` is ${DEFAULTS.bodiesInspectedBytesMax / 1024 ** 2}MiB at\nmost`);
});

test("the page names reasons that exist, with their status", () => {
  const rows = page.split("\n").filter((line) => /^\| `\w+_/.test(line));
  expect(rows.length).toBeGreaterThanOrEqual(8);
  for (const row of rows) {
    const [, reasons = "", status = ""] = row.split("|").map((cell) => cell.trim());
    for (const [, reason = ""] of reasons.matchAll(/`(\w+)`/g)) {
      expect(REASONS[reason as Reason]?.status, reason).toBe(Number(status));
    }
  }
});
